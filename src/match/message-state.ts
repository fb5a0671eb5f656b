import type { Anomaly } from '../model/anomaly.ts';
import type {
  Ending,
  HeaderField,
  InterimResponse,
  Pairing,
  RequestMessage,
  ResponseMessage,
} from '../model/exchange.ts';
import type { Direction } from '../model/stream.ts';
import { type HeadFacts, withAnomaly } from './http1/head-facts.ts';
import type { TcpCounters } from './tcp-counters.ts';

const NO_INTERIM: readonly InterimResponse[] = Object.freeze([]);

/** Where and when a message began; filled by the parser, reused. */
export interface MessageStart {
  timeNs: number;
  packet: number;
  capture: number;
  /** Place of the first byte in its direction. */
  offset: number;
  /** What its segment acknowledges in the opposite direction; negative: unknown. */
  ackOffset: number;
}

/** A message while it is being received; afterwards it is handed out as it is, and not changed any more. */
abstract class MessageState {
  readonly head: HeadFacts;
  readonly direction: Direction;
  readonly firstByteNs: number;
  lastByteNs: number | null = null;
  readonly packet: number;
  readonly capture: number;
  bodyBytes = 0;
  lostBytes = 0;
  anomalies: readonly Anomaly[];

  readonly startOffset: number;
  readonly headEndOffset: number;
  /** One past the last byte; -1 while it is being received or when the end is unknown. */
  endOffset = -1;
  readonly ackOffset: number;
  /** Nothing more will be received of it. */
  done = false;
  /** Its end was seen, or lies in a gap that was skipped by arithmetic. */
  whole = false;
  /** Why it is not whole. */
  ending: Ending | null = null;

  constructor(direction: Direction, head: HeadFacts, start: MessageStart, headEndOffset: number) {
    this.head = head;
    this.direction = direction;
    this.firstByteNs = start.timeNs;
    this.packet = start.packet;
    this.capture = start.capture;
    this.anomalies = anomaliesOf(head);
    this.startOffset = start.offset;
    this.headEndOffset = headEndOffset;
    this.ackOffset = start.ackOffset;
  }

  get version(): string {
    return this.head.version;
  }

  get headerBytes(): number {
    return this.headEndOffset - this.startOffset;
  }

  get mediaType(): string | null {
    return this.head.fields.mediaType;
  }

  get headers(): readonly HeaderField[] {
    return this.head.fields.kept;
  }

  note(anomaly: Anomaly): void {
    this.anomalies = withAnomaly(this.anomalies, anomaly);
  }
}

function anomaliesOf(head: HeadFacts): readonly Anomaly[] {
  const { fields } = head;
  if (fields.anomalies.length === 0) return head.anomalies;
  return head.anomalies.length === 0 ? fields.anomalies : [...new Set([...head.anomalies, ...fields.anomalies])];
}

export class RequestState extends MessageState implements RequestMessage {
  position = 0;
  response: ResponseState | null = null;
  interim: readonly InterimResponse[] = NO_INTERIM;
  pairing: Pairing = 'exact';
  /** Bytes that may have held requests are missing right before this one. */
  gapBefore = false;
  /** TCP's counters when the request began, to tell what happened since. */
  counters: TcpCounters | null = null;

  get method(): string {
    return this.head.method;
  }

  get target(): string {
    return this.head.shownTarget;
  }

  get host(): string | null {
    return this.head.fields.host;
  }

  get userAgent(): string | null {
    return this.head.fields.userAgent;
  }

  addInterim(interim: InterimResponse): void {
    this.interim = [...this.interim, interim];
  }
}

export class ResponseState extends MessageState implements ResponseMessage {
  request: RequestState | null = null;
  /** Waits for the order to become clear; not handed out yet. */
  held = false;
  position = 0;
  /** Only for one without a request. */
  pairing: Pairing = 'exact';

  get status(): number {
    return this.head.status;
  }

  get reason(): string {
    return this.head.reason;
  }
}
