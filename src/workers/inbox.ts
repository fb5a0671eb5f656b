import type { Connection, Exchange, Sighting } from '../model/exchange.ts';
import type { ExchangeBatch } from './packed-batch.ts';

/** Numbers of interfaces here for those of the worker. */
export type InterfaceNumbers = (number: number) => number;

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

/**
 * Makes one run of what the workers send: exchanges and connections get numbers that are unique here, in the order in
 * which they come, and a connection is one object for all its exchanges, whatever batches they came in.
 */
export class Inbox {
  #exchanges = 0;
  #connections = 0;
  /** Of each worker, by its number of the connection. Gone when the connection has ended. */
  readonly #open: Map<number, Connection>[] = [];

  /** Changes the batch, which belongs to the inbox from now on. */
  take(worker: number, batch: ExchangeBatch, interfaceNumber: InterfaceNumbers): ExchangeBatch {
    this.#open[worker] ??= new Map();
    const open = this.#open[worker];
    // The worker's numbers, for those of the objects are changed below.
    const ended = batch.connections.map(({ id }) => id);
    const known = new Map<Connection, Connection>();
    const here = (sent: Connection): Connection => {
      const connection = known.get(sent) ?? this.#connection(open, sent, interfaceNumber);
      known.set(sent, connection);
      return connection;
    };
    for (const exchange of batch.exchanges as Writable<Exchange>[]) {
      this.#exchanges += 1;
      exchange.id = this.#exchanges;
      exchange.connection = here(exchange.connection);
    }
    const connections = batch.connections.map(here);
    for (const id of ended) open.delete(id);
    return { exchanges: batch.exchanges, connections };
  }

  #connection(
    open: Map<number, Connection>,
    sent: Connection,
    interfaceNumber: InterfaceNumbers,
  ): Connection {
    for (const one of [sent, ...sent.sightings] as Writable<Connection | Sighting>[])
      one.interfaceNumber = interfaceNumber(one.interfaceNumber);
    const known = open.get(sent.id);
    if (known !== undefined) return Object.assign(known, sent, { id: known.id });
    open.set(sent.id, sent);
    this.#connections += 1;
    return Object.assign(sent, { id: this.#connections });
  }
}
