import type { Connection, Exchange } from '../model/exchange.ts';
import type { CaptureFacts } from '../model/packet.ts';
import { totalNs } from '../model/phases.ts';
import type { ExchangeSink, RunRecord } from '../model/sink.ts';
import { BoundedTop } from './bounded-top.ts';
import { lastPacketNs } from './wall-clock.ts';
import { waitedNs } from './why.ts';

/** The time that a selection goes by: the total, or for a request without an answer the time it was seen waiting. */
function slownessNs(exchange: Exchange, captures: readonly CaptureFacts[]): number {
  return totalNs(exchange) ?? waitedNs(exchange, lastPacketNs(captures)) ?? 0;
}

/** Hands on exchanges that took at least `leastNs`. `captures` is filled while packets are read. */
export function atLeast(
  leastNs: number,
  captures: readonly CaptureFacts[],
  sink: ExchangeSink,
): ExchangeSink {
  return {
    ...passing(sink),
    exchange: (exchange) => {
      if (slownessNs(exchange, captures) >= leastNs) sink.exchange(exchange);
    },
  };
}

/** Hands on exchanges for which `holds` is true, and the connections that had one. */
export function matching(holds: (exchange: Exchange) => boolean, sink: ExchangeSink): ExchangeSink {
  const connections = new Set<number>();
  return {
    ...passing(sink),
    exchange: (exchange) => {
      if (!holds(exchange)) return;
      connections.add(exchange.connection.id);
      sink.exchange(exchange);
    },
    connection: (connection) => {
      if (connections.delete(connection.id)) sink.connection(connection);
    },
  };
}

/** Hands on the first `limit` exchanges; `onReached` is called once, with the last of them. */
export function firstOf(limit: number, sink: ExchangeSink, onReached: () => void): ExchangeSink {
  let count = 0;
  return {
    ...passing(sink),
    exchange: (exchange) => {
      if (count >= limit) return;
      count += 1;
      sink.exchange(exchange);
      if (count === limit) onReached();
    },
  };
}

/** Keeps the `limit` slowest exchanges and hands them on at the end of the run, slowest first. */
export function slowestOf(
  limit: number,
  captures: readonly CaptureFacts[],
  sink: ExchangeSink,
): ExchangeSink {
  const top = new BoundedTop<Exchange>(limit);
  return {
    ...passing(sink),
    exchange: (exchange) => top.offer(slownessNs(exchange, captures), exchange),
    finish: async (run) => {
      for (const exchange of top.sorted()) sink.exchange(exchange);
      await sink.finish(run);
    },
  };
}

function passing(sink: ExchangeSink): ExchangeSink {
  return {
    begin: (run: RunRecord) => sink.begin?.(run),
    exchange: (exchange: Exchange) => sink.exchange(exchange),
    connection: (connection: Connection) => sink.connection(connection),
    drain: () => sink.drain(),
    finish: (run: RunRecord) => sink.finish(run),
    abort: () => sink.abort(),
  };
}
