import type { Connection, Exchange } from '../model/exchange.ts';
import type { ExchangeSink } from '../model/sink.ts';

/** An exchange that was asked for, and its neighbours on the connection. */
export interface Found {
  readonly exchange: Exchange;
  /** The exchange before and the one after it, by position; null: none. */
  before: Exchange | null;
  after: Exchange | null;
}

/** The first reading: finds exchanges and their neighbours. Keeps one exchange for each open connection. */
export class ExchangeFinder implements ExchangeSink {
  /** In the order in which they came. */
  readonly found: Found[] = [];
  /** Exchanges that were asked for beyond the limit. */
  left = 0;
  lastId = 0;
  readonly #isWanted: (exchange: Exchange) => boolean;
  readonly #limit: number;
  readonly #latest = new Map<number, Exchange>();
  readonly #foundOn = new Map<number, Found[]>();

  /** Keeps `limit` of the exchanges for which `isWanted` holds. */
  constructor(isWanted: (exchange: Exchange) => boolean, limit: number) {
    this.#isWanted = isWanted;
    this.#limit = limit;
  }

  exchange(exchange: Exchange): void {
    const { id } = exchange.connection;
    this.lastId = Math.max(this.lastId, exchange.id);
    const neighbours = this.#foundOn.get(id);
    if (neighbours !== undefined) for (const found of neighbours) neighbour(found, exchange);
    const latest = this.#latest.get(id);
    this.#latest.set(id, exchange);
    if (!this.#isWanted(exchange)) return;
    if (this.found.length >= this.#limit) {
      this.left += 1;
      return;
    }
    const found: Found = { exchange, before: null, after: null };
    if (latest !== undefined) neighbour(found, latest);
    this.found.push(found);
    if (neighbours === undefined) this.#foundOn.set(id, [found]);
    else neighbours.push(found);
  }

  connection(connection: Connection): void {
    this.#latest.delete(connection.id);
    this.#foundOn.delete(connection.id);
  }

  drain(): null {
    return null;
  }

  async finish(): Promise<void> {}

  async abort(): Promise<void> {}
}

/** Notes `other` if it is nearer than what is known. */
function neighbour(found: Found, other: Exchange): void {
  const { position } = found.exchange;
  if (other.position < position) {
    if (found.before === null || other.position > found.before.position) found.before = other;
  } else if (other.position > position && (found.after === null || other.position < found.after.position))
    found.after = other;
}
