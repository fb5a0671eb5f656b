// A live capture under load for a long time: does its memory stay flat, and does a kill -9 leave what was sealed?
//
//     node scripts/soak/live.mjs --minutes 10 --rate 20000         memory
//     node scripts/soak/live.mjs --kills 10 --rate 5000            kill -9 at ten random moments
//
// wrk asks nginx over a veth pair between two network namespaces made for it. --recording FILE: instead, the packets of a
// classic capture (bench/data/live.pcap, which bench/live.mjs makes) are sent again and again, which leaves more of a
// small machine to the capture. Needs Linux, root, nginx, wrk, sqlite3 and a build (npm run build). Exit code 1: memory moved
// by more than 20 %, or a sealed file cannot be read.

import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { packetsIn } from '../../bench/live/traffic.mjs';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    rate: { type: 'string', default: '20000' },
    warmup: { type: 'string', default: '60' },
    rotate: { type: 'string', default: '20s' },
    kills: { type: 'string', default: '0' },
    recording: { type: 'string' },
    keep: { type: 'boolean', default: false },
  },
});
const rate = Number(values.rate);
const kills = Number(values.kills);
const seconds = Number(values.minutes) * 60;
const warmupSeconds = Math.min(Number(values.warmup), seconds / 2);
/** The medians of the minutes after the warm-up may be so far apart. */
const ALLOWED = 0.2;
/** wrk waits so long between two requests of a connection; connections make the rate. */
const PAUSE_MS = 10;
const WIRELENS = process.env.WIRELENS ?? path.resolve(import.meta.dirname, '../../bin/wirelens.js');

const missing = ['ip', 'nginx', 'wrk', 'sqlite3'].filter(
  (tool) => spawnSync('sh', ['-c', `command -v ${tool}`]).status !== 0,
);
if (process.platform !== 'linux' || process.getuid() !== 0 || missing.length > 0) {
  console.log(`skipped: it needs Linux, root${missing.length > 0 ? ` and ${missing.join(', ')}` : ''}`);
  process.exit(0);
}

const CLIENT = `wl-soak-${process.pid}-c`;
const SERVER = `wl-soak-${process.pid}-s`;
const folder = mkdtempSync(path.join(tmpdir(), 'wirelens-soak-'));
const children = new Set();
const ip = (...args) => execFileSync('ip', args);
const inside = (name, ...command) => ['netns', 'exec', name, ...command];

function start(command, args, options) {
  const child = spawn(command, args, options);
  children.add(child);
  child.ended = new Promise((resolve) =>
    child.on('close', (code) => {
      children.delete(child);
      resolve(code);
    }),
  );
  return child;
}

let failed = false;
let cleaned = false;
const problem = (text) => {
  failed = true;
  console.log(`FAILED  ${text}`);
};

process.on('SIGINT', () => process.exit(130));
process.on('exit', cleanUp);
try {
  makeNamespaces();
  await startNginx();
  if (kills > 0) for (let round = 1; round <= kills; round++) await killed(round);
  else await memory();
} finally {
  cleanUp();
}
process.exitCode = failed ? 1 : 0;

function makeNamespaces() {
  for (const name of [CLIENT, SERVER]) ip('netns', 'add', name);
  ip('link', 'add', 'wls0', 'netns', SERVER, 'type', 'veth', 'peer', 'name', 'wlc0', 'netns', CLIENT);
  for (const [name, device, address] of [
    [SERVER, 'wls0', '10.77.0.1/24'],
    [CLIENT, 'wlc0', '10.77.0.2/24'],
  ]) {
    ip('-n', name, 'addr', 'add', address, 'dev', device);
    for (const one of ['lo', device]) ip('-n', name, 'link', 'set', one, 'up');
  }
}

function cleanUp() {
  if (cleaned) return;
  cleaned = true;
  for (const child of children) child.kill(child.spawnargs.includes('nginx') ? 'SIGTERM' : 'SIGKILL');
  for (const name of [CLIENT, SERVER]) spawnSync('ip', ['netns', 'del', name]);
  if (!values.keep) rmSync(folder, { recursive: true, force: true });
}

