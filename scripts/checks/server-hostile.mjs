// A real server process with its real store, and everything that a stranger, or a reader who means harm, can send:
// each gets a clear 4xx (never 5xx), nothing in the store changes, memory stays bounded. Needs a build, and nothing else;
// promtool (Debian package prometheus) is used where it is. The seed of the fuzz is printed; SEED=n repeats it.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Checks } from './checks.mjs';
import { attacksInSql, bombs } from './server/attacks.mjs';
import { fuzzProblems } from './server/fuzz.mjs';
import { RunningServer } from './server/running-server.mjs';

const checks = new Checks();
const folder = mkdtempSync(path.join(tmpdir(), 'wirelens-hostile-'));
/** Node, DuckDB and its memory limit (below) leave no more than that to attacks. */
const RSS_LIMIT_MB = 1200;

const server = await RunningServer.start({
  folder,
  flags: ['--store-memory', '256MB', '--sql-timeout', '3s', '--max-connections', '1000'],
});
try {
  await seed();
  await refusedBodies();
  await refusedSql();
  await manyConnections();
  await fuzz();
  await metrics();
  await stays();
} finally {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
}
await refusedStarts();
checks.finish();

async function seed() {
  const answer = await server.upload(server.exchanges(50));
  checks.report(
    'exchanges are stored before it begins',
    answer.status === 200 ? [] : [`${answer.status} ${answer.text}`],
  );
}

async function refusedBodies() {
  const before = await server.rows();
  const problems = [];
  for (const { name, headers, body } of bombs()) {
    const answer = await server.ask('POST', '/api/v1/upload', { token: server.agentToken, headers, body });
    if (answer.status < 400 || answer.status > 499)
      problems.push(`${name}: ${answer.status} ${answer.text.slice(0, 200)}`);
    else if (typeof answer.json?.error !== 'string')
      problems.push(`${name}: no sentence: ${answer.text.slice(0, 200)}`);
  }
  if ((await server.rows()) !== before) problems.push('the number of rows changed');
  checks.report(`${bombs().length} hostile uploads are refused`, problems);
  checks.report('memory stays bounded', rssProblems());
}

async function refusedSql() {
  const before = await server.rows();
  const filesBefore = files();
  const problems = [];
  for (const sql of attacksInSql(folder)) {
    const answer = await server.ask('POST', '/api/v1/sql', { json: { sql } });
    if (answer.status < 400 || answer.status > 499)
      problems.push(`${answer.status} for ${sql.slice(0, 100)}: ${answer.text.slice(0, 200)}`);
  }
  if ((await server.rows()) !== before) problems.push('the number of rows changed');
  if (files() !== filesBefore) problems.push(`files appeared: ${files()} instead of ${filesBefore}`);
  checks.report(`${attacksInSql(folder).length} hostile SQL statements are refused`, problems);
  const fine = await server.ask('POST', '/api/v1/sql', { json: { sql: 'SELECT count(*) FROM exchanges' } });
  checks.report(
    'harmless SQL is answered afterwards',
    fine.json?.rows?.[0]?.[0] === before ? [] : [fine.text.slice(0, 200)],
  );
  checks.report('memory stays bounded', rssProblems());
}

/** What is in the data folder but the database and its own companions, and in the folder above it. */
function files() {
  return [...readdirSync(folder), ...readdirSync(server.data)]
    .filter((name) => !/^(exchanges|temporary)/.test(name))
    .sort()
    .join(' ');
}

async function manyConnections() {
  const sockets = [];
  let refused = 0;
  for (let round = 0; round < 10; round++) {
    await Promise.all(
      Array.from(
        { length: 1000 },
        () =>
          new Promise((resolve) => {
            const socket = createConnection(server.port, '127.0.0.1');
            sockets.push(socket);
            const onEnd = () => {
              refused++;
              resolve();
            };
            socket.once('error', onEnd);
            socket.once('close', onEnd);
            socket.once('connect', () => {
              socket.write('GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ');
              setTimeout(resolve, 200);
            });
          }),
      ),
    );
  }
  const problems = [];
  for (const socket of sockets) socket.destroy();
  if (refused < 8000) problems.push(`only ${refused} of 10000 were closed`);
  await new Promise((resolve) => setTimeout(resolve, 500));
  const answer = await server.ask('GET', '/readyz').catch((error) => ({ status: 0, text: String(error) }));
  if (answer.status !== 200) problems.push(`not ready afterwards: ${answer.status} ${answer.text}`);
  checks.report('10,000 connections at once, of which 1000 may be open', [...problems, ...rssProblems()]);
}

async function fuzz() {
  const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
  console.log(`        seed of the fuzz: ${seed}`);
  const { requests, problems } = await fuzzProblems(server, seed, Number(process.env.RUNS ?? 150));
  checks.report(`${requests} requests made from the OpenAPI document are answered as it says`, problems);
  checks.report('memory stays bounded', rssProblems());
}

async function metrics() {
  const { status, text } = await server.ask('GET', '/metrics');
  checks.report('metrics are answered', status === 200 ? [] : [`${status} ${text}`]);
  const promtool = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' });
  if (promtool.error !== undefined)
    checks.skip('promtool check metrics', 'promtool is not installed (package prometheus)');
  else
    checks.report(
      'promtool check metrics',
      promtool.status === 0 && promtool.stderr === '' ? [] : [promtool.stdout, promtool.stderr],
    );
}

async function stays() {
  const log = server.log();
  const errors = log.split('\n').filter((line) => line.includes('"level":50'));
  checks.report('the log holds no failure', errors.slice(0, 3));
  checks.report(
    'the log holds no token',
    [server.agentToken, server.readerToken]
      .filter((token) => log.includes(token))
      .map(() => 'a token is in the log'),
  );
}

function rssProblems() {
  const status = readFileSync(`/proc/${server.pid}/status`, 'utf8');
  const peak = Math.round(Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024);
  console.log(`        peak of resident memory: ${peak} MB`);
  return peak <= RSS_LIMIT_MB ? [] : [`${peak} MB resident`];
}

/** What the command line refuses: each says why, and exits with 2. */
async function refusedStarts() {
  const token = path.join(tmpdir(), `wirelens-token-${process.pid}`);
  const cases = [
    [['--listen', '0.0.0.0:0'], /there are no tokens/],
    [['--listen', '[::]:0', '--agent-token-file', token], /there are no tokens/],
    [['--listen', '127.0.0.1'], /HOST:PORT/],
    [['--tls-cert', token], /belong together/],
    [['--agent-token-file', `${token}-empty`], /holds no token/],
  ];
  writeFileSync(token, 'a-token-of-agents\n');
  writeFileSync(`${token}-empty`, '# nothing\n');
  const problems = [];
  for (const [flags, wanted] of cases) {
    const { status, stderr } = spawnSync(process.execPath, [RunningServer.program, 'server', ...flags], {
      encoding: 'utf8',
      timeout: 20_000,
    });
    if (status !== 2 || !wanted.test(stderr)) problems.push(`${flags.join(' ')}: ${status} ${stderr}`);
  }
  rmSync(token);
  rmSync(`${token}-empty`);
  checks.report('starts that are not safe are refused', problems);
}
