import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { run as arbitraryRun } from '../../test/store/arbitrary-run.ts';
import { query } from '../../test/store/read-back.ts';
import { EPOCH_SECONDS } from '../../test/store/store.contract.ts';
import { temporaryDirectory } from '../../test/store/temporary-directory.ts';
import type { Exchange } from '../model/exchange.ts';
import { Ledger } from '../model/ledger.ts';
import { LIMITS } from '../model/limits.ts';
import { totalNs } from '../model/phases.ts';
import { routeOf } from '../model/route.ts';
import type { StoredRecord } from './exchange-record.ts';
import { INDEXES, TABLES } from './schema.ts';
import { schemaDocument } from './schema-doc.ts';
import { VIEWS } from './schema-views.ts';
import { createSqliteSink } from './sqlite-sink.ts';

const directory = temporaryDirectory();
const path = join(directory, 'views.sqlite');
const clock = { epochSeconds: EPOCH_SECONDS };
const exchanges = makeExchanges();

/** A few servers, hosts and routes; durations that repeat; some unanswered, some orphans. */
function makeExchanges(): Exchange[] {
  const both = arbitraryRun.filter((one) =>
    one.exchanges.some(({ request, response }) => request && response),
  );
  const [sample] = fc.sample(both, { numRuns: 1, seed: 3 });
  const model = sample.exchanges.find(({ request, response }) => request && response) as Exchange;
  let state = 12345;
  const random = (below: number): number => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const connections = [1, 2, 3].map((id) => ({
    ...model.connection,
    id,
    server: { address: `10.0.0.${id}`, port: 80 + (id % 2), text: `10.0.0.${id}:${80 + (id % 2)}` },
  }));
  return Array.from({ length: 3000 }, (_, index) => {
    const firstByteNs = random(1e9) * 100;
    const endNs = firstByteNs + random(500) * 1000;
    const kind = random(20);
    const target = random(3) === 0 ? `/users/${random(1000)}?p=1` : `/static/${['a', 'b'][random(2)]}.css`;
    const method = random(4) === 0 ? 'POST' : 'GET';
    const host = random(10) === 0 ? null : `h${random(3)}`;
    const request = { ...model.request!, method, target, host, firstByteNs, lastByteNs: firstByteNs };
    const connection = connections[random(3)];
    const reversed = random(50) === 0;
    const status = [200, 200, 200, 404, 500, 304][random(6)];
    const response = {
      ...model.response!,
      status,
      firstByteNs: endNs,
      lastByteNs: random(30) === 0 ? null : endNs,
    };
    return {
      ...model,
      id: index + 1,
      position: 1,
      connection,
      client: reversed ? connection.server : connection.client,
      server: reversed ? connection.client : connection.server,
      request: kind === 0 ? null : request,
      response: kind === 1 ? null : response,
      outcome: kind === 0 ? 'orphan-response' : kind === 1 ? 'no-response' : 'complete',
      anomalies: [],
    };
  });
}

beforeAll(async () => {
  const sink = await createSqliteSink({ path, force: false, limits: LIMITS, clock, version: 'test' });
  for (const exchange of exchanges) sink.exchange(exchange);
  await sink.finish({ clock, captures: [], ledger: new Ledger() });
});

/** RED the slow and obvious way. */
function red(keys: (exchange: Exchange) => StoredRecord): StoredRecord[] {
  const groups = new Map<string, Exchange[]>();
  for (const exchange of exchanges) {
    if (exchange.request === null) continue;
    const key = JSON.stringify(keys(exchange));
    groups.set(key, [...(groups.get(key) ?? []), exchange]);
  }
  return [...groups].map(([key, members]) => {
    const times = members
      .map(totalNs)
      .filter((one) => one !== null)
      .sort((left, right) => left - right);
    const percentile = (percent: number): number =>
      times[Math.ceil((percent * times.length) / 100) - 1] / 1e6;
    const having = (low: number, high: number): number =>
      members.filter(
        ({ response }) =>
          response !== null && (response.status ?? 0) >= low && (response.status ?? 0) <= high,
      ).length;
    return {
      ...JSON.parse(key),
      requests: members.length,
      client_errors: having(400, 499),
      server_errors: having(500, 599),
      unanswered: members.filter(({ response }) => response === null).length,
      p50_ms: percentile(50),
      p90_ms: percentile(90),
      p99_ms: percentile(99),
      max_ms: times[times.length - 1] / 1e6,
    };
  });
}

const sorted = (rows: StoredRecord[]): string[] =>
  rows.map((row) => JSON.stringify(Object.entries(row).sort())).sort();
const RED = 'requests, client_errors, server_errors, unanswered, p50_ms, p90_ms, p99_ms, max_ms';