async function startNginx() {
  const at = path.join(folder, 'nginx');
  mkdirSync(at);
  const body = JSON.stringify({ id: 7, name: 'lamp', price: 1999, tags: ['light', 'home'] });
  writeFileSync(
    path.join(at, 'nginx.conf'),
    `daemon off; worker_processes 1; pid ${at}/pid; error_log ${at}/error.log;
    events { worker_connections 4096; }
    http { access_log off; keepalive_requests 1000; client_body_temp_path ${at}; proxy_temp_path ${at};
      fastcgi_temp_path ${at}; uwsgi_temp_path ${at}; scgi_temp_path ${at};
      server { listen 10.77.0.1:80 reuseport;
        location /slow { return 503; }
        location / { default_type application/json; return 200 '${body}'; } } }`,
  );
  start('ip', inside(SERVER, 'nginx', '-c', path.join(at, 'nginx.conf'), '-p', at), { stdio: 'ignore' });
  await sleep(500);
}

function startLoad(forSeconds) {
  return values.recording === undefined ? startWrk(forSeconds) : startSending(forSeconds);
}

/** Packets at the rate that makes so many exchanges; says in the end what wrk would. */
function startSending(forSeconds) {
  const { stdout } = wirelens('analyze', values.recording, '--format', 'json');
  const perExchange = packetsIn(values.recording) / (stdout.split('\n').length - 1);
  const program = path.resolve(import.meta.dirname, '../../bench/live/send.mjs');
  const args = ['--interface', 'wlc0', '--rate', String(Math.round(rate * perExchange))];
  args.push('--seconds', String(forSeconds), values.recording);
  const child = start('ip', inside(CLIENT, process.execPath, program, ...args), {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  child.said = '';
  child.stdout.on('data', (json) => {
    const { packets, seconds: took } = JSON.parse(json);
    child.said = `Requests/sec: ${(packets / took / perExchange).toFixed(2)} in ${packets} packets`;
  });
  return child;
}

function startWrk(forSeconds) {
  const script = path.join(folder, 'load.lua');
  writeFileSync(
    script,
    `local n = 0
    function delay() return ${PAUSE_MS} end
    function request() n = n + 1
      return wrk.format('GET', n % 50 == 0 and '/slow' or '/products/' .. (n % 5000) .. '?page=' .. (n % 7)) end`,
  );
  const connections = Math.max(1, Math.round((rate * (PAUSE_MS + 0.5)) / 1000));
  const args = ['-t1', `-c${connections}`, `-d${Math.ceil(forSeconds)}s`, '-s', script, 'http://10.77.0.1/'];
  const child = start('ip', inside(CLIENT, 'wrk', ...args), { stdio: ['ignore', 'pipe', 'inherit'] });
  child.said = '';
  child.stdout.on('data', (bytes) => (child.said += bytes));
  return child;
}

/** `wirelens capture` with everything that it can do at once. Standard output is thrown away. */
async function startCapture(at, ...more) {
  const args = [WIRELENS, 'capture', '-i', 'wls0', '--format', 'json', '-o', path.join(at, 'out.sqlite')];
  args.push('--rotate', values.rotate, '--no-progress', ...more);
  const child = start('ip', inside(SERVER, process.execPath, ...args), {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  child.said = '';
  child.stderr.on('data', (bytes) => (child.said += bytes));
  for (let wait = 0; wait < 100 && !/capturing|listening/i.test(child.said); wait++) await sleep(100);
  return child;
}

/** `ip netns exec` becomes the program, so that its number is the program's. */
function residentBytes({ pid }) {
  const [, pages] = readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ');
  return Number(pages) * 4096;
}

async function memory() {
  const at = path.join(folder, 'capture');
  mkdirSync(at);
  const capture = await startCapture(at);
  const load = startLoad(seconds + 5);
  const samples = [];
  for (let second = 1; second <= seconds; second++) {
    await sleep(1000);
    samples.push(residentBytes(capture));
    if (!children.has(load) || !children.has(capture)) {
      problem(`${children.has(load) ? 'the capture' : 'the load'} ended after ${second} s`);
      break;
    }
    // Files are evidence while they are few; ten minutes of them are gigabytes.
    const sealed = readdirSync(at)
      .filter((name) => name.endsWith('.sqlite'))
      .sort();
    for (const name of sealed.slice(0, -3)) rmSync(path.join(at, name));
    if (second % 30 === 0) console.log(`${second} s: ${megabytes(samples.at(-1))}`);
  }
  capture.kill('SIGINT');
  const code = await capture.ended;
  // The sender ends by itself and then says what it sent; wrk says it when it is interrupted.
  if (values.recording === undefined) load.kill('SIGINT');
  await load.ended;
  console.log(
    load.said
      .split('\n')
      .filter((line) => /Requests\/sec/.test(line))
      .join(' ')
      .trim(),
  );
  console.log(capture.said.trimEnd().split('\n').slice(-8).join('\n'));
  const reached = Number(/Requests\/sec:\s+([\d.]+)/.exec(load.said)?.[1] ?? 0);
  if (reached < rate * 0.8)
    console.log(
      `note: only ${Math.round(reached)} requests/s were reached of ${rate}; this machine was too busy`,
    );
  if (code !== 0) problem(`the capture ended with ${code}`);
  const settled = samples.slice(Math.round(warmupSeconds));
  const ascending = sorted(settled);
  console.log(
    `memory after ${warmupSeconds} s: ${megabytes(ascending[0])} min, ${megabytes(median(settled))} median, ` +
      `${megabytes(ascending.at(-1))} max`,
  );
  // Garbage comes and goes within seconds; whether memory grows is seen in the minutes.
  const minutes = [];
  for (let at = 0; at + 30 <= settled.length; at += 60) minutes.push(median(settled.slice(at, at + 60)));
  const spread = (Math.max(...minutes) - Math.min(...minutes)) / median(minutes);
  console.log(
    `medians of the minutes: ${minutes.map(megabytes).join(', ')}; ${(spread * 100).toFixed(1)} % apart`,
  );
  if (spread > ALLOWED) problem(`memory moved by more than ${ALLOWED * 100} %`);
}

function sorted(values) {
  return [...values].sort((a, b) => a - b);
}

function median(values) {
  return sorted(values)[values.length >> 1];
}

async function killed(round) {
  const at = path.join(folder, `kill-${round}`);
  mkdirSync(at);
  const recording = ['-w', path.join(at, 'trace-%s-.pcapng'), '-G', '3', '-C', '5'];
  const capture = await startCapture(at, ...recording);
  const after = 4 + Math.random() * 8;
  const load = startLoad(after + 2);
  await sleep(after * 1000);
  capture.kill('SIGKILL');
  await capture.ended;
  load.kill('SIGINT');
  await load.ended;
  const names = readdirSync(at);
  const sealed = names.filter((name) => name.endsWith('.sqlite') && !name.startsWith('.'));
  const recorded = names.filter((name) => name.startsWith('trace-'));
  for (const name of sealed) {
    const file = path.join(at, name);
    const { stdout, stderr } = spawnSync('sqlite3', [file, 'PRAGMA integrity_check'], { encoding: 'utf8' });
    if (stdout.trim() !== 'ok') problem(`${name}: ${stdout}${stderr}`);
    const read = wirelens('stat', file, '--format', 'json');
    if (read.status !== 0) problem(`${name}: ${read.stderr}`);
  }
  if (sealed.length > 0) {
    const all = wirelens('stat', ...sealed.map((name) => path.join(at, name)));
    if (all.status !== 0) problem(`all sealed files together: ${all.stderr}`);
  }
  // The last one was open: it may end inside its last block, and everything before that is read.
  const byAge = recorded.sort((a, b) => order(a) - order(b));
  byAge.forEach((name, index) => {
    const read = wirelens('analyze', path.join(at, name), '--format', 'json');
    const isOpen = index === byAge.length - 1;
    if (read.status !== 0 && !(isOpen && read.status === 3))
      problem(`${name}: exit ${read.status} ${read.stderr}`);
  });
  const left = names.filter((name) => name.startsWith('.'));
  console.log(
    `kill -9 after ${after.toFixed(1)} s: ${sealed.length} sealed SQLite files and ${recorded.length} captures read` +
      (left.length > 0 ? `; left half-written: ${left.join(', ')}` : ''),
  );
  if (sealed.length === 0) console.log('        nothing was sealed yet');
  rmSync(at, { recursive: true });
}

/** Place in a recording of `trace-1795255320-.pcapng12`. */
function order(name) {
  const [, second, number] = /-(\d+)-\.pcapng(\d*)$/.exec(name);
  return Number(second) * 1e6 + Number(number || 0);
}

function wirelens(...args) {
  return spawnSync(process.execPath, [WIRELENS, ...args, '-q'], { encoding: 'utf8', maxBuffer: 1 << 30 });
}

function megabytes(bytes) {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
