import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, expect, it } from 'vitest';
import { batchOf, origin, row } from '../../../test/store/server-rows.ts';
import { DATABASE_NAME } from './database.ts';
import type { DuckDbStore } from './duckdb-store.ts';
import { openDuckDbStore } from './open.ts';

const root = mkdtempSync(path.join(tmpdir(), 'wirelens-ranges-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const directory = path.join(root, 'store');
const open = (): Promise<DuckDbStore> => openDuckDbStore({ directory, log: () => {} });
const one = batchOf([row()]);

/** Batch `n` of a stream came so many µs later. */
const RECEIVED_US = 1_700_000_000_000_000;

/** Leaves the numbers in the file as commits of one batch each do. */
async function storeNumbers(numbersOf: Readonly<Record<string, readonly number[]>>): Promise<void> {
  await (await open()).close();
  const instance = await DuckDBInstance.create(path.join(directory, DATABASE_NAME));
  const connection = await instance.connect();
  for (const [stream, numbers] of Object.entries(numbersOf))
    await connection.run(
      `INSERT INTO store.batch_ranges SELECT '${stream}', n, n, ${RECEIVED_US} + n FROM (SELECT unnest([${numbers.join()}]) AS n)`,
    );
  connection.closeSync();
  instance.closeSync();
}

/** The rows that the store keeps for the numbers of batches. */
async function rangesIn(store: DuckDbStore): Promise<readonly (readonly unknown[])[]> {
  const { rows } = await store.sql(
    'SELECT stream, first_number, last_number FROM batches ORDER BY stream, first_number',
    { rows: 20_000, milliseconds: 30_000 },
  );
  return rows;
}

it('numbers of batches that were written as few ranges are known as before, and no others', async () => {
  // 9,000 numbers without a gap; blocks of three with a gap behind each; one number alone.
  const whole = Array.from({ length: 9_000 }, (_, index) => index + 1);
  const blocks = Array.from({ length: 1_500 }, (_, block) => [0, 1, 2].map((at) => 100 + block * 10 + at));
  const stored = { whole, blocks: blocks.flat(), alone: [7] };
  await storeNumbers(stored);
  const first = await open();
  expect(await rangesIn(first)).toHaveLength(9_000 + 4_500 + 1);
  await first.tidy();
  const ranges = [
    ['alone', 7, 7],
    ...blocks.map(([from, , to]) => ['blocks', from, to]),
    ['whole', 1, 9_000],
  ];
  expect(await rangesIn(first)).toEqual(ranges);
  const { rows: times } = await first.sql(
    'SELECT stream, max(received_us) FROM batches GROUP BY 1 ORDER BY 1',
    {
      rows: 10,
      milliseconds: 30_000,
    },
  );
  expect(times).toEqual([
    ['alone', RECEIVED_US + 7],
    ['blocks', RECEIVED_US + 15_092],
    ['whole', RECEIVED_US + 9_000],
  ]);
  const sentAgain = async (store: DuckDbStore): Promise<void> => {
    for (const [stream, numbers] of Object.entries(stored)) {
      const some = numbers.filter((number, index) => index % 100 < 3 || number === numbers.at(-1));
      const answers = await Promise.all(
        some.map((number) => store.append(one, origin('a'), { stream, number })),
      );
      for (const answer of answers) expect(answer).toMatchObject({ stored: 0, repeated: true });
    }
  };
  await sentAgain(first);
  await first.close();

  const second = await open();
  expect(await rangesIn(second)).toEqual(ranges);
  await sentAgain(second);
  const gaps = blocks.slice(0, 100).map(([, , to]) => ({ stream: 'blocks', number: Number(to) + 1 }));
  const fresh = [...gaps, { stream: 'blocks', number: 99 }, { stream: 'whole', number: 9_001 }];
  fresh.push({ stream: 'alone', number: 6 }, { stream: 'alone', number: 8 }, { stream: 'other', number: 7 });
  const answers = await Promise.all(fresh.map((number) => second.append(one, origin('a'), number)));
  for (const answer of answers) expect(answer).toMatchObject({ stored: 1, repeated: false });
  expect(await second.facts()).toMatchObject({ exchanges: fresh.length });
  await second.close();
});
