import type { Connection, Exchange, Message } from '../model/exchange.ts';
import { startNs } from '../model/phases.ts';
import type { ExchangeSink } from '../model/sink.ts';
import { FROM_CLIENT, FROM_SERVER } from '../model/stream.ts';

/** A run of neighbouring exchanges of one connection that is extracted. */
export interface Span {
  /** Positions on the connection, first and last. */
  firstPosition: number;
  lastPosition: number;
  /** It begins with the connection: handshake and everything before the first request belong to it. */
  fromStart: boolean;
  /** Bytes by direction: `[low, high)`. */
  readonly low: [number, number];
  readonly high: [number, number];
  /** Capture time of its first and last byte; Infinity: up to the connection's end. */
  firstNs: number;
  lastNs: number;
  /** What came a few exchanges before it; null: nothing did, or it was taken in. */
  runUp: Span | null;
  /** Exchanges that began before this time are its run-up: they need not come out the same. */
  comparedFromNs: number;
}

/** What is extracted of one connection. */
export interface ConnectionPlan {
  readonly id: number;
  /** Both ends, in an order that does not depend on who is the client. */
  readonly ends: string;
  /** All of it. */
  whole: boolean;
  readonly spans: Span[];
}

export interface SurveyOptions {
  /** Exchanges that were asked for. */
  readonly isChosen: (exchange: Exchange) => boolean;
  /** Called for each of them. */
  readonly onChosen: (exchange: Exchange) => void;
  /** Take whole connections. */
  readonly wholeConnections: boolean;
  /** Take what lies between two chosen exchanges of a connection too. */
  readonly between: boolean;
}

/** Exchanges that were under way together; sequential ones are batches of one. */
interface Batch {
  readonly span: Span;
  chosen: boolean;
  dependent: boolean;
}

interface Running {
  plan: ConnectionPlan | null;
  batch: Batch | null;
  /** The batches before it, oldest first. */
  readonly recent: Span[];
  /** End of what came before the batch, by direction; -1: unknown. */
  readonly before: [number, number];
  /** The batch before was chosen. */
  follows: boolean;
}

/**
 * Batches of a run-up. A connection that begins in mid-stream is looked at more carefully during its first packets:
 * these many have more than that.
 */
const RUN_UP_BATCHES = 6;

/**
 * The first reading: learns which bytes of which connections belong to the exchanges asked for.
 *
 * Exchanges that were under way together (pipelined) share segments, and which answer belongs to which request is
 * known only by counting: they are taken together. An exchange whose verdict came out of what is missing around it
 * takes its whole connection along.
 */
export class Survey implements ExchangeSink {
  readonly plans = new Map<number, ConnectionPlan>();
  /** Exchanges chosen, and the highest id seen. */
  chosen = 0;
  lastId = 0;
  readonly #options: SurveyOptions;
  readonly #running = new Map<number, Running>();

  constructor(options: SurveyOptions) {
    this.#options = options;
  }