describe('views', () => {
  it('red_by_server agrees with a count by hand', async () => {
    const rows = await query(path, `SELECT server, server_port, ${RED} FROM red_by_server`);
    const expected = red(({ server }) => ({
      server: server.address,
      server_port: server.port,
    }));
    expect(expected).toHaveLength(4);
    expect(sorted(rows)).toEqual(sorted(expected));
  });

  it('red_by_route agrees with a count by hand, missing hosts included', async () => {
    const rows = await query(path, `SELECT method, host, route, ${RED} FROM red_by_route`);
    const expected = red(({ request }) => ({
      method: request!.method,
      host: request!.host,
      route: routeOf(request!.target),
    }));
    expect(expected).toHaveLength(24);
    expect(sorted(rows)).toEqual(sorted(expected));
  });

  it('rates of groups are over the same time, and add up', async () => {
    const begun = exchanges
      .filter(({ request }) => request !== null)
      .map(({ request }) => Math.floor((request?.firstByteNs ?? 0) / 1000));
    const spanS = (Math.max(...begun) - Math.min(...begun)) / 1e6;
    for (const view of ['red_by_server', 'red_by_route']) {
      const [{ rate }] = await query(path, `SELECT sum(requests_per_s) AS rate FROM ${view}`);
      expect(rate, view).toBeCloseTo(begun.length / spanS, 6);
    }
  });

  it('slowest comes longest first, unanswered in the order of time', async () => {
    const slowest = await query(path, 'SELECT id, total_ms FROM slowest');
    const expected = exchanges
      .map((one) => ({ id: one.id, total: totalNs(one) }))
      .filter((one) => one.total !== null)
      .sort((left, right) => right.total! - left.total! || left.id - right.id)
      .slice(0, 1000)
      .map(({ id, total }) => ({ id, total_ms: total! / 1e6 }));
    expect(slowest).toEqual(expected);
    const unanswered = await query(path, 'SELECT id, started_us FROM unanswered');
    const without = exchanges.filter(({ response }) => response === null);
    expect(unanswered.map(({ id }) => id).sort()).toEqual(without.map(({ id }) => id).sort());
    const times = unanswered.map((row) => Number(row.started_us));
    expect(times).toEqual([...times].sort((left, right) => left - right));
  });
});

describe('indexes', () => {
  it.each([
    ["SELECT * FROM exchanges WHERE host = 'h1'", 'exchanges_by_host'],
    ['SELECT * FROM exchanges WHERE status = 500', 'exchanges_by_status'],
    ['SELECT * FROM exchanges WHERE status >= 400', 'exchanges_by_status'],
    ['SELECT * FROM exchanges WHERE status IS NULL', 'exchanges_by_status'],
    ['SELECT * FROM unanswered', 'exchanges_by_status'],
    ['SELECT * FROM exchanges WHERE started_us BETWEEN 1 AND 2', 'exchanges_by_started'],
    ['SELECT * FROM exchanges ORDER BY started_us LIMIT 10', 'exchanges_by_started'],
    ['SELECT * FROM exchanges WHERE id = 7', 'INTEGER PRIMARY KEY'],
    ['SELECT * FROM anomalies WHERE exchange_id = 7', 'anomalies_by_exchange'],
  ])('%s uses %s', async (sql, index) => {
    const plan = (await query(path, `EXPLAIN QUERY PLAN ${sql}`)).map(({ detail }) => String(detail));
    expect(plan.some((line) => line.includes(index))).toBe(true);
    expect(plan.filter((line) => /SCAN (e|exchange_rows)$/.test(line))).toEqual([]);
  });
});

describe('what the schema says about itself', () => {
  it('docs/sqlite-schema.md is what the tables are made from (npm run docs writes it)', () => {
    const written = readFileSync(new URL('../../docs/sqlite-schema.md', import.meta.url), 'utf8');
    expect(written).toBe(schemaDocument());
  });

  it('every table, view, column and index exists as described', async () => {
    for (const { name, columns } of [...TABLES, ...VIEWS.filter((view) => view.columns.length > 0)]) {
      const found = await query(path, `SELECT name FROM pragma_table_info('${name}')`);
      expect(found.map((row) => row.name)).toEqual(columns.map((column) => column.name));
    }
    for (const { name, columns } of TABLES) {
      const [{ sql }] = await query(path, `SELECT sql FROM sqlite_schema WHERE name = '${name}'`);
      for (const { about } of columns) expect(sql).toContain(about);
    }
    const indexes = await query(
      path,
      "SELECT name FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL",
    );
    expect(indexes.map((row) => row.name)).toEqual(INDEXES.map(({ name }) => name));
  });
});

describe('other readers of SQLite', () => {
  const script = `
import json, sqlite3, sys
db = sqlite3.connect('file:' + sys.argv[1] + '?mode=ro', uri=True)
assert db.execute('PRAGMA integrity_check').fetchone() == ('ok',)
rows = db.execute('SELECT id, host, method, target, route, status, total_ms, started_us FROM exchanges ORDER BY id').fetchall()
print(json.dumps([rows, db.execute('SELECT count(*) FROM red_by_route').fetchone()[0]]))`;

  it('python reads the same exchanges', () => {
    const python = spawnSync('python3', ['-c', script, path], { encoding: 'utf8', maxBuffer: 1 << 28 });
    if (python.error !== undefined || python.stderr.includes('ModuleNotFoundError')) {
      console.log(
        `not tried: python3 with sqlite3 is not here (${python.error?.message ?? 'no sqlite3 module'})`,
      );
      return;
    }
    expect(python.stderr).toBe('');
    const [rows, routes] = JSON.parse(python.stdout);
    expect(routes).toBe(24);
    expect(rows).toEqual(
      exchanges.map((one) => {
        const total = totalNs(one);
        const began = one.request?.firstByteNs ?? one.response!.firstByteNs;
        return [
          one.id,
          one.request?.host ?? null,
          one.request?.method ?? null,
          one.request?.target ?? null,
          one.request === null ? null : routeOf(one.request.target),
          one.response?.status ?? null,
          total === null ? null : total / 1e6,
          EPOCH_SECONDS * 1e6 + Math.floor(began / 1000),
        ];
      }),
    );
  });
});
