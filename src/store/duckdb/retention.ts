import type { DuckDBConnection } from '@duckdb/node-api';
import { CATALOG, type Database, ROW_GROUP_ROWS } from './database.ts';
import type { KnownState } from './known-state.ts';
import { readRows } from './row-reading.ts';
import type { StoreLog } from './store-event.ts';

export interface RetentionOptions {
  /** Counted from when the server received an exchange; null: no limit. */
  readonly maxAgeSeconds: number | null;
  /** Of the database; null: no limit. */
  readonly maxBytes: number | null;
}

/** Deleted down to this part of the limit, so that it is not done again at once. */
const DOWN_TO = 0.9;
const ROUNDS = 20;

/**
 * Deletes what is too old or too much, oldest first by arrival (ids and `received_us` both grow), and gives the blocks
 * free. Gives the number of exchanges deleted. On the connection that writes, while no transaction is open on it.
 */
export async function expire(
  connection: DuckDBConnection,
  database: Database,
  state: KnownState,
  { maxAgeSeconds, maxBytes }: RetentionOptions,
  log: StoreLog,
): Promise<number> {
  let expired = 0;
  if (maxAgeSeconds !== null) {
    const before = Date.now() * 1000 - Math.round(maxAgeSeconds * 1e6);
    const { rows } = await readRows(
      connection,
      'SELECT max(id) FROM store.exchange_rows WHERE received_us < ?',
      [BigInt(before)],
    );
    const id = rows[0][0] as number | null;
    if (id !== null) expired += await deleteUpTo(connection, state, id);
    await connection.run('DELETE FROM store.agent_reports WHERE last_seen_us < ?', [BigInt(before)]);
  }
  if (expired > 0) await connection.run('CHECKPOINT').catch(() => {});
  if (maxBytes !== null && database.fileBytes() > maxBytes)
    expired += await shrink(connection, state, maxBytes);
  if (expired > 0) {
    log({
      level: 'info',
      code: 'expired',
      message: `${expired} exchanges were deleted because of age or size`,
      facts: { exchanges: expired },
    });
  }
  return expired;
}

async function shrink(connection: DuckDBConnection, state: KnownState, maxBytes: number): Promise<number> {
  let expired = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    await connection.run('CHECKPOINT').catch(() => {});
    const used = await usedBytes(connection);
    const target = maxBytes * DOWN_TO;
    if (used <= (round === 0 ? maxBytes : target) || state.observations === 0) break;
    const share = Math.min(1, (used - target) / used);
    const rows = Math.min(
      state.observations,
      Math.max(ROW_GROUP_ROWS, Math.ceil(state.observations * share)),
    );
    const first = await readRows(connection, 'SELECT min(id) FROM store.exchange_rows');
    const firstId = first.rows[0][0] as number | null;
    if (firstId === null) break;
    expired += await deleteUpTo(connection, state, firstId + rows - 1);
  }
  return expired;
}

/** Blocks that hold something, whatever the size of the file is: free ones are used again. */
export async function usedBytes(connection: DuckDBConnection): Promise<number> {
  const { rows } = await readRows(
    connection,
    `SELECT block_size * used_blocks FROM pragma_database_size() WHERE database_name = '${CATALOG}'`,
  );
  return Number(rows[0]?.[0] ?? 0);
}

/** Further observations go with their exchange. */
async function deleteUpTo(connection: DuckDBConnection, state: KnownState, id: number): Promise<number> {
  await connection.run('BEGIN');
  try {
    const counted = await readRows(
      connection,
      'SELECT count(*) - count(of_id), count(*) FROM store.exchange_rows WHERE id <= ? OR of_id <= ?',
      [BigInt(id), BigInt(id)],
    );
    const [exchanges, observations] = counted.rows[0] as number[];
    await connection.run('DELETE FROM store.exchange_rows WHERE id <= ? OR of_id <= ?', [
      BigInt(id),
      BigInt(id),
    ]);
    await connection.run("UPDATE store.meta SET value = ? WHERE name = 'last_id'", [BigInt(state.lastId)]);
    await connection.run('COMMIT');
    state.exchanges -= exchanges;
    state.observations -= observations;
    const left = await readRows(
      connection,
      'SELECT min(started_us), max(started_us) FROM store.exchange_rows',
    );
    [state.oldestUs, state.newestUs] = left.rows[0] as [number | null, number | null];
    await state.agents.read(connection);
    return exchanges;
  } catch (error) {
    await connection.run('ROLLBACK').catch(() => {});
    throw error;
  }
}
