// Upload and query against a real server: a capture made on the spot with nginx and curl goes to `wirelens server`, the
// uploader and the server are killed on the way, and what `query` answers is compared with nginx's access log.
// SEED=n repeats a run.

import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Checks } from './checks.mjs';
import { randomFrom } from './seeded.mjs';

const WIRELENS = path.resolve(import.meta.dirname, '../../bin/wirelens.js');
const ROUNDS = 30;
const KILLS = 4;
const REQUESTS = 20_000;

const checks = new Checks();

async function uploadAndQuery() {
  const { enterOwnNamespace } = await import('../../fixtures/make/namespace.mjs');
  enterOwnNamespace();
  const folder = mkdtempSync(path.join(tmpdir(), 'wirelens-query-'));
  const at = (name) => path.join(folder, name);
  writeFileSync(at('agents'), 'agents-token\n');
  writeFileSync(at('readers'), 'readers-token\n');
  let server = null;
  try {
    const log = await record(at('capture.pcap'));
    server = await startServer(at);
    await small(at, server, log);
    await detours(at, server, log);
    server = await faults(at, server);
  } finally {
    server?.child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Traffic of nginx and curl in a capture; gives nginx's log. */
async function record(file) {
  const { runAside } = await import('../../fixtures/make/namespace.mjs');
  const { startRecorder } = await import('../../fixtures/make/recorder.mjs');
  const { startNginx } = await import('../../fixtures/make/servers.mjs');
  const recorder = await startRecorder({ tcpdump: ['-i', 'lo', '-s', '0'] }, file, []);
  const nginx = await startNginx();
  const targets = ['/', '/style.css', '/data.json?x=1', '/not/there', '/moved', '/large.bin', '/docs/'];
  for (let round = 0; round < ROUNDS; round++) {
    const urls = targets.map((target) => `http://127.0.0.1:8000${target}`);
    await runAside('curl', '-s', '--compressed', ...urls.flatMap((url) => ['-o', '/dev/null', url]));
  }
  const log = (await nginx.stop())
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
  await sleep(1300);
  await recorder.stop();
  return log;
}

/** Starts the server on its folder; `port` 0: any. */
async function startServer(at, port = 0) {
  const child = spawn(
    process.execPath,
    [WIRELENS, 'server', '--listen', `127.0.0.1:${port}`, '--data', at('data'), '--log-format', 'json',
      '--agent-token-file', at('agents'), '--reader-token-file', at('readers')],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  ); // biome-ignore format: a command line
  let told = '';
  const url = await new Promise((resolve, reject) => {
    child.stderr.on('data', (bytes) => {
      told += bytes;
      const found = /"url":"(http:[^"]+)"/.exec(told);
      if (found !== null) resolve(found[1]);
    });
    child.on('close', (code) => reject(new Error(`the server ended with ${code}: ${told}`)));
  });
  return { child, url, port: Number(new URL(url).port) };
}

/** Runs wirelens to its end; `onStart` gets the process. */
function wirelens(server, args, onStart = () => {}) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [WIRELENS, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, WIRELENS_SERVER: server.url },
    });
    let out = '';
    let err = '';
    child.stdout.on('data', (bytes) => {
      out += bytes;
    });
    child.stderr.on('data', (bytes) => {
      err += bytes;
    });
    child.on('close', (code) => resolve({ code, out, err }));
    onStart(child);
  });
}

const upload = (at, server, files, onStart) =>
  wirelens(server, ['upload', ...files, '--token-file', at('agents')], onStart);
const query = (at, server, ...args) => wirelens(server, ['query', '--token-file', at('readers'), ...args]);
const rows = ({ out }) => out.split('\n').filter((line) => line !== '').map((line) => JSON.parse(line)); // biome-ignore format: short

const expectCode = (result, code) =>
  result.code === code ? [] : [`exit code ${result.code}: ${result.err.trim()}`];

/** What nginx logged, as lines that a row can be turned into. */
const ofLog = (one) => `${one.clientPort} ${one.position} ${one.request} ${one.status} ${one.bodyBytes}`;
const ofRow = (one) =>
  `${one.client_port} ${one.position} ${one.method} ${one.target} HTTP/${one.http_version} ${one.status} ${one.response_body_bytes}`;

