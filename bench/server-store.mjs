// The store of `wirelens server`: how many exchanges it makes durable in a second, and how quickly it answers when it
// is full, beside SQLite with the same rows. Builds nothing: run `npm run build` before.
//
//   node bench/server-store.mjs [--rows 10000000] [--batch 5000] [--agents 20] [--rounds 40] [--no-sqlite] [--keep DIR] [--memory 1024]
//
// --keep: the databases are made in DIR and stay there; the next run with the same DIR only asks. One that is not full is filled on.
// --memory: MiB that DuckDB may use. --no-sqlite: without SQLite, which takes minutes and 4.5 GB for 10 million rows.
// For one core: taskset -c 0 node bench/server-store.mjs
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { openDuckDbStore } from '../dist/store/duckdb/open.js';
import { BATCH_COLUMNS } from '../dist/transfer/batch-columns.js';
import { randomFrom } from '../scripts/checks/seeded.mjs';
import { askSqlite, fillSqlite, hasSqlite, sqliteBytes } from './sqlite-store.mjs';

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '10000000' },
    batch: { type: 'string', default: '5000' },
    agents: { type: 'string', default: '20' },
    rounds: { type: 'string', default: '40' },
    'no-sqlite': { type: 'boolean', default: false },
    keep: { type: 'string' },
    memory: { type: 'string', default: '1024' },
    seed: { type: 'string', default: '1' },
  },
});
const ROWS = Number(values.rows);
const BATCH = Number(values.batch);
const AGENTS = Number(values.agents);
const ROUNDS = Number(values.rounds);
/** Of what takes SQLite seconds. */
const SLOW_ROUNDS = 5;
/** 10 million rows are ten hours at 278 exchanges a second. */
const SPAN_US = 36_000e6;
const EPOCH_US = 1_700_000_000e6;

const random = randomFrom(Number(values.seed));
const below = (n) => Math.floor(random() * n);
const all = (value) => ({ form: 'all', value });
const numbers = (make) => ({
  form: 'numbers',
  values: Float64Array.from({ length: BATCH }, make),
  nulls: null,
});
function coded(make) {
  const places = new Map();
  const codes = Int32Array.from({ length: BATCH }, (_, index) => {
    const text = make(index);
    if (text === null) return -1;
    if (!places.has(text)) places.set(text, places.size);
    return places.get(text);
  });
  return { form: 'codes', texts: [...places.keys()], codes };
}

const ROUTES = Array.from(
  { length: 60 },
  (_, index) => `/api/v1/${['users', 'orders', 'items', 'carts'][index % 4]}${index}/{id}`,
);
const clients = Array.from(
  { length: 2000 },
  (_, index) => `10.${(index >> 8) & 255}.${index & 255}.${10 + (index % 200)}`,
);
const servers = Array.from({ length: 300 }, (_, index) => `10.200.${index & 255}.${5 + (index >> 8)}`);
const hosts = Array.from({ length: 40 }, (_, index) => `service-${index}.shop.svc.cluster.local`);

