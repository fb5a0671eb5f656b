import type { Exchange } from '../model/exchange.ts';
import { totalNs } from '../model/phases.ts';
import { BoundedTop } from '../report/bounded-top.ts';
import { waitedNs } from '../report/why.ts';

/** Slowest exchanges kept beside the latest ones, so that "slowest" is true of the whole run. */
export const SLOWEST_ROWS = 1000;
/** Errors kept beside the latest exchanges: they are rare, and are what people look for later. */
export const ERROR_ROWS = 1000;

/** Rows at positions `begin` to `end - 1`. The position of a row does not change while it is kept. */
export interface RowList {
  readonly begin: number;
  readonly end: number;
  at(position: number): Exchange;
}

/** How long it took; for a request without an answer how long it was seen waiting; -1: not known. In ns. */
export function slownessNs(exchange: Exchange): number {
  return totalNs(exchange) ?? (exchange.response === null ? waitedNs(exchange, null) : null) ?? -1;
}

/** No answer, an answer that broke off, or a status of 400 and above. */
export function isError({ response, outcome }: Exchange): boolean {
  if (response === null || (response.status ?? 0) >= 400) return true;
  return outcome !== 'complete' && outcome !== 'orphan-response';
}

/** The last `limit` exchanges. */
export class Ring implements RowList {
  readonly #limit: number;
  #items: Exchange[] = [];
  #end = 0;

  constructor(limit: number) {
    this.#limit = Math.max(1, limit);
  }

  get begin(): number {
    return this.#end - this.#items.length;
  }

  get end(): number {
    return this.#end;
  }

  get isFull(): boolean {
    return this.#items.length === this.#limit;
  }

  at(position: number): Exchange {
    return this.#items[position % this.#limit];
  }

  push(exchange: Exchange): void {
    if (this.isFull) this.#items[this.#end % this.#limit] = exchange;
    else this.#items.push(exchange);
    this.#end += 1;
  }

  /** The same rows at the same positions. */
  copy(): Ring {
    const ring = new Ring(this.#limit);
    ring.#items = [...this.#items];
    ring.#end = this.#end;
    return ring;
  }
}

/** The exchanges that a watch can show: the latest, the slowest and the latest errors. Bounded. */
export class KeptExchanges {
  readonly #rows: number;
  readonly #slowest = new BoundedTop<Exchange>(SLOWEST_ROWS);
  readonly recent: Ring;
  readonly errors: Ring;

  constructor(rows: number, recent = new Ring(rows), errors = new Ring(ERROR_ROWS)) {
    this.#rows = rows;
    this.recent = recent;
    this.errors = errors;
  }

  /** Exchanges come in the order of their ids. */
  add(exchange: Exchange): void {
    this.recent.push(exchange);
    if (isError(exchange)) this.errors.push(exchange);
    this.#slowest.offer(slownessNs(exchange), exchange);
  }

  /** Everything that is kept, each exchange once, in the order of arrival. */
  all(): Exchange[] {
    const { recent, errors } = this;
    const older = new Map<number, Exchange>();
    const firstId = recent.begin < recent.end ? recent.at(recent.begin).id : Number.POSITIVE_INFINITY;
    const offer = (exchange: Exchange): void => {
      if (exchange.id < firstId) older.set(exchange.id, exchange);
    };
    this.#slowest.sorted().forEach(offer);
    for (let position = errors.begin; position < errors.end; position += 1) offer(errors.at(position));
    const list = [...older.values()].sort((a, b) => a.id - b.id);
    for (let position = recent.begin; position < recent.end; position += 1) list.push(recent.at(position));
    return list;
  }

  /** Those for which `holds` is true. */
  select(holds: (exchange: Exchange) => boolean): KeptExchanges {
    const selected = new KeptExchanges(this.#rows);
    for (const exchange of this.all()) if (holds(exchange)) selected.add(exchange);
    return selected;
  }

  copy(): KeptExchanges {
    const copy = new KeptExchanges(this.#rows, this.recent.copy(), this.errors.copy());
    for (const exchange of this.#slowest.sorted()) copy.#slowest.offer(slownessNs(exchange), exchange);
    return copy;
  }
}
