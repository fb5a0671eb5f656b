import type { Anomaly } from '../../model/anomaly.ts';
import type { Ledger } from '../../model/ledger.ts';
import type { Direction, SegmentFacts } from '../../model/stream.ts';
import type { MessageStart } from '../message-state.ts';
import type { BodyFraming } from './body-framing.ts';
import type { HeadRecall } from './head-recall.ts';
import type { MessageHandler } from './message-handler.ts';
import { isExpected, START, type Start } from './start-line.ts';

/** The message at which a direction is: its handler hears of it from its head to its end. */
export class CurrentMessage {
  readonly #direction: Direction;
  readonly #handler: MessageHandler;
  readonly #ledger: Ledger;
  /** A message has begun and not ended. */
  isOpen = false;
  /** True once a message was found in the direction. */
  found = false;
  /** Messages of the direction are responses or requests, as far as is known. */
  kind: Start = START.no;
  /** Empty lines stand before the next message. */
  isAfterEmptyLine = false;
  /** When the last byte came that may belong to the message, where its end is not known. */
  limboNs = 0;
  readonly #start: MessageStart = {
    timeNs: 0,
    packet: 0,
    capture: 0,
    offset: 0,
    ackOffset: -1,
    sequenceBase: 0,
    acknowledged: 0,
    hasAcknowledged: false,
  };

  constructor(direction: Direction, handler: MessageHandler, ledger: Ledger) {
    this.#direction = direction;
    this.#handler = handler;
    this.#ledger = ledger;
  }

  /** Place in the direction of what was noted last as a start. */
  get startOffset(): number {
    return this.#start.offset;
  }

  /** True when what was judged a start line may be that of the direction's next message. */
  expects(judged: Start): boolean {
    return isExpected(judged, this.kind);
  }

  /** At `offset`, in `segment`, stands what may be the start of a message. */
  noteStart(offset: number, segment: SegmentFacts): void {
    const start = this.#start;
    start.timeNs = segment.timeNs;
    start.packet = segment.packet;
    start.capture = segment.capture;
    start.offset = offset;
    start.ackOffset = segment.ackOffset;
    start.sequenceBase = segment.sequenceBase;
    start.acknowledged = (segment.peerSequenceBase + segment.ackOffset) | 0;
    start.hasAcknowledged = segment.ackOffset >= 0;
  }

  /**
   * The message that was noted begins, with a head of `headBytes` that `read` has just read; `cut`: some of them are
   * missing. One that is still open is over. Returns how the body is framed.
   */
  begin(read: HeadRecall, headBytes: number, headEndOffset: number, cut: boolean): BodyFraming {
    if (this.isOpen) this.end(false, this.limboNs, -1);
    this.#ledger.headBytes += headBytes;
    this.found = true;
    this.isOpen = true;
    const { line, section } = read;
    this.kind = line.isResponse ? START.response : START.request;
    const framing = this.#handler.head(this.#direction, line, section, this.#start, headEndOffset, cut);
    if (this.isAfterEmptyLine) {
      this.isAfterEmptyLine = false;
      this.note('leading-empty-lines');
    }
    return framing;
  }

  /** `count` bytes of its body came. */
  body(count: number): void {
    this.#ledger.bodyBytes += count;
    this.#handler.body(this.#direction, count, false);
  }

  /** `count` bytes of its body are missing. */
  missingBody(count: number): void {
    this.#handler.body(this.#direction, count, true);
  }

  note(anomaly: Anomaly): void {
    this.#handler.anomaly(this.#direction, anomaly);
  }

  /** It is over; see MessageHandler.end. */
  end(whole: boolean, lastByteNs: number | null, endOffset: number): void {
    this.isOpen = false;
    this.#handler.end(this.#direction, whole, lastByteNs, endOffset);
  }
}
