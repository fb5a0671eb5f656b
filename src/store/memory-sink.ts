import type { Connection, Exchange } from '../model/exchange.ts';
import type { RunClock } from '../model/packet.ts';
import type { ExchangeSink, RunRecord } from '../model/sink.ts';
import { connectionRecord, exchangeRecord, type StoredRecord } from './exchange-record.ts';

/** A store that is nothing but arrays: for tests, and for programs that want the exchanges themselves. */
export interface MemorySink extends ExchangeSink {
  readonly exchanges: readonly Exchange[];
  readonly connections: readonly Connection[];
  /** null before `finish`. */
  readonly run: RunRecord | null;
  /** The exchanges as the view `exchanges` of the SQLite file shows them. */
  exchangeRecords(): StoredRecord[];
  /** The connections as the table `connections` shows them. */
  connectionRecords(): StoredRecord[];
}

/** Memory grows with the number of exchanges. `abort` empties it. */
export function createMemorySink(clock: RunClock): MemorySink {
  const exchanges: Exchange[] = [];
  const connections: Connection[] = [];
  let record: RunRecord | null = null;
  return {
    exchanges,
    connections,
    get run() {
      return record;
    },
    exchange(exchange) {
      exchanges.push(exchange);
    },
    connection(connection) {
      connections.push(connection);
    },
    drain: () => null,
    async finish(run) {
      record = run;
    },
    async abort() {
      exchanges.length = 0;
      connections.length = 0;
    },
    exchangeRecords: () => exchanges.map((one) => exchangeRecord(one, clock.epochSeconds ?? 0)),
    connectionRecords: () => connections.map((one) => connectionRecord(one, clock.epochSeconds ?? 0)),
  };
}
