import type { Connection, Endpoint } from '../model/exchange.ts';
import { Ledger } from '../model/ledger.ts';
import type { Limits } from '../model/limits.ts';
import type { Direction, SegmentFacts, StreamConsumer } from '../model/stream.ts';
import { ExchangeBuilder } from './exchange-builder.ts';
import { HttpConnection, type HttpContext } from './http-connection.ts';
import type { BodyFraming } from './http1/body-framing.ts';
import type { FieldFacts } from './http1/field-facts.ts';
import { FieldMemo } from './http1/field-memo.ts';
import { HeadReader } from './http1/head-reader.ts';
import { LineCache } from './http1/line-cache.ts';
import type { LineFacts } from './http1/line-facts.ts';
import { Interner } from './interner.ts';
import type { MessageStart, RequestState, ResponseState } from './message-state.ts';

/** A request that was sent whole and has no answer yet. */
export interface WaitingRequest {
  readonly method: string;
  /** Secrets in its query masked unless asked otherwise. */
  readonly target: string;
  readonly host: string | null;
  readonly client: Endpoint;
  readonly server: Endpoint;
  /** Its first packet, and the capture that has it. */
  readonly packet: number;
  readonly capture: number;
  /** When its last byte was sent, ns since the run's epoch. */
  sinceNs: number;
}

interface Watched extends WaitingRequest {
  answered: boolean;
}

/** Requests watched at once; of further ones nothing is told while they wait. */
const MOST_WATCHED = 100_000;

/**
 * Knows which requests wait for an answer while packets are still coming; exchanges come out only when they end.
 * It reads every connection a second time, so it costs something, but nothing where it is not used.
 */
export class RequestWatch {
  readonly #context: HttpContext;
  /** In the order in which they began to wait. */
  readonly #waiting = new Set<Watched>();

  constructor(limits: Limits, reveal: boolean) {
    const ledger = new Ledger();
    this.#context = {
      limits,
      parsers: {
        ledger,
        reader: new HeadReader(new Interner(), reveal),
        lines: new LineCache(),
        memo: new FieldMemo(),
        headBytes: limits.headBytes,
      },
      exchanges: new ExchangeBuilder(ledger, () => {}),
    };
  }

  /** To be put between the bytes of a connection and their reader; see StreamTap. */
  readonly tap = (connection: Connection, consumer: StreamConsumer): StreamConsumer =>
    new Fork(consumer, new WatchedConnection(this.#context, { ...connection }, this.#waiting));

  /** Requests that have waited for `leastNs` at `nowNs`. Each is given once. */
  due(nowNs: number, leastNs: number): WaitingRequest[] {
    const due: WaitingRequest[] = [];
    for (const request of this.#waiting) {
      if (nowNs - request.sinceNs < leastNs) break;
      due.push(request);
      this.#waiting.delete(request);
    }
    return due;
  }
}

/** Does what HttpConnection does, into nowhere, and notes which requests have been answered. */
class WatchedConnection extends HttpConnection {
  /** Who sends in each direction. */
  readonly #ends: readonly [Endpoint, Endpoint];
  readonly #waiting: Set<Watched>;
  /** By direction and place of the request. */
  readonly #open = new Map<string, Watched>();
  /** The request that is being sent, by direction. */
  readonly #sending: (Watched | null)[] = [null, null];

  constructor(context: HttpContext, connection: Connection, waiting: Set<Watched>) {
    super(context, connection);
    this.#ends = [connection.client, connection.server];
    this.#waiting = waiting;
  }

  override head(
    direction: Direction,
    line: LineFacts,
    fields: FieldFacts,
    start: MessageStart,
    headEndOffset: number,
    cut: boolean,
  ): BodyFraming {
    const { offset, packet, capture, timeNs } = start;
    const framing = super.head(direction, line, fields, start, headEndOffset, cut);
    this.#sending[direction] = null;
    if (!line.isResponse && framing.kind !== 'switch') {
      const request: Watched = {
        method: line.method,
        target: line.target,
        host: fields.host,
        client: this.#ends[direction],
        server: this.#ends[1 - direction] as Endpoint,
        packet,
        capture,
        sinceNs: timeNs,
        answered: false,
      };
      this.#sending[direction] = request;
      this.#open.set(`${direction} ${offset}`, request);
    }
    return framing;
  }

  override end(direction: Direction, whole: boolean, lastByteNs: number | null, endOffset: number): void {
    const request = this.#sending[direction];
    this.#sending[direction] = null;
    if (request !== null && whole) {
      if (lastByteNs !== null) request.sinceNs = lastByteNs;
      if (this.#waiting.size < MOST_WATCHED && !request.answered) this.#waiting.add(request);
    }
    super.end(direction, whole, lastByteNs, endOffset);
  }

  override paired(
    request: RequestState,
    response: ResponseState,
    certainty: 'exact' | 'inferred' | 'ambiguous',
  ): void {
    this.#settled(request);
    super.paired(request, response, certainty);
  }

  override unanswered(request: RequestState, certainty: 'exact' | 'inferred' | 'ambiguous'): void {
    this.#settled(request);
    super.unanswered(request, certainty);
  }

  #settled({ direction, startOffset }: RequestState): void {
    const key = `${direction} ${startOffset}`;
    const request = this.#open.get(key);
    if (request === undefined) return;
    request.answered = true;
    this.#open.delete(key);
    this.#waiting.delete(request);
  }

  override finish(reason: 'closed' | 'evicted' | 'capture-ended'): void {
    super.finish(reason);
    for (const request of this.#open.values()) this.#waiting.delete(request);
    this.#open.clear();
  }
}

/** Hands everything to two consumers, first to the one that has a say. */
class Fork implements StreamConsumer {
  readonly #first: StreamConsumer;
  readonly #second: StreamConsumer;

  constructor(first: StreamConsumer, second: StreamConsumer) {
    this.#first = first;
    this.#second = second;
  }

  data(...given: Parameters<StreamConsumer['data']>): void {
    this.#first.data(...given);
    this.#second.data(...given);
  }

  gap(...given: Parameters<StreamConsumer['gap']>): void {
    this.#first.gap(...given);
    this.#second.gap(...given);
  }

  fin(direction: Direction, segment: SegmentFacts): void {
    this.#first.fin(direction, segment);
    this.#second.fin(direction, segment);
  }

  reset(by: Direction, segment: SegmentFacts): void {
    this.#first.reset(by, segment);
    this.#second.reset(by, segment);
  }

  anomaly(...given: Parameters<StreamConsumer['anomaly']>): void {
    this.#first.anomaly(...given);
    this.#second.anomaly(...given);
  }

  finish(reason: 'closed' | 'evicted' | 'capture-ended'): void {
    this.#first.finish(reason);
    this.#second.finish(reason);
  }
}