function batch(number) {
  const from = EPOCH_US + Math.floor((number * BATCH * SPAN_US) / ROWS);
  const width = Math.max(1, Math.floor((BATCH * SPAN_US) / ROWS));
  const route = Array.from({ length: BATCH }, () => below(ROUTES.length));
  const target = coded((index) => ROUTES[route[index]].replace('{id}', String(below(100_000))));
  const routes = coded((index) => ROUTES[route[index]]);
  const wait = Float64Array.from(
    { length: BATCH },
    () => Math.round(-Math.log(1 - random()) * 20_000) / 1000,
  );
  const resets = Array.from({ length: BATCH }, () => below(200) === 0);
  const columns = Object.fromEntries(
    BATCH_COLUMNS.map(({ name, nullable, type }) => [name, all(nullable ? null : type === 'text' ? '' : 0)]),
  );
  Object.assign(columns, {
    started_us: numbers((_, index) => from + Math.floor((index / BATCH) * width) + below(50_000)),
    started_ns: numbers(() => below(1000)),
    connection_id: numbers(() => below(1e6)),
    position: numbers(() => 1 + below(20)),
    client: coded(() => clients[below(clients.length)]),
    client_port: numbers(() => 32_768 + below(28_000)),
    server: coded((index) => servers[(route[index] * 5 + below(5)) % servers.length]),
    server_port: all(8080),
    method: coded(() => (below(5) === 0 ? 'POST' : 'GET')),
    host: coded((index) => hosts[route[index] % hosts.length]),
    target,
    path: target,
    route: routes,
    http_version: all('1.1'),
    response_http_version: all('1.1'),
    status: numbers(() => (below(50) === 0 ? 500 : below(20) === 0 ? 404 : 200)),
    reason: coded(() => 'OK'),
    // A few of a hundred have what most exchanges have not; nobody has VLANs, tunnels or recorded headers here.
    outcome: coded((index) => (resets[index] ? 'reset' : 'complete')),
    ending: coded((index) => (resets[index] ? 'reset-by-server' : null)),
    anomalies: coded(() => (below(100) === 0 ? '["mid-stream"]' : null)),
    pairing: all('exact'),
    send_ms: numbers(() => below(300) / 1000),
    wait_ms: { form: 'numbers', values: wait, nulls: null },
    receive_ms: numbers(() => below(2000) / 1000),
    total_ms: { form: 'numbers', values: wait.map((one) => one + 1), nulls: null },
    request_header_bytes: numbers(() => 200 + below(400)),
    request_body_bytes: numbers(() => (below(5) === 0 ? below(4000) : 0)),
    response_header_bytes: numbers(() => 150 + below(200)),
    response_body_bytes: numbers(() => below(20_000)),
    request_media_type: coded(() => (below(5) === 0 ? 'application/json' : null)),
    response_media_type: all('application/json'),
    user_agent: coded(() => `Go-http-client/1.${below(4)}`),
    request_capture: all(0),
    response_capture: all(0),
    request_packet: numbers((_, index) => number * BATCH * 4 + index * 4),
    response_packet: numbers((_, index) => number * BATCH * 4 + index * 4 + 2),
    request_lost_bytes: all(0),
    response_lost_bytes: all(0),
    places: all(1),
    uid: coded(
      () =>
        below(4_294_967_296).toString(16).padStart(8, '0') +
        below(4_294_967_296).toString(16).padStart(8, '0'),
    ),
  });
  return { rows: BATCH, columns };
}

const directory = values.keep ?? mkdtempSync(path.join(os.tmpdir(), 'wirelens-store-'));
const report = (name, value) => console.log(`${name.padEnd(48)} ${value}`);
const ms = (value) => `${value.toFixed(1)} ms`;
function rank(times, part) {
  return times.toSorted((a, b) => a - b)[Math.max(0, Math.ceil(times.length * part) - 1)];
}
const median = (times) => rank(times, 0.5);
const summary = (times) => `p50 ${ms(median(times))}, p99 ${ms(rank(times, 0.99))}, ${times.length} times`;