function difference(found, wanted, where) {
  const left = new Map();
  for (const line of wanted) left.set(line, (left.get(line) ?? 0) + 1);
  const problems = [];
  for (const line of found) {
    const count = left.get(line) ?? 0;
    if (count === 0) problems.push(`only at the server: ${line}`);
    left.set(line, count - 1);
  }
  for (const [line, count] of left) if (count > 0) problems.push(`only in ${where}: ${line}`);
  return problems;
}

async function small(at, server, log) {
  const first = await upload(at, server, [at('capture.pcap')]);
  checks.report('upload: a capture of nginx and curl', [
    ...expectCode(first, 0),
    ...(first.err.includes(`${log.length} new`) ? [] : [first.err]),
  ]);
  const all = await query(at, server, '--ip', '127.0.0.1', '--limit', '100000', '-f', 'json');
  checks.report(
    `query --ip: the ${log.length} requests of nginx's log`,
    difference(rows(all).map(ofRow), log.map(ofLog), "nginx's log"),
  );
  const failed = await query(at, server, '--where', 'status >= 400', '-f', 'json');
  checks.report(
    'query --where: the failures of the log',
    difference(rows(failed).map(ofRow), log.filter(({ status }) => status >= 400).map(ofLog), "nginx's log"),
  );
  const table = (await query(at, server, '--limit', '5')).out.split('\n').filter((line) => line !== '');
  const newest = log.slice(-5).reverse();
  checks.report('query: a table, the newest first', [
    ...(table[0].trim().split(/ {2,}/).join(' ') === 'Time Source Destination Method Path Status Latency(ms) Size Id' ? [] : [table[0]]),
    ...difference(
      table.slice(1).map((line) => line.trim().split(/ {2,}/)).map(([, source, , method, target, status]) => `${source} ${method} ${target} ${status}`),
      newest.map(({ clientPort, request, status }) => `127.0.0.1:${clientPort} ${request.split(' ').slice(0, 2).join(' ')} ${status}`),
      "nginx's log",
    ),
  ]); // biome-ignore format: a table
  const red = rows(await query(at, server, '--red', 'status', '-f', 'json'));
  const counts = new Map();
  for (const { status } of log) counts.set(status, (counts.get(status) ?? 0) + 1);
  checks.report(
    'query --red: as many requests of each status as in the log',
    difference(
      red.map(({ status, requests }) => `${status} ${requests}`),
      [...counts].map(([status, count]) => `${status} ${count}`),
      "nginx's log",
    ),
  );
  const sql = rows(await query(at, server, '--sql', 'SELECT count(*) AS n, sum(response_body_bytes) AS bytes FROM exchanges', '-f', 'json')); // biome-ignore format: a command line
  const bytes = log.reduce((sum, { bodyBytes }) => sum + bodyBytes, 0);
  checks.report(
    'query --sql: count and bytes of the log',
    sql[0].n === log.length && Number(sql[0].bytes) === bytes
      ? []
      : [JSON.stringify([sql, log.length, bytes])],
  );
}

/** The same exchanges by other ways: again, out of a SQLite file, as another agent. */
async function detours(at, server, log) {
  const again = await upload(at, server, [at('capture.pcap')]);
  checks.report('upload again: nothing new', [
    ...expectCode(again, 0),
    ...(again.err.startsWith('nothing new: all') ? [] : [again.err]),
  ]);
  await wirelens(server, ['analyze', at('capture.pcap'), '-o', at('capture.sqlite'), '-q']);
  const other = await upload(at, server, [at('capture.sqlite'), '--agent-name', 'other', '--node', 'node-b']);
  checks.report('upload of a SQLite file as another agent: the same exchanges, seen once more', [
    ...expectCode(other, 0),
    ...(other.err.includes(`0 new, ${log.length} seen by other agents too`) ? [] : [other.err]),
  ]);
  const all = rows(await query(at, server, '--limit', '100000', '-f', 'json'));
  checks.report(
    'query: each exchange is there once',
    difference(all.map(ofRow), log.map(ofLog), "nginx's log"),
  );
  const one = all[0];
  const seen = JSON.parse((await query(at, server, '--id', String(one.id), '-f', 'json')).out);
  const agents = seen.observations.map(({ agent }) => agent).sort();
  checks.report(
    'query --id: who saw it',
    agents.length === 2 && agents[0] === 'other' ? [] : [JSON.stringify(agents)],
  );
}

