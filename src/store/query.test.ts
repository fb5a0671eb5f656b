import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { temporaryDirectory } from '../../test/store/temporary-directory.ts';
import { describeError, UserError } from '../model/errors.ts';
import { Ledger } from '../model/ledger.ts';
import { LARGEST_DATABASE_BYTES, runSql, type SqlValue } from './query.ts';
import { createSqliteSink } from './sqlite-sink.ts';

const directory = temporaryDirectory();
const path = join(directory, 'q.sqlite');
const clock = { epochSeconds: 0 };

beforeAll(async () => {
  const sink = await createSqliteSink({
    path,
    force: false,
    limits: { sqliteFileBytes: 1e9 },
    clock,
    version: 'test',
  });
  await sink.finish({ clock, captures: [], ledger: new Ledger() });
});

async function rows(sql: string, limit?: number): Promise<SqlValue[][]> {
  const result = await runSql(path, sql, limit === undefined ? {} : { limit });
  return [...result.rows];
}
async function failure(attempt: () => Promise<unknown>): Promise<UserError> {
  try {
    await attempt();
  } catch (error) {
    expect(error).toBeInstanceOf(UserError);
    return error as UserError;
  }
  throw new Error('it did not fail');
}

describe('runSql', () => {
  it('keeps types: NULL, empty, blobs, big integers, NUL bytes', async () => {
    const sql = `SELECT NULL, '', x'', x'00ff10', 9007199254740991, 9007199254740993, -9223372036854775808,
      9223372036854775807, 0.5, 1e300, CAST('a' || char(0) || 'b€😀' AS TEXT)`;
    expect(await rows(sql)).toEqual([
      [
        null, '', new Uint8Array(0), new Uint8Array([0, 255, 16]), 9007199254740991, 9007199254740993n, -9223372036854775808n,
        9223372036854775807n, 0.5, 1e300, 'a\0b€😀',
      ],
    ]); // biome-ignore format: a record
  });

  it('gives column names, also equal ones, and stops at the limit', async () => {
    const sql =
      'WITH n(a) AS (VALUES (1) UNION ALL SELECT a + 1 FROM n) SELECT a, a AS "x y" FROM n; -- the end';
    const result = await runSql(path, sql, { limit: 3 });
    expect(result.columns).toEqual(['a', 'x y']);
    expect([...result.rows]).toEqual([[1, 1], [2, 2], [3, 3]]); // biome-ignore format: rows
    expect(result.more()).toBe(true);
    const all = await runSql(path, 'SELECT 1 AS a, 2 AS a', { limit: 1 });
    expect([...all.rows]).toEqual([[1, 2]]);
    expect(all.columns).toEqual(['a', 'a']);
    expect(all.more()).toBe(false);
    all.close();
  });

  it.each([
    ['SELEC 1', 'sql', 'syntax error'],
    ['SELECT * FROM absent', 'sql', 'no such table: absent'],
    ['SELECT absent FROM meta', 'sql', 'no such column: absent'],
    ['SELECT 1; SELECT 2', 'several-statements', 'more than one statement'],
    ['SELECT 1; nonsense', 'sql', 'syntax error'],
    ['', 'no-statement', 'empty'],
    [' -- only a comment', 'no-statement', 'empty'],
    ['DELETE FROM meta', 'no-rows-statement', 'no rows'],
    ['DELETE FROM meta RETURNING name', 'sql', 'readonly'],
    ["SELECT json('{')", 'sql', 'malformed JSON'],
    ["SELECT 'open", 'sql', 'unrecognized token'],
  ])('%s is refused', async (sql, code, words) => {
    const before = createHash('sha256').update(readFileSync(path)).digest('hex');
    const error = await failure(() => rows(sql));
    expect(error.code).toBe(code);
    expect(describeError(error)).toContain(words);
    expect(createHash('sha256').update(readFileSync(path)).digest('hex')).toBe(before);
  });

  it('says what is wrong with a file', async () => {
    const other = join(directory, 'other');
    const refused = async (): Promise<string> =>
      (await failure(async () => [...(await runSql(other, 'SELECT * FROM meta')).rows])).code;
    expect(await refused()).toBe('cannot-read');
    writeFileSync(other, '');
    expect(await refused()).toBe('not-a-database');
    writeFileSync(other, 'SQLite format 3');
    expect(await refused()).toBe('not-a-database');
    writeFileSync(other, readFileSync(path).subarray(0, 100));
    expect(await refused()).toBe('damaged-database');
    truncateSync(other, LARGEST_DATABASE_BYTES + 1);
    expect(await refused()).toBe('database-too-large');
    expect((await failure(() => runSql(directory, 'SELECT 1'))).message).toContain('directory');
  });

  it('reads a database in write-ahead mode, unless its log holds changes', async () => {
    const bytes = readFileSync(path);
    bytes[18] = 2;
    bytes[19] = 2;
    const ahead = join(directory, 'ahead.sqlite');
    writeFileSync(ahead, bytes);
    expect([...(await runSql(ahead, "SELECT value FROM meta WHERE name = 'part'")).rows]).toEqual([['1']]);
    writeFileSync(`${ahead}-wal`, 'changes');
    expect((await failure(() => runSql(ahead, 'SELECT 1'))).code).toBe('write-ahead-log');
    expect(readFileSync(ahead).equals(bytes)).toBe(true);
  });

  it('never breaks on damaged files', async () => {
    const whole = readFileSync(path);
    const damaged = join(directory, 'damaged.sqlite');
    const damage = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 200 });
    await fc.assert(
      fc.asyncProperty(damage, fc.nat(whole.length), async (changes, cut) => {
        const bytes = Buffer.from(whole.subarray(0, Math.max(cut, 16)));
        for (const [at, value] of changes) if (at >= 16 && at < bytes.length) bytes[at] = value;
        writeFileSync(damaged, bytes);
        try {
          for (const sql of [
            'SELECT * FROM ledger',
            'SELECT * FROM exchanges',
            'SELECT * FROM red_by_route',
          ]) {
            for (const row of (await runSql(damaged, sql)).rows) expect(row.length).toBeGreaterThan(0);
          }
        } catch (error) {
          expect(error).toBeInstanceOf(UserError);
        }
      }),
      { numRuns: 150 },
    );
    // The engine lives on.
    expect(await rows('SELECT 1')).toEqual([[1]]);
    expect(readdirSync(directory).filter((name) => name.startsWith('.'))).toEqual([]);
  });
});
