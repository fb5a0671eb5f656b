import type { DuckDBConnection } from '@duckdb/node-api';
import { AgentDirectory } from './agent-rows.ts';
import { FilledColumns } from './filled-columns.ts';
import { NumberRanges } from './number-ranges.ts';
import { readRows } from './row-reading.ts';
import type { StoreLog } from './store-event.ts';
import { STORE_LIMITS } from './store-limits.ts';

/** What is known of the stored rows without asking the database: read when it is opened, carried on with each commit. */
export interface KnownState {
  /** Of the last row; ids are never given twice, also when rows were deleted. */
  lastId: number;
  /** The server's clock as far as rows have it; it never goes back. */
  lastReceivedUs: number;
  /** Rows that are told as exchanges, and all rows. */
  exchanges: number;
  observations: number;
  /** Of `started_us`; may lie wider than the rows after deletions. */
  oldestUs: number | null;
  newestUs: number | null;
  readonly filled: FilledColumns;
  /** Whose rows are stored. */
  readonly agents: AgentDirectory;
  /** By name, in the order of their last batch: the first was silent longest. */
  readonly streams: Map<string, NumberRanges>;
  /** Rows of the table with ranges. */
  storedRanges: number;
}

export async function readKnownState(connection: DuckDBConnection, log: StoreLog): Promise<KnownState> {
  const { rows } = await readRows(
    connection,
    `SELECT greatest(coalesce(max(id), 0), (SELECT max(value) FROM store.meta WHERE name = 'last_id')), coalesce(max(received_us), 0),
       count(*) - count(of_id), count(*), min(started_us), max(started_us) FROM store.exchange_rows`,
  );
  const [lastId, lastReceivedUs, exchanges, observations, oldestUs, newestUs] = rows[0] as number[];
  const agents = new AgentDirectory(log);
  await agents.read(connection);
  const ranges = await readRows(
    connection,
    'SELECT stream, first_number, last_number FROM store.batch_ranges ORDER BY received_us, rowid',
  );
  const state: KnownState = {
    lastId,
    lastReceivedUs,
    exchanges,
    observations,
    oldestUs,
    newestUs,
    filled: await FilledColumns.read(connection),
    agents,
    streams: new Map(),
    storedRanges: ranges.rows.length,
  };
  for (const [stream, first, last] of ranges.rows)
    noteBatch(state, String(stream), Number(first), Number(last), log);
  return state;
}

/** The numbers are stored. Forgets the stream that was silent longest when there are too many. */
export function noteBatch(
  state: KnownState,
  stream: string,
  first: number,
  last: number,
  log: StoreLog,
): void {
  const { streams } = state;
  const ranges = streams.get(stream) ?? new NumberRanges();
  ranges.add(first, last);
  streams.delete(stream);
  streams.set(stream, ranges);
  if (streams.size <= STORE_LIMITS.streams) return;
  const [oldest] = streams.keys();
  streams.delete(oldest);
  log({
    level: 'warn',
    code: 'stream-forgotten',
    message: `more than ${STORE_LIMITS.streams} streams of batches: the one that was silent longest is forgotten`,
  });
}
