// `wirelens tail` beside the recorders themselves: rings of tcpdump and dumpcap that are fed from a pipe at a pace, and a
// live recording of nginx on loopback, compared with the analysis of the whole and with nginx's log.

import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, openSync, readdirSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { GENERATED } from '../../bench/generate.mjs';
import { Checks } from './checks.mjs';

// Another build can be checked: set WIRELENS to the script that starts it.
const WIRELENS = process.env.WIRELENS ?? path.resolve(import.meta.dirname, '../../bin/wirelens.js');
/** A ring of 12 files of 1 MB goes round in some seconds at this pace; a reader comes by five times a second. */
const PIECE_BYTES = 128 * 1024;
const PIECE_PAUSE_MS = 40;
const CAPTURE_BYTES = 16_000_000;

const checks = new Checks();
const has = (tool) => spawnSync('sh', ['-c', `command -v ${tool}`]).status === 0;
// Starts the script anew in a namespace of its own, so it comes before everything else.
const notLive = whyNotLive();
if (notLive === null) (await import('../../fixtures/make/namespace.mjs')).enterOwnNamespace();
const folder = mkdtempSync(path.join(tmpdir(), 'wirelens-tail-'));
try {
  for (const kind of ['many-connections', 'disorder-and-loss']) {
    const big = path.join(folder, `${kind}.pcap`);
    GENERATED[kind](big, CAPTURE_BYTES);
    const whole = analysed(big);
    const rotate = ['-r', '-', '-U', '-C', '1', '-Z', 'root'];
    await ring(`${kind}: tcpdump -C 1`, 'tcpdump', rotate, ['-w', 'ring'], big, whole);
    await ring(`${kind}: tcpdump -C 1 -W 12`, 'tcpdump', [...rotate, '-W', '12'], ['-w', 'ring'], big, whole);
    const gzip = [...rotate, '-z', 'gzip'];
    await ring(`${kind}: tcpdump -C 1 -z gzip`, 'tcpdump', gzip, ['-w', 'ring'], big, whole);
    const dumpcap = ['-q', '-i', '-', '-b', 'filesize:1000', '-b', 'files:12'];
    await ring(`${kind}: dumpcap -b files:12`, 'dumpcap', dumpcap, ['-w', 'ring.pcapng'], big, whole);
  }
  if (notLive === null) await live('live tcpdump -G 1 with nginx');
  else checks.skip('live tcpdump -G 1 with nginx', notLive);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
checks.finish();

/** null: packets can be captured here. */
function whyNotLive() {
  const missing = ['nginx', 'curl', 'tcpdump', 'unshare', 'ip'].filter((tool) => !has(tool));
  if (process.platform !== 'linux' || process.getuid() !== 0) return 'it needs Linux and root';
  if (missing.length > 0) return `not installed: ${missing.join(', ')}`;
  const allowed = spawnSync('unshare', ['--net', 'true']).status === 0;
  return allowed ? null : 'this system does not allow a network namespace';
}

/** The exchanges that JSON Lines hold, without what depends on the division into files. */
function exchangesOf(text) {
  const records = text.split('\n').filter((line) => line !== '');
  return records.map((line) => {
    const record = JSON.parse(line);
    for (const message of [record.request, record.response]) {
      if (message === null) continue;
      delete message.packet;
      delete message.capture;
    }
    return JSON.stringify(record);
  });
}

function analysed(file) {
  const args = [WIRELENS, 'analyze', file, '--format', 'json'];
  return exchangesOf(spawnSync(process.execPath, args, { encoding: 'utf8', maxBuffer: 1 << 30 }).stdout);
}

/** Starts `wirelens tail`; `stop` ends it as Ctrl-C does. */
function startTail(target, ...options) {
  const args = [WIRELENS, 'tail', target, '--format', 'json', ...options];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr']) child[name].on('data', (bytes) => (said[name] += bytes));
  const ended = new Promise((resolve) => child.on('close', (code) => resolve({ code, ...said })));
  return {
    said,
    stop() {
      child.kill('SIGINT');
      return ended;
    },
  };
}

/** Waits until the number of bytes that came out has not changed for a second. */
async function quiet({ said }) {
  for (let before = -1; before !== said.stdout.length; ) {
    before = said.stdout.length;
    await sleep(1500);
  }
}

/** A recorder reads the capture from its standard input, and tail follows what it writes. */
async function ring(name, tool, words, target, big, whole) {
  if (!has(tool)) return checks.skip(name, `${tool} is not installed`);
  const place = mkdtempSync(path.join(folder, 'ring-'));
  const tail = startTail(path.join(place, 'ring*'));
  while (!tail.said.stderr.includes('nothing to read yet')) await sleep(50);
  const recorder = spawn(tool, [...words, ...target], { cwd: place, stdio: ['pipe', 'ignore', 'pipe'] });
  let complaint = '';
  recorder.stderr.on('data', (bytes) => (complaint += bytes));
  recorder.stdin.on('error', () => {});
  const ended = new Promise((resolve) => recorder.on('close', resolve));
  const input = openSync(big, 'r');
  const piece = Buffer.alloc(PIECE_BYTES);
  for (;;) {
    const bytes = readSync(input, piece, 0, PIECE_BYTES, null);
    if (bytes === 0) break;
    if (!recorder.stdin.write(Buffer.from(piece.subarray(0, bytes)))) {
      await new Promise((resolve) => {
        recorder.stdin.once('drain', resolve);
        recorder.once('close', resolve);
      });
    }
    await sleep(PIECE_PAUSE_MS);
  }
  recorder.stdin.end();
  await ended;
  const files = readdirSync(place).length;
  await quiet(tail);
  const { code, stdout, stderr } = await tail.stop();
  const followed = exchangesOf(stdout);
  const problems =
    followed.length === whole.length ? [] : [`${followed.length} of ${whole.length} exchanges`];
  const wrong = followed.findIndex((record, index) => record !== whole[index]);
  if (wrong >= 0)
    problems.push(`differs from the analysis of the whole: ${followed[wrong]}`, String(whole[wrong]));
  if (code !== 0) problems.push(`ended with ${code}`);
  if (/vanished|overwritten|after later ones/.test(stderr)) problems.push(stderr);
  if (files < 3) problems.push(`only ${files} files were written: ${complaint}`);
  checks.report(`${name}, ${files} files at the end`, problems);
}

/** tcpdump -G on loopback while curl asks nginx: rows come while it runs, and are those of nginx's log. */
async function live(name) {
  const { runAside } = await import('../../fixtures/make/namespace.mjs');
  const { startRecorder } = await import('../../fixtures/make/recorder.mjs');
  const { startNginx } = await import('../../fixtures/make/servers.mjs');
  const place = path.join(folder, 'live');
  mkdirSync(place);
  const tail = startTail(place, '--pending', '500ms');
  while (!tail.said.stderr.includes('nothing to read yet')) await sleep(50);
  const recorder = await startRecorder(
    { tcpdump: ['-i', 'lo', '-s', '0', '-B', '65536', '-G', '1'] },
    path.join(place, 'trace-%s.pcap'),
    [],
  );
  const nginx = await startNginx();
  const targets = ['/', '/style.css', '/data.json?x=1', '/not/there', '/moved', '/large.bin', '/docs/'];
  let rowsMeanwhile = 0;
  for (let round = 0; round < 30; round++) {
    const urls = targets.map((target) => `http://127.0.0.1:8000${target}`);
    await runAside('curl', '-s', ...urls.flatMap((url) => ['-o', '/dev/null', url]));
    await sleep(100);
    rowsMeanwhile = tail.said.stdout.split('\n').length - 1;
  }
  const log = (await nginx.stop())
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
  await sleep(1300);
  await recorder.stop();
  await quiet(tail);
  const { code, stdout, stderr } = await tail.stop();
  const rows = stdout.split('\n').filter((line) => line !== '');
  const byWirelens = rows.map((row) => {
    const one = JSON.parse(row);
    return `${one.client.split(':').at(-1)} ${one.position} ${one.method} ${one.target} HTTP/${one.http_version} ${one.status} ${one.response?.body_bytes}`;
  });
  const byNginx = log.map(
    (one) => `${one.clientPort} ${one.position} ${one.request} ${one.status} ${one.bodyBytes}`,
  );
  const files = readdirSync(place).length;
  checks.report(`${name}: ${log.length} requests in ${files} files`, [
    ...byNginx.filter((line) => !byWirelens.includes(line)).map((line) => `only in nginx's log: ${line}`),
    ...byWirelens.filter((line) => !byNginx.includes(line)).map((line) => `only followed: ${line}`),
    ...(code === 0 ? [] : [`ended with ${code}: ${stderr}`]),
    ...(files > 2 ? [] : ['the recording did not rotate']),
  ]);
  checks.report(
    `${name}: rows come while it runs`,
    rowsMeanwhile > log.length / 2 ? [] : [`${rowsMeanwhile} of ${log.length} rows before its end`],
  );
}
