import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { Checkpoints } from './checkpoints.ts';
import { openDatabase } from './database.ts';
import { readRows } from './row-reading.ts';
import { STORE_LIMITS } from './store-limits.ts';

const directory = mkdtempSync(path.join(tmpdir(), 'wirelens-checkpoints-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const MEMORY_BYTES = 128 * 1024 * 1024;
const ROWS = 30_000;

it('rows leave the memory for the file when they take a quarter of it, long before the log is full', async () => {
  const { database } = await openDatabase(directory, MEMORY_BYTES, () => {});
  const connection = await database.connect();
  const events: unknown[] = [];
  const checkpoints = new Checkpoints(connection, database, MEMORY_BYTES, (event) => events.push(event));
  const inMemory = async (): Promise<number> => {
    const { rows } = await readRows(
      connection,
      "SELECT sum(memory_usage_bytes) FROM duckdb_memory() WHERE tag = 'IN_MEMORY_TABLE'",
    );
    return Number(rows[0][0]);
  };
  let most = 0;
  let worked = 0;
  for (let commits = 0; commits < 40; commits += 1) {
    await connection.run(
      `INSERT INTO store.batch_ranges SELECT 'stream', i, i, i FROM range(${ROWS * commits}, ${ROWS * (commits + 1)}) t(i)`,
    );
    const before = await inMemory();
    const log = statSync(`${database.file}.wal`).size;
    expect(log).toBeLessThan(STORE_LIMITS.logBytes);
    expect(await checkpoints.after(ROWS)).toBeNull();
    most = Math.max(most, before);
    if ((await inMemory()) < before / 2) worked += 1;
  }
  // One commit may come on top of what is allowed.
  expect(most).toBeLessThan(MEMORY_BYTES * STORE_LIMITS.unwrittenShare + ROWS * 200);
  expect(worked).toBeGreaterThan(0);
  expect(worked).toBeLessThan(10);
  const { rows } = await readRows(connection, 'SELECT count(*), sum(first_number) FROM store.batch_ranges');
  expect(rows[0].map(Number)).toEqual([40 * ROWS, (40 * ROWS * (40 * ROWS - 1)) / 2]);
  expect(events).toEqual([]);
  database.release(connection);
  await database.close(0);
});
