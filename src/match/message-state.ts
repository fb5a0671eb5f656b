import type { Anomaly } from '../model/anomaly.ts';
import type {
  Ending,
  HeaderField,
  InterimResponse,
  Pairing,
  RequestMessage,
  ResponseMessage,
} from '../model/exchange.ts';
import type { ByteSightings, Direction, SightingLog } from '../model/stream.ts';
import { type FieldFacts, withAnomaly } from './http1/field-facts.ts';
import type { LineFacts } from './http1/line-facts.ts';
import type { Loss } from './loss.ts';
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
  /** Sequence number of the byte at offset 0 of its direction, as a signed 32-bit integer. */
  sequenceBase: number;
  /** What its segment acknowledges, as a signed 32-bit sequence number; of no meaning unless it `hasAcknowledged`. */
  acknowledged: number;
  hasAcknowledged: boolean;
}

/** A message while it is being received; afterwards it is handed out as it is, and not changed any more. */
abstract class MessageState {
  readonly line: LineFacts;
  readonly fields: FieldFacts;
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
  // Signed, so that they need no memory of their own; `sequence` and `acknowledges` give them out.
  readonly #sequenceBase: number;
  readonly #acknowledged: number;
  readonly #hasAcknowledged: boolean;
  /** Nothing more will be received of it. */
  done = false;
  /** Its end was seen, or lies in a gap that was skipped by arithmetic. */
  whole = false;
  /** Why it is not whole. */
  ending: Ending | null = null;
  /** When the places of the connection saw its first byte; null: there is one place, or it was found too late. */
  seen: ByteSightings | null = null;
  #log: SightingLog | null = null;

  constructor(
    direction: Direction,
    line: LineFacts,
    fields: FieldFacts,
    start: MessageStart,
    headEndOffset: number,
    cut: boolean,
  ) {
    this.line = line;
    this.fields = fields;
    this.direction = direction;
    this.firstByteNs = start.timeNs;
    this.packet = start.packet;
    this.capture = start.capture;
    this.anomalies = anomaliesOf(line, fields, cut);
    this.startOffset = start.offset;
    this.headEndOffset = headEndOffset;
    this.ackOffset = start.ackOffset;
    this.#sequenceBase = start.sequenceBase;
    this.#acknowledged = start.acknowledged;
    this.#hasAcknowledged = start.hasAcknowledged;
  }

  get version(): string {
    return this.line.version;
  }

  get sequence(): number {
    return (this.#sequenceBase + this.startOffset) >>> 0;
  }

  get acknowledges(): number {
    return this.#hasAcknowledged ? this.#acknowledged >>> 0 : -1;
  }

  get headerBytes(): number {
    return this.headEndOffset - this.startOffset;
  }

  get mediaType(): string | null {
    return this.fields.mediaType;
  }

  get headers(): readonly HeaderField[] {
    return this.fields.kept;
  }

  /** Begins to note where its first byte is seen. */
  watchIn(log: SightingLog): void {
    this.#log = log;
    this.seen = log.watch(this.direction, this.startOffset, this.firstByteNs);
  }

  /** Ends it; what was noted stays. */
  unwatch(): void {
    if (this.seen !== null) this.#log?.unwatch(this.seen);
    this.#log = null;
  }

  note(anomaly: Anomaly): void {
    this.anomalies = withAnomaly(this.anomalies, anomaly);
  }
}

/** `cut`: a part of the head is missing, and fields with it. */
function anomaliesOf(line: LineFacts, fields: FieldFacts, cut: boolean): readonly Anomaly[] {
  let { anomalies } = line;
  if (fields.anomalies.length > 0) {
    anomalies = anomalies.length === 0 ? fields.anomalies : [...new Set([...anomalies, ...fields.anomalies])];
  }
  const needsHost = !cut && !line.isResponse && fields.host === null && line.version === '1.1';
  return needsHost ? withAnomaly(anomalies, 'missing-host') : anomalies;
}

export class RequestState extends MessageState implements RequestMessage {
  position = 0;
  response: ResponseState | null = null;
  interim: readonly InterimResponse[] = NO_INTERIM;
  pairing: Pairing = 'exact';
  /** Bytes that may have held requests are missing right before this one; null: none are. */
  gapBefore: Loss | null = null;
  /** Those requests, if there were any, may all have been answered before this one was sent. */
  gapAnswered = false;
  /** TCP's counters when the request began, to tell what happened since. */
  counters: TcpCounters | null = null;

  get method(): string {
    return this.line.method;
  }

  get target(): string {
    return this.line.target;
  }

  get host(): string | null {
    return this.fields.host;
  }

  get userAgent(): string | null {
    return this.fields.userAgent;
  }

  /** Keeps the interim response; false when `limit` of them are kept already. */
  addInterim(interim: InterimResponse, limit: number): boolean {
    if (this.interim.length >= limit) return false;
    if (this.interim === NO_INTERIM) this.interim = [interim];
    else (this.interim as InterimResponse[]).push(interim);
    return true;
  }
}

export class ResponseState extends MessageState implements ResponseMessage {
  request: RequestState | null = null;
  /** Waits for the order to become clear; not handed out yet. */
  held = false;
  position = 0;
  /** Only for one without a request. */
  pairing: Pairing = 'exact';

  get status(): number | null {
    return this.line.isSimple ? null : this.line.status;
  }

  get reason(): string {
    return this.line.reason;
  }
}
