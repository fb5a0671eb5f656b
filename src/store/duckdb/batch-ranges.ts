import type { DuckDBConnection } from '@duckdb/node-api';
import type { KnownState } from './known-state.ts';
import { readRows } from './row-reading.ts';

/** Numbers `first` to `last`, both included, of a stream's batches, as a row tells that they are stored. */
export interface StoredRange {
  readonly stream: string;
  readonly first: number;
  readonly last: number;
  /** µs since 1970, by the server's clock: the stream whose last range has the least was silent longest. */
  readonly receivedUs: number;
}

const RANGES_PER_STATEMENT = 1000;

/**
 * Adds one row for each range, in the caller's transaction. By statements: with an appender, numbers of a commit that
 * went straight into the file were missing after a kill -9 (DuckDB 1.5.5, scripts/checks/store-kill.mjs).
 */
export async function insertRanges(
  connection: DuckDBConnection,
  ranges: readonly StoredRange[],
): Promise<void> {
  for (let at = 0; at < ranges.length; at += RANGES_PER_STATEMENT) {
    const some = ranges.slice(at, at + RANGES_PER_STATEMENT);
    const values = some.map(({ first, last, receivedUs }) => `(?, ${first}, ${last}, ${receivedUs})`);
    await connection.run(
      `INSERT INTO store.batch_ranges VALUES ${values.join(', ')}`,
      some.map(({ stream }) => stream),
    );
  }
}

/** Rows with ranges, beyond which they are written anew if that makes them half as many. */
const RANGES_BEFORE_REWRITE = 10_000;

/**
 * Writes the numbers of batches, a row for each batch, as few ranges, all with the time of their stream's last batch. On
 * the connection that writes, while no transaction is open on it.
 */
export async function rewriteRanges(connection: DuckDBConnection, state: KnownState): Promise<void> {
  if (state.storedRanges < RANGES_BEFORE_REWRITE) return;
  let count = 0;
  for (const numbers of state.streams.values()) count += numbers.ranges;
  if (count * 2 > state.storedRanges) return;
  const times = await readRows(
    connection,
    'SELECT stream, max(received_us) FROM store.batch_ranges GROUP BY stream',
  );
  const receivedUs = new Map(times.rows.map(([stream, us]) => [stream, Number(us)]));
  const ranges: StoredRange[] = [];
  for (const [stream, numbers] of state.streams)
    for (const [first, last] of numbers)
      ranges.push({ stream, first, last, receivedUs: receivedUs.get(stream) ?? 0 });
  await connection.run('BEGIN');
  try {
    await connection.run('DELETE FROM store.batch_ranges');
    await insertRanges(connection, ranges);
    await connection.run('COMMIT');
    state.storedRanges = ranges.length;
  } catch (error) {
    await connection.run('ROLLBACK').catch(() => {});
    throw error;
  }
}