console.log(
  `node ${process.version}, ${os.cpus().length} cores, ${ROWS} rows in batches of ${BATCH} from ${AGENTS} agents, seed ${values.seed}`,
);
const store = await openDuckDbStore({
  directory,
  memoryBytes: Number(values.memory) * 2 ** 20,
  log: ({ code, message, facts }) => console.log(code, message, facts ?? ''),
});
let putOff = 0;
/** As an agent does: a batch that the store puts off is sent again. */
async function durable(rows, origin, number) {
  for (;;) {
    try {
      return await store.append(rows, origin, number);
    } catch (error) {
      if (error.retry !== true) throw error;
      putOff += 1;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}
let storing = 0;
let stored = 0;
let cpu = 0;
const facts = await store.facts();
if (facts.observations < ROWS) {
  // Batches are made between the measured times: several uploads are under way at once, as from several agents.
  const AT_ONCE = 12;
  // A kept database that is not full goes on where it was; a batch that is there already is not stored again.
  const first = Math.max(0, Math.floor(facts.observations / BATCH) - 2 * AT_ONCE);
  for (let number = first; number * BATCH < ROWS; number += AT_ONCE) {
    const group = [];
    for (let index = number; index < number + AT_ONCE && index * BATCH < ROWS; index += 1)
      group.push([index, batch(index)]);
    const began = performance.now();
    const cpuBegan = process.cpuUsage();
    await Promise.all(
      group.map(([index, one]) =>
        durable(
          one,
          {
            agent: `node-${index % AGENTS}`,
            node: `node-${index % AGENTS}`,
            pod: `wirelens-agent-${index % AGENTS}`,
            namespace: 'wirelens',
          },
          { stream: `stream-${index % AGENTS}`, number: 1 + Math.floor(index / AGENTS) },
        ),
      ),
    );
    storing += performance.now() - began;
    const used = process.cpuUsage(cpuBegan);
    cpu += used.user + used.system;
    stored += group.length * BATCH;
    if (stored % (BATCH * AT_ONCE * 20) === 0)
      console.error(`${stored} ${Math.round(stored / (storing / 1000))}/s`);
  }
  report('stored, durable when acknowledged', `${Math.round(stored / (storing / 1000))} exchanges/s`);
  if (putOff > 0) report('batches put off and sent again', String(putOff));
  report('CPU of the process', `${(cpu / stored).toFixed(2)} µs an exchange`);
}
const full = await store.facts();
report('exchanges, observations', `${full.exchanges}, ${full.observations}`);
report(
  'file',
  `${(full.fileBytes / 1e6).toFixed(0)} MB, ${(full.fileBytes / full.observations).toFixed(1)} bytes a row`,
);
report('memory of the process', `${(process.memoryUsage.rss() / 1e6).toFixed(0)} MB`);

const none = { where: null, fromUs: null, toUs: null, address: null, agent: null, node: null };
const page = { ...none, sort: 'started', descending: true, limit: 100, cursor: null, afterId: null };
const TABLE = [
  'started_us',
  'client',
  'client_port',
  'server',
  'server_port',
  'method',
  'path',
  'status',
  'wait_ms',
  'response_body_bytes',
];
const { parseFilter } = await import('../dist/filter/filter.js');
const hour = () => {
  const fromUs = EPOCH_US + below(9) * 3600e6;
  return { fromUs, toUs: fromUs + 3600e6 };
};
const questions = {
  'by IP: client, newest 100 (a page of the API)': () =>
    store.list({ ...page, address: clients[below(clients.length)] }),
  'by IP: client, newest 200': () =>
    store.list({ ...page, limit: 200, address: clients[below(clients.length)] }),
  'by IP: server, newest 200': () =>
    store.list({ ...page, limit: 200, address: servers[below(servers.length)] }),
  'by IP: client, newest 200, columns of the table': () =>
    store.list({ ...page, limit: 200, columns: TABLE, address: clients[below(clients.length)] }),
  'by IP: nobody': () => store.list({ ...page, limit: 200, address: `192.0.2.${below(250)}` }),
  'page of the list: newest 100': () => store.list(page),
  'page of the list: status >= 500': () => store.list({ ...page, where: parseFilter('status >= 500') }),
  'page of the list: route, 404': () =>
    store.list({ ...page, where: parseFilter(`route == "${ROUTES[below(60)]}" && status == 404`) }),
  'page of the list: slowest of an hour': () => store.list({ ...page, ...hour(), sort: 'total' }),
  'page of the list: slowest of all': () => store.list({ ...page, sort: 'total' }),
  'one exchange': () => store.get(String(1 + below(ROWS))),
  'RED by route, one hour': () =>
    store.red({ ...none, ...hour(), by: ['route'], bucketSeconds: null, limit: 1000 }),
  'RED by route and minute, one hour': () =>
    store.red({ ...none, ...hour(), by: ['route'], bucketSeconds: 60, limit: 10_000 }),
  'RED by route, everything': () => store.red({ ...none, by: ['route'], bucketSeconds: null, limit: 1000 }),
  'SQL: count by status': () =>
    store.sql('SELECT status, count(*) FROM exchanges GROUP BY status', { rows: 100, milliseconds: 30_000 }),
};
const medians = new Map();
for (const [name, ask] of Object.entries(questions)) {
  await ask();
  const times = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const began = performance.now();
    await ask();
    times.push(performance.now() - began);
  }
  medians.set(name, median(times));
  report(name, summary(times));
}
await store.close();

if (!values['no-sqlite'] && !hasSqlite()) console.log('sqlite3 is not installed: not compared');
else if (!values['no-sqlite']) await compareSqlite();
if (values.keep === undefined) rmSync(directory, { recursive: true, force: true });

/** The same rows in a SQLite file, and those of the questions that are asked every day. */
async function compareSqlite() {
  const took = await fillSqlite(directory, full.observations);
  if (took !== null) {
    report(
      'SQLite: loaded at once, not durable',
      `${Math.round(full.observations / took.loadSeconds)} exchanges/s`,
    );
    report('SQLite: three indexes', `${took.indexSeconds.toFixed(1)} s`);
  }
  report('SQLite: file', `${(sqliteBytes(directory) / 1e6).toFixed(0)} MB`);
  const table = [...TABLE, 'id'].join(', ');
  const ofAddress = (address, columns, limit) => {
    const side = (name) =>
      `SELECT * FROM (SELECT ${columns} FROM rows WHERE ${name}_low = ${address} AND ${name}_high = 0 ORDER BY started_us DESC LIMIT ${limit})`;
    return `SELECT * FROM (${side('client')} UNION ${side('server')}) ORDER BY started_us DESC, id DESC LIMIT ${limit};`;
  };
  const number = (address) =>
    address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0) + 0xffff * 2 ** 32;
  const one = (list) => number(list[below(list.length)]);
  const page = 'ORDER BY started_us DESC, id DESC LIMIT 100';
  const asked = {
    'by IP: client, newest 200': () => ofAddress(one(clients), '*', 200),
    'by IP: server, newest 200': () => ofAddress(one(servers), '*', 200),
    'by IP: client, newest 200, columns of the table': () => ofAddress(one(clients), table, 200),
    'by IP: nobody': () => ofAddress(number(`192.0.2.${below(250)}`), '*', 200),
    'page of the list: newest 100': () => `SELECT * FROM rows ${page};`,
    'page of the list: status >= 500': () => `SELECT * FROM rows WHERE status >= 500 ${page};`,
    'page of the list: route, 404': () =>
      `SELECT * FROM rows WHERE route = '${ROUTES[below(60)]}' AND status = 404 ${page};`,
    'page of the list: slowest of an hour': () => {
      const { fromUs, toUs } = hour();
      return `SELECT * FROM rows WHERE started_us >= ${fromUs} AND started_us < ${toUs} ORDER BY total_ms DESC, id DESC LIMIT 100;`;
    },
    'one exchange': () => `SELECT * FROM rows WHERE id = ${1 + below(full.observations)};`,
    'RED by route, one hour': () => {
      const { fromUs, toUs } = hour();
      return redOf(`AND started_us >= ${fromUs} AND started_us < ${toUs}`);
    },
    'SQL: count by status': () => 'SELECT status, count(*) FROM rows GROUP BY status;',
  };
  console.log(
    '\nSQLite, and how many times as long as SQLite the store takes (below 1: the store is quicker)',
  );
  for (const [name, statement] of Object.entries(asked)) {
    const slow = name.startsWith('RED') || name.startsWith('SQL') || name.includes('slowest');
    const times = askSqlite(directory, Array.from({ length: (slow ? SLOW_ROUNDS : ROUNDS) + 1 }, statement));
    const ratio = medians.get(name) / median(times);
    report(name, `${summary(times)}; ${ratio < 10 ? ratio.toFixed(2) : ratio.toFixed(0)} x`);
  }
}

/** Percentiles by nearest rank, as the store counts them: SQLite has no function for it. */
function redOf(when) {
  const rank = (percent) =>
    `max(CASE WHEN place = (timed * ${percent} + 99) / 100 THEN total_ms END) AS p${percent}`;
  return `WITH one AS MATERIALIZED (
    SELECT route, total_ms, status FROM rows WHERE method IS NOT NULL ${when}
  ), ranked AS (
    SELECT *, row_number() OVER (PARTITION BY route ORDER BY total_ms) AS place, count(total_ms) OVER (PARTITION BY route) AS timed FROM one
  )
  SELECT route, count(*) AS requests, count(CASE WHEN status BETWEEN 400 AND 499 THEN 1 END), count(CASE WHEN status >= 500 THEN 1 END),
    ${rank(50)}, ${rank(90)}, ${rank(99)}, max(total_ms) FROM ranked GROUP BY route ORDER BY requests DESC;`;
}
