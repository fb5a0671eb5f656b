import { createHash } from 'node:crypto';
import type { Exchange } from '../model/exchange.ts';

/** What must be the same before and after, of one exchange. */
function essence(exchange: Exchange): string {
  const { connection, request, response } = exchange;
  const message = (one: Exchange['request'] | Exchange['response']): unknown =>
    one === null
      ? null
      : [one.version, one.firstByteNs, one.lastByteNs, one.headerBytes, one.bodyBytes, one.lostBytes];
  return JSON.stringify([
    connection.id,
    connection.client.port,
    connection.server.port,
    exchange.position,
    request?.method ?? null,
    message(request),
    response?.status ?? null,
    message(response),
    exchange.interim.map(({ status, timeNs }) => [status, timeNs]),
    exchange.pairing,
    exchange.outcome,
    exchange.ending,
    [...exchange.anomalies].sort(),
    exchange.tcp,
  ]);
}

/** Exchanges of a run, to be compared with those of another: how many, and a hash of what must not change. */
export class ExchangeDigest {
  count = 0;
  readonly #hashes: number[] = [];

  note(exchange: Exchange): void {
    this.count += 1;
    this.#hashes.push(createHash('sha256').update(essence(exchange)).digest().readUIntBE(0, 6));
  }

  /** How many exchanges differ from those of `other`, compared by number. */
  differences(other: ExchangeDigest): number {
    const longer = Math.max(this.#hashes.length, other.#hashes.length);
    let different = 0;
    for (let index = 0; index < longer; index += 1)
      if (this.#hashes[index] !== other.#hashes[index]) different += 1;
    return different;
  }
}
