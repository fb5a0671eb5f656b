import type { Connection, Exchange } from './exchange.ts';
import type { Ledger } from './ledger.ts';
import type { CaptureFacts, RunClock } from './packet.ts';

/** What a whole run knows when it ends. */
export interface RunRecord {
  clock: RunClock;
  captures: readonly CaptureFacts[];
  ledger: Ledger;
}

/**
 * Lets `work` feed the sinks: they are begun before it, and finished after it, or aborted when anything throws. Rejects as
 * `work` and the sinks do.
 */
export async function feedSinks(
  run: RunRecord,
  sinks: readonly ExchangeSink[],
  work: () => Promise<void>,
): Promise<RunRecord> {
  try {
    for (const sink of sinks) sink.begin?.(run);
    await work();
    for (const sink of sinks) await sink.finish(run);
    return run;
  } catch (error) {
    for (const sink of sinks) await sink.abort();
    throw error;
  }
}

/**
 * Where exchanges go. Calls come in the order of the capture and must not throw for bad data.
 * `exchange` and `connection` are synchronous; a sink that cannot keep up says so in `drain`.
 */
export interface ExchangeSink {
  /** Before the first exchange: the run's record, which fills while packets come and is true between blocks of packets. */
  begin?(run: RunRecord): void;
  exchange(exchange: Exchange): void;
  /** A connection came to its end; its totals are final. After its last exchange. */
  connection(connection: Connection): void;
  /** Resolves when the sink can take more. null: it can now. Asked for between blocks of packets. */
  drain(): Promise<void> | null;
  /** The run ended; everything must be durable when this resolves. */
  finish(run: RunRecord): Promise<void>;
  /** The run failed; leave nothing half-written behind. */
  abort(): Promise<void>;
}
