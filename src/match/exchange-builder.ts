import type { Anomaly } from '../model/anomaly.ts';
import {
  type Connection,
  type Ending,
  type Exchange,
  type Outcome,
  type Pairing,
  QUIET_TCP,
} from '../model/exchange.ts';
import type { Ledger } from '../model/ledger.ts';
import type { DropWindows } from './drop-windows.ts';
import { withAnomaly } from './http1/field-facts.ts';
import { sightingsOf } from './message-sightings.ts';
import type { RequestState, ResponseState } from './message-state.ts';
import { type Ends, tcpSince } from './tcp-counters.ts';

const NO_ANOMALIES: readonly Anomaly[] = Object.freeze([]);
/** How long before a connection's first packet a request may have been dropped whose answer that packet brings. */
const LONGEST_UNSEEN_NS = 60e9;
const NO_INTERIM = Object.freeze([]) as readonly [];

/** Makes exchanges out of messages, numbers them, and keeps the ledger's account of messages. */
export class ExchangeBuilder {
  readonly #ledger: Ledger;
  readonly #emit: (exchange: Exchange) => void;
  readonly #drops: DropWindows | null;

  /** `drops`: when packets were dropped while capturing; null: nothing is known of that. */
  constructor(ledger: Ledger, emit: (exchange: Exchange) => void, drops: DropWindows | null = null) {
    this.#ledger = ledger;
    this.#emit = emit;
    this.#drops = drops;
  }

  pair(connection: Connection, ends: Ends, request: RequestState, response: ResponseState): void {
    this.#ledger.paired += 1;
    const whole = response.whole && (request.whole || isRefused(request));
    this.#out({
      id: this.#nextId(connection),
      connection,
      client: ends.asker.endpoint,
      server: ends.answerer.endpoint,
      position: request.position,
      request,
      response,
      interim: request.interim,
      pairing: request.pairing,
      outcome: whole ? 'complete' : 'truncated',
      ending: whole ? null : (response.ending ?? request.ending),
      anomalies: this.#anomalies(connection, request.position, union(request.anomalies, response.anomalies)),
      tcp: tcpSince(request.counters, ends),
      sightings: sightingsOf(connection, request, response),
    });
  }

  unanswered(connection: Connection, ends: Ends, request: RequestState, ending: Ending): void {
    this.#ledger.unanswered += 1;
    this.#out({
      id: this.#nextId(connection),
      connection,
      client: ends.asker.endpoint,
      server: ends.answerer.endpoint,
      position: request.position,
      request,
      response: null,
      interim: request.interim,
      pairing: request.pairing,
      outcome: outcomeWithoutResponse(ending),
      ending,
      anomalies: this.#anomalies(connection, request.position, request.anomalies),
      tcp: tcpSince(request.counters, ends),
      sightings: sightingsOf(connection, request, null),
    });
  }

  orphan(connection: Connection, ends: Ends, response: ResponseState, pairing: Pairing): void {
    this.#ledger.orphans += 1;
    this.#out({
      id: this.#nextId(connection),
      connection,
      client: ends.asker.endpoint,
      server: ends.answerer.endpoint,
      position: response.position,
      request: null,
      response,
      interim: NO_INTERIM,
      pairing,
      outcome: 'orphan-response',
      ending: response.ending ?? 'lost-in-capture',
      anomalies: this.#anomalies(connection, response.position, response.anomalies),
      tcp: QUIET_TCP,
      sightings: sightingsOf(connection, null, response),
    });
  }

  #nextId(connection: Connection): number {
    connection.exchanges += 1;
    this.#ledger.exchanges += 1;
    return this.#ledger.exchanges;
  }

  #out(exchange: Exchange): void {
    const drops = this.#drops;
    const touched =
      drops !== null &&
      startNs(exchange) <= drops.latestNs &&
      drops.touched(startNs(exchange), endNs(exchange));
    if (!touched) this.#emit(exchange);
    else this.#emit({ ...exchange, anomalies: withAnomaly(exchange.anomalies, 'packets-dropped') });
  }

  /** Whether the opening is in the capture is known for sure only now, for its packets may come late. */
  #anomalies(connection: Connection, position: number, anomalies: readonly Anomaly[]): readonly Anomaly[] {
    return position === 1 && connection.opening === 'missed'
      ? withAnomaly(anomalies, 'mid-stream')
      : anomalies;
  }
}

/**
 * Of an orphan only the connection says since when its request may have been under way; where it is the first that is
 * seen of the connection, the request came before that.
 */
function startNs({ request, connection, position }: Exchange): number {
  if (request !== null) return request.firstByteNs;
  const isFirst = position === 1 && connection.opening === 'missed';
  return connection.firstNs - (isFirst ? LONGEST_UNSEEN_NS : 0);
}

/** What is not whole was under way until it was given up, which is now. */
function endNs({ outcome, request, response }: Exchange): number {
  const lastNs = outcome === 'complete' ? (response?.lastByteNs ?? null) : null;
  return lastNs === null ? Number.POSITIVE_INFINITY : Math.max(lastNs, request?.lastByteNs ?? lastNs);
}

/** A request that waited for 100 Continue and got a final answer instead has no body to send (RFC 9110 §10.1.1). */
function isRefused(request: RequestState): boolean {
  return request.bodyBytes === 0 && request.anomalies.includes('expect-continue');
}

function outcomeWithoutResponse(ending: Ending): Outcome {
  return ending === 'reset-by-client' || ending === 'reset-by-server' ? 'reset' : 'no-response';
}

function union(a: readonly Anomaly[], b: readonly Anomaly[]): readonly Anomaly[] {
  if (b.length === 0) return a.length === 0 ? NO_ANOMALIES : a;
  if (a.length === 0) return b;
  return [...new Set([...a, ...b])];
}