/** Uploads of larger captures: the uploader or the server is killed at a random moment, then the upload is repeated. */
async function faults(at, first) {
  const seed = Number(process.env.SEED ?? Date.now() % 1_000_000);
  console.log(`seed ${seed}`);
  const random = randomFrom(seed);
  const { bigCapture } = await import('./query/big-capture.mjs');
  let server = first;
  const problems = [];
  const ends = { uploader: 0, server: 0 };
  for (let round = 1; round <= KILLS; round++) {
    const agent = `big-${round}`;
    bigCapture(at(agent), REQUESTS, round);
    const victim = round % 2 === 0 ? 'uploader' : 'server';
    // Killed when so many exchanges are there: between nothing and all.
    const threshold = Math.floor(random() * REQUESTS);
    let target = null;
    let ended = false;
    const running = upload(at, server, [at(agent), '--agent-name', agent], (child) => {
      target = victim === 'uploader' ? child : server.child;
    }).finally(() => {
      ended = true;
    });
    while (!ended && (await storedOf(server, agent)) <= threshold) await sleep(5);
    if (!ended) ends[victim]++;
    target.kill('SIGKILL');
    if (victim === 'server') {
      // It comes back on the same port, while the upload goes on trying.
      await sleep(100);
      server = await startServer(at, server.port);
    }
    const { code, err } = await running;
    console.log(
      `  ${victim} killed with more than ${threshold} stored: exit code ${code}, ${err.trim().split('\n').at(-1)}`,
    );
    if (victim === 'server' && code !== 0) problems.push(`the upload gave up: ${err}`);
    const last = await upload(at, server, [at(agent), '--agent-name', agent]);
    console.log(`    again: ${last.err.trim()}`);
    problems.push(...expectCode(last, 0));
    const answer = await query(at, server, '-f', 'json', '--sql',
      `SELECT count(*) AS n, count(DISTINCT target) AS targets, count(DISTINCT uid) AS uids FROM exchanges WHERE agent = '${agent}'`); // biome-ignore format: a command line
    problems.push(...expectCode(answer, 0));
    const [found = {}] = rows(answer);
    if (found.n !== REQUESTS || found.targets !== REQUESTS || found.uids !== REQUESTS)
      problems.push(`${agent}: ${JSON.stringify(found)} in place of ${REQUESTS}`);
  }
  checks.report(
    `upload: ${ends.uploader} uploaders and ${ends.server} servers killed, everything is there exactly once`,
    problems,
  );
  return server;
}

/** How many exchanges of an agent the server has. */
async function storedOf({ url }, agent) {
  const response = await fetch(`${url}/api/v1/sql`, {
    method: 'POST',
    headers: { authorization: 'Bearer readers-token', 'content-type': 'application/json' },
    body: JSON.stringify({ sql: `SELECT count(*) FROM exchanges WHERE agent = '${agent}'` }),
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(JSON.stringify(answer));
  return Number(answer.rows[0][0]);
}

const missing = ['nginx', 'curl', 'tcpdump', 'unshare', 'ip'].filter(
  (tool) => spawnSync('sh', ['-c', `command -v ${tool}`]).status !== 0,
);
if (process.platform !== 'linux' || process.getuid() !== 0)
  checks.skip('upload and query', 'it needs Linux and root');
else if (missing.length > 0) checks.skip('upload and query', `not installed: ${missing.join(', ')}`);
else if (spawnSync('unshare', ['--net', 'true']).status !== 0)
  checks.skip('upload and query', 'this system does not allow a network namespace');
else await uploadAndQuery();
checks.finish();
