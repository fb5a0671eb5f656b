import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seededRandom } from '../fixtures/build/transform.ts';
import { createJsonLinesSink } from '../src/export/json-lines-sink.ts';
import { UserError } from '../src/model/errors.ts';
import type { Exchange } from '../src/model/exchange.ts';
import { LIMITS } from '../src/model/limits.ts';
import { routeOf } from '../src/model/route.ts';
import { NO_STYLE } from '../src/report/style.ts';
import { createSummary } from '../src/report/summary.ts';
import { summaryText } from '../src/report/summary-text.ts';
import { Database } from '../src/store/database.ts';
import { loadEngine } from '../src/store/engine.ts';
import { readStoredExchanges } from '../src/store/exchange-reader.ts';
import { TABLES } from '../src/store/schema.ts';
import { VIEWS } from '../src/store/schema-views.ts';
import { isStoreFile } from '../src/store/sqlite-magic.ts';
import { createSqliteSink } from '../src/store/sqlite-sink.ts';
import { buildConnection, buildExchange, buildRequest, buildRun, textInMemory } from './build-exchange.ts';
import { fuzzRuns } from './pipeline-run.ts';

const directory = mkdtempSync(join(tmpdir(), 'wirelens-hostile-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
const good = join(directory, 'good.sqlite');
const bad = join(directory, 'bad.sqlite');

beforeAll(async () => {
  const run = buildRun();
  run.ledger.exchanges = 40;
  const sink = await createSqliteSink({
    path: good,
    force: false,
    limits: LIMITS,
    clock: run.clock,
    version: 'test',
  });
  const connections = [1, 2, 3, 4].map((id) =>
    buildConnection({ id, exchanges: 10, vlans: [7], tunnels: [{ kind: 'vxlan', id: 5 }] }),
  );
  for (let id = 1; id <= 40; id += 1) sink.exchange(sample(id, connections[id % 4]));
  for (const connection of connections) sink.connection(connection);
  await sink.finish(run);
});

function sample(id: number, connection: Exchange['connection']): Exchange {
  const headers = [{ name: 'accept', value: `*/${id}` }];
  return buildExchange({
    id,
    connection,
    position: id,
    request: buildRequest({ target: `/things/${id}`, headers, userAgent: 'agent', mediaType: 'a/b' }),
    interim: [{ status: 100, timeNs: 3_000_000, startOffset: 0, endOffset: 25 }],
    anomalies: ['trailers', 'obs-fold'],
    tcp: { requestRetransmissions: 1 },
  });
}

/** The good file with changes made by SQL. */
async function changed(...statements: string[]): Promise<string> {
  const database = new Database(await loadEngine(), readFileSync(good));
  for (const sql of statements) database.run(sql);
  writeFileSync(bad, database.export());
  database.close();
  return bad;
}

/** Reads the file into sinks that print; the number of exchanges, or what the user is told. */
async function attempt(path: string, where = false): Promise<number | UserError> {
  const clock = { epochSeconds: null };
  const output = textInMemory();
  const summary = createSummary({ limits: LIMITS, listed: 10, routeOf });
  let aborted = false;
  const watching = {
    exchange: () => {},
    connection: () => {},
    drain: () => null,
    finish: async () => {},
    abort: async () => {
      aborted = true;
    },
  };
  try {
    await readStoredExchanges(
      [path],
      (captures) => [createJsonLinesSink({ output, clock, captures, routeOf }), summary, watching],
      { clock, where: where ? { text: 'status > 0 AND host IS NOT NULL', parameters: [] } : null },
    );
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    expect(error.message).not.toBe('');
    expect(error.place.file).toBe(path);
    if (output.text() !== '') expect(aborted).toBe(true);
    return error;
  }
  summaryText(summary.report(), { width: 100, style: NO_STYLE, limit: 10 });
  const lines = output.text().split('\n').slice(0, -1);
  for (const line of lines) JSON.parse(line);
  return lines.length;
}

const NUMBERS = ['NULL', "'text'", "x'00ff'", '9e999', '-1', '0', '1.5', '9223372036854775807'];
const TEXTS = [
  'NULL', "''", "'text'", "x'00ff'", "'[[1,2]]'", "'[{}]'", "'[null]'", "'{'", `'{"a":-1}'`, "'[' || printf('%.*c', 50000, '[')",
]; // biome-ignore format: a list

const COLUMNS = TABLES.flatMap(({ name: table, columns }) =>
  columns.map(({ name, type }, place) => ({ table, name, type, place })),
);

describe('a SQLite file that is not as it should be', () => {
  it('the good one is read', async () => {
    expect(await attempt(good)).toBe(40);
    expect(await attempt(good, true)).toBe(40);
  });

  it.each(COLUMNS)(
    '$table: $name may hold anything',
    async ({ table, name, type, place }) => {
      const values = type === 'TEXT' ? TEXTS : NUMBERS;
      // A third of them, so that columns side by side try all; a longer search tries all everywhere.
      const chosen = fuzzRuns(1) > 1 ? values : values.filter((_, index) => (index + place) % 3 === 0);
      for (const [index, value] of chosen.entries()) {
        let path: string;
        try {
          path = await changed(`UPDATE OR REPLACE ${table} SET "${name}" = ${value} WHERE rowid % 3 = 1`);
        } catch {
          // A primary key takes whole numbers only.
          continue;
        }
        const result = await attempt(path, index % 2 === 1);
        if (typeof result === 'number') expect(result).toBeLessThanOrEqual(40);
      }
    },
    60_000,
  );

  it('another version says what to do', async () => {
    expect(await attempt(await changed('PRAGMA user_version = 1'))).toMatchObject({
      code: 'older-schema',
      message: 'written by an older wirelens: its schema has version 1, this one reads 4',
      hint: expect.stringContaining('analyse the capture again'),
    });
    expect(await attempt(await changed('PRAGMA user_version = 99'))).toMatchObject({
      code: 'newer-schema',
      hint: 'update wirelens',
    });
  });

  it('another program is told apart', async () => {
    expect(await attempt(await changed('PRAGMA application_id = 0'))).toMatchObject({
      code: 'foreign-database',
    });
    writeFileSync(bad, 'SQLite format 3\0and then nothing of the kind');
    expect(await attempt(bad)).toBeInstanceOf(UserError);
    writeFileSync(bad, readFileSync(good).subarray(0, 5000));
    expect(await attempt(bad)).toMatchObject({ code: 'damaged-database' });
    expect(await attempt(join(directory, 'nowhere.sqlite'))).toMatchObject({ code: 'cannot-read' });
  });

  it.each(TABLES.map(({ name }) => name))('without %s, or with a view in its place', async (name) => {
    const drop = [...VIEWS.map((view) => `DROP VIEW ${view.name}`), `ALTER TABLE ${name} RENAME TO hidden`];
    expect(await attempt(await changed(...drop))).toMatchObject({
      message: `the database is damaged: the table ${name} is missing`,
    });
    const endless = `WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n) SELECT id FROM n`;
    expect(await attempt(await changed(...drop, `CREATE VIEW ${name} AS ${endless}`))).toMatchObject({
      message: `the database is damaged: ${name} is not a plain table`,
    });
  });

  it('an endless view called exchanges is not used', async () => {
    const endless = 'WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id FROM n) SELECT id FROM n';
    const path = await changed('DROP VIEW exchanges', `CREATE VIEW exchanges AS ${endless}`);
    expect(await attempt(path, true)).toBe(40);
  });

  it('rows that contradict each other', async () => {
    expect(await attempt(await changed('DELETE FROM connections WHERE id = 2'))).toMatchObject({
      message: 'the database is damaged: connections has no row 2',
    });
    expect(await attempt(await changed('UPDATE connections SET exchanges = 2'))).toMatchObject({
      message: expect.stringContaining('has more exchanges than its row says'),
    });
    expect(await attempt(await changed("UPDATE anomalies SET code = '__proto__'"))).toBeInstanceOf(UserError);
    // Fewer rows than there were are a smaller run, not a damaged one.
    expect(await attempt(await changed('DELETE FROM exchange_rows WHERE id % 2'))).toBe(20);
  });

  it('damaged bytes anywhere end in an error or in exchanges', async () => {
    const bytes = readFileSync(good);
    const random = seededRandom(20_261_121);
    let failed = 0;
    const runs = fuzzRuns(100);
    for (let run = 0; run < runs; run += 1) {
      const copy = Buffer.from(bytes);
      const changes = 1 + Math.floor(random() * 40);
      // Half of the runs hit the pages' headers and cell pointers, where trees can be bent into circles.
      for (let change = 0; change < changes; change += 1) {
        const page = Math.floor(random() * (copy.length / 4096)) * 4096;
        const at = run % 2 === 0 ? page + Math.floor(random() * 24) : Math.floor(random() * copy.length);
        if (at >= 100) copy[at] = Math.floor(random() * 256);
      }
      writeFileSync(bad, copy);
      if ((await attempt(bad, run % 4 < 2)) instanceof UserError) failed += 1;
    }
    expect(failed).toBeGreaterThan(runs / 10);
  });
});

describe('isStoreFile', () => {
  it('goes by the first 16 bytes of regular files', () => {
    const other = join(directory, 'other.sqlite');
    expect(isStoreFile(good)).toBe(true);
    writeFileSync(other, 'SQLite format 3');
    expect(isStoreFile(other)).toBe(false);
    writeFileSync(other, Buffer.from('d4c3b2a1020004000000000000000000', 'hex'));
    expect(isStoreFile(other)).toBe(false);
    expect([directory, join(directory, 'none'), '/dev/null', '-'].map(isStoreFile)).toEqual([
      false,
      false,
      false,
      false,
    ]);
  });
});
