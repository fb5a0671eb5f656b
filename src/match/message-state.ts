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
import type { Head } from './http1/head.ts';

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
  readonly direction: Direction;
  readonly version: string;
  readonly firstByteNs: number;
  lastByteNs: number | null = null;
  readonly packet: number;
  readonly capture: number;
  readonly headerBytes: number;
  bodyBytes = 0;
  lostBytes = 0;
  readonly mediaType: string | null;
  readonly headers: readonly HeaderField[];
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

  constructor(direction: Direction, head: Head, start: MessageStart, headEndOffset: number) {
    this.direction = direction;
    this.version = head.version;
    this.firstByteNs = start.timeNs;
    this.packet = start.packet;
    this.capture = start.capture;
    this.headerBytes = headEndOffset - start.offset;
    this.mediaType = head.mediaType;
    this.headers = head.fields;
    this.anomalies = head.anomalies;
    this.startOffset = start.offset;
    this.headEndOffset = headEndOffset;
    this.ackOffset = start.ackOffset;
  }

  note(anomaly: Anomaly): void {
    if (!this.anomalies.includes(anomaly)) this.anomalies = [...this.anomalies, anomaly];
  }
}

export class RequestState extends MessageState implements RequestMessage {
  readonly method: string;
  readonly target: string;
  readonly host: string | null;
  readonly userAgent: string | null;

  position = 0;
  response: ResponseState | null = null;
  interim: readonly InterimResponse[] = NO_INTERIM;
  pairing: Pairing = 'exact';
  /** Bytes that may have held requests are missing right before this one. */
  gapBefore = false;

  // TCP counters of the connection when the request began, to tell what happened since.
  retransmissions = 0;
  outOfOrder = 0;
  zeroWindows = 0;
  peerRetransmissions = 0;
  peerOutOfOrder = 0;
  peerZeroWindows = 0;

  constructor(direction: Direction, head: Head, target: string, start: MessageStart, headEndOffset: number) {
    super(direction, head, start, headEndOffset);
    this.method = head.method;
    this.target = target;
    this.host = head.host;
    this.userAgent = head.userAgent;
  }

  addInterim(interim: InterimResponse): void {
    this.interim = [...this.interim, interim];
  }
}

export class ResponseState extends MessageState implements ResponseMessage {
  readonly status: number;
  readonly reason: string;

  request: RequestState | null = null;
  /** Waits for the order to become clear; not handed out yet. */
  held = false;
  position = 0;
  /** Only for one without a request. */
  pairing: Pairing = 'exact';

  constructor(direction: Direction, head: Head, start: MessageStart, headEndOffset: number) {
    super(direction, head, start, headEndOffset);
    this.status = head.status;
    this.reason = head.reason;
  }
}
