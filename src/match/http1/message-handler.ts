import type { Anomaly } from '../../model/anomaly.ts';
import type { Direction } from '../../model/stream.ts';
import type { Loss } from '../loss.ts';
import type { MessageStart } from '../message-state.ts';
import type { BodyFraming } from './body-framing.ts';
import type { FieldFacts } from './field-facts.ts';
import type { LineFacts } from './line-facts.ts';

/** What the parser of one direction tells its connection. */
export interface MessageHandler {
  /**
   * A head was read; `start` is valid during the call. The answer says how the body is framed. `cut`: bytes of
   * the head are missing.
   */
  head(
    direction: Direction,
    line: LineFacts,
    fields: FieldFacts,
    start: MessageStart,
    headEndOffset: number,
    cut: boolean,
  ): BodyFraming;
  /** Bytes of the current message's body came, or are known to be missing. */
  body(direction: Direction, bytes: number, lost: boolean): void;
  /**
   * The current message is over. `whole`: its end was seen, or lies in a gap that was skipped by arithmetic;
   * `lastByteNs` is null when it was not seen itself. `endOffset` -1: unknown.
   */
  end(direction: Direction, whole: boolean, lastByteNs: number | null, endOffset: number): void;
  /** Something odd in the current message. */
  anomaly(direction: Direction, anomaly: Anomaly): void;
  /** True when what comes next in the direction answers a request of HTTP/0.9. */
  answersSimpleRequest(direction: Direction): boolean;
  /** Bytes up to `end` belong to no message known, so that messages may have been lost. */
  lost(direction: Direction, end: number, loss: Loss): void;
  /** The first bytes of the direction are no HTTP. */
  foreign(direction: Direction, bytes: Uint8Array, start: number, end: number): void;
}