  exchange(exchange: Exchange): void {
    const { connection } = exchange;
    this.lastId = Math.max(this.lastId, exchange.id);
    let running = this.#running.get(connection.id);
    if (running === undefined) {
      running = { plan: null, batch: null, recent: [], before: [-1, -1], follows: false };
      this.#running.set(connection.id, running);
    }
    if (running.batch === null || !exchange.anomalies.includes('pipelined')) {
      this.#close(running, connection);
      running.batch = { span: spanOf(exchange, running.before), chosen: false, dependent: false };
    } else widen(running.batch.span, exchange);
    if (isDependent(exchange)) running.batch.dependent = true;
    if (!this.#options.isChosen(exchange)) return;
    running.batch.chosen = true;
    this.chosen += 1;
    this.#options.onChosen(exchange);
  }

  connection(connection: Connection): void {
    const running = this.#running.get(connection.id);
    if (running === undefined) return;
    this.#running.delete(connection.id);
    this.#close(running, connection);
  }

  drain(): null {
    return null;
  }

  async finish(): Promise<void> {}

  async abort(): Promise<void> {}

  /** The batch is over: what was chosen of it goes into the plan. */
  #close(running: Running, connection: Connection): void {
    const { batch } = running;
    if (batch === null) return;
    running.batch = null;
    batch.span.runUp = running.recent[0] ?? null;
    // Without its own run-up, or the whole past would be kept.
    running.recent.push({ ...batch.span, runUp: null });
    if (running.recent.length > RUN_UP_BATCHES) running.recent.shift();
    for (const direction of [FROM_CLIENT, FROM_SERVER]) {
      const end = batch.span.high[direction];
      running.before[direction] = Number.isFinite(end) ? Math.max(running.before[direction], end) : -1;
    }
    if (!batch.chosen) {
      running.follows = false;
      return;
    }
    running.plan ??= {
      id: connection.id,
      ends: [connection.client.text, connection.server.text].sort().join(' '),
      whole: this.#options.wholeConnections,
      spans: [],
    };
    const { plan } = running;
    if (batch.dependent) plan.whole = true;
    const last = plan.spans.at(-1);
    if (last !== undefined && (running.follows || this.#options.between)) join(last, batch.span);
    else plan.spans.push(copyOf(batch.span));
    running.follows = true;
    this.plans.set(connection.id, plan);
  }
}

/** The verdict came out of what is missing around the exchange. */
function isDependent({ request, ending, pairing }: Exchange): boolean {
  return pairing !== 'exact' || request === null || ending === 'lost-in-capture' || ending === 'evicted';
}

/**
 * Takes more of a connection whose exchanges did not come out the same: a run-up of a few exchanges, then all of it.
 */
export function takeMore(plan: ConnectionPlan): void {
  const [first] = plan.spans;
  const { runUp } = first;
  if (runUp === null || plan.spans.length > 1) {
    plan.whole = true;
    return;
  }
  first.runUp = null;
  first.comparedFromNs = first.firstNs;
  first.firstPosition = runUp.firstPosition;
  first.fromStart = runUp.fromStart;
  first.firstNs = runUp.firstNs;
  for (const direction of [FROM_CLIENT, FROM_SERVER]) first.low[direction] = runUp.low[direction];
}

/** True for an exchange that is taken only so that the ones after it come out the same. */
export function isRunUp({ whole, spans }: ConnectionPlan, exchange: Exchange): boolean {
  const start = startNs(exchange);
  return !whole && spans.some(({ firstNs, comparedFromNs }) => start >= firstNs && start < comparedFromNs);
}

function copyOf(span: Span): Span {
  return { ...span, low: [...span.low], high: [...span.high] };
}

function spanOf(exchange: Exchange, before: readonly [number, number]): Span {
  const fromStart = exchange.position === 1;
  const span: Span = {
    firstPosition: exchange.position,
    lastPosition: exchange.position,
    fromStart,
    low: [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY],
    high: [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY],
    firstNs: fromStart ? Number.NEGATIVE_INFINITY : startNs(exchange),
    lastNs: Number.NEGATIVE_INFINITY,
    runUp: null,
    comparedFromNs: Number.NEGATIVE_INFINITY,
  };
  widen(span, exchange);
  for (const direction of [FROM_CLIENT, FROM_SERVER]) {
    if (fromStart) span.low[direction] = Number.NEGATIVE_INFINITY;
    else if (before[direction] >= 0) span.low[direction] = before[direction];
  }
  return span;
}

/** Takes the exchange's bytes and times into the span. */
function widen(span: Span, exchange: Exchange): void {
  const { request, response, interim } = exchange;
  span.firstPosition = Math.min(span.firstPosition, exchange.position);
  span.lastPosition = Math.max(span.lastPosition, exchange.position);
  span.firstNs = Math.min(span.firstNs, startNs(exchange));
  for (const message of [request, response]) if (message !== null) widenBy(span, message);
  if (request === null) return;
  const answers = request.direction === FROM_CLIENT ? FROM_SERVER : FROM_CLIENT;
  for (const { startOffset } of interim) span.low[answers] = Math.min(span.low[answers], startOffset);
  if (response === null) {
    // Whatever came instead of the answer belongs to it.
    span.high[answers] = Number.POSITIVE_INFINITY;
    span.lastNs = Number.POSITIVE_INFINITY;
  }
}

function widenBy(span: Span, { direction, startOffset, endOffset, lastByteNs }: Message): void {
  const isOpen = endOffset < 0 || lastByteNs === null;
  span.low[direction] = Math.min(span.low[direction], startOffset);
  span.high[direction] = Math.max(span.high[direction], isOpen ? Number.POSITIVE_INFINITY : endOffset);
  span.lastNs = Math.max(span.lastNs, isOpen ? Number.POSITIVE_INFINITY : lastByteNs);
}

/** Lets `span` reach to the end of `next`. */
function join(span: Span, next: Span): void {
  span.lastPosition = Math.max(span.lastPosition, next.lastPosition);
  span.lastNs = Math.max(span.lastNs, next.lastNs);
  for (const direction of [FROM_CLIENT, FROM_SERVER]) {
    span.low[direction] = Math.min(span.low[direction], next.low[direction]);
    span.high[direction] = Math.max(span.high[direction], next.high[direction]);
  }
}
