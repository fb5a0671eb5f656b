// `wirelens capture -w` beside tcpdump: the same options give files of the same names, which hold every packet once.

import { spawn, spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Checks } from './checks.mjs';

// Another build can be checked: set WIRELENS to the script that starts it.
const WIRELENS = process.env.WIRELENS ?? path.resolve(import.meta.dirname, '../../bin/wirelens.js');
const PORT = 9009;
const PACKETS = 4000;
const PAYLOAD_BYTES = 1000;
const EXPRESSION = ['udp', 'port', String(PORT)];

const checks = new Checks();
const missing = ['tcpdump', 'tshark', 'unshare', 'ip'].filter(
  (tool) => spawnSync('sh', ['-c', `command -v ${tool}`]).status !== 0,
);
if (process.platform !== 'linux' || process.getuid() !== 0)
  checks.skip('names of recordings', 'it needs Linux and root');
else if (missing.length > 0) checks.skip('names of recordings', `not installed: ${missing.join(', ')}`);
else if (spawnSync('unshare', ['--net', 'true']).status !== 0)
  checks.skip('names of recordings', 'this system does not allow a network namespace');
else await all();
checks.finish();

async function all() {
  (await import('../../fixtures/make/namespace.mjs')).enterOwnNamespace();
  const folder = mkdtempSync(path.join(tmpdir(), 'wirelens-recording-'));
  try {
    const beside = (name, options, pattern, judge) => sideBySide(folder, name, options, pattern, judge);
    await beside('-C 1', ['-C', '1'], 'trace.cap', (theirs, ours) => [
      ...alike(theirs, ours.slice(0, theirs.length)),
      ...(theirs.length > 2 ? [] : ['too few files to compare']),
      ...whole(ours, true),
    ]);
    await beside('-C 1 -W 3', ['-C', '1', '-W', '3'], 'trace', (theirs, ours) => [
      ...alike(theirs, ours),
      ...whole(ours, false),
    ]);
    await beside('-C 1 -W 12', ['-C', '1', '-W', '12'], 'trace', (theirs, ours) => [
      ...alike(theirs, ours.slice(0, theirs.length)),
      ...whole(ours, true),
    ]);
    await beside('-C 1 -W 1', ['-C', '1', '-W', '1'], 'trace', alike);
    await beside('-G 1 %s', ['-G', '1'], 'trace-%s', (theirs, ours) => [
      ...(Math.abs(theirs.length - ours.length) <= 1
        ? []
        : [`${theirs.length} files of tcpdump, ${ours.length} ours`]),
      ...whole(ours, true),
      ...ours.flatMap((file) => begins(file, /-(\d+)$/)),
    ]);
    await beside('-G 1 -C 1', ['-G', '1', '-C', '1'], 'trace-%Y%m%d-%H%M%S.', (theirs, ours) => {
      const shape = /^trace-\d{8}-\d{6}\.[12]?$/;
      const odd = [...theirs, ...ours].filter((file) => !shape.test(path.basename(file)));
      return [...odd.map((file) => `${path.basename(file)}: an unexpected name`), ...whole(ours, true)];
    });
    await beside('-G 1 -W 2 ends by itself', ['-G', '1', '-W', '2'], 'trace-%s', (theirs, ours) => [
      ...(theirs.length === 2 ? [] : [`tcpdump made ${theirs.length} files`]),
      ...(ours.length === 2 ? [] : [`wirelens made ${ours.length} files`]),
    ]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Both record the same traffic. `judge` gets the paths of tcpdump's files and of ours, in the order of writing. */
async function sideBySide(folder, name, options, pattern, judge) {
  const at = mkdtempSync(path.join(folder, 'case-'));
  const [theirs, ours] = ['tcpdump', 'wirelens'].map((one) => path.join(at, one));
  for (const one of [theirs, ours]) mkdirSync(one);
  const tcpdump = ['-i', 'lo', '-U', '-B', '65536', '-Z', 'root', ...options, '-w', pattern, ...EXPRESSION];
  const own = [WIRELENS, 'capture', '-i', 'lo', '--format', 'json', ...options, '-w', pattern, ...EXPRESSION];
  const children = [
    recorder('tcpdump', tcpdump, theirs, /listening on/),
    recorder(process.execPath, own, ours, /capturing on/),
  ];
  for (const child of children) await child.ready;
  await send();
  await sleep(700);
  for (const child of children) child.kill('SIGINT');
  const codes = await Promise.all(children.map((child) => child.ended));
  const files = [theirs, ours].map((one) =>
    readdirSync(one)
      .sort(inOrder)
      .map((file) => path.join(one, file)),
  );
  checks.report(`${name}: the names of tcpdump 4.99, every packet once`, [
    ...(codes[1] === 0 ? [] : [`wirelens ended with ${codes[1]}: ${children[1].said}`]),
    ...judge(...files),
  ]);
}

function recorder(command, args, cwd, ready) {
  const child = spawn(command, args, { cwd, stdio: ['ignore', 'ignore', 'pipe'] });
  child.said = '';
  child.ended = new Promise((resolve) => child.on('close', resolve));
  child.ready = new Promise((resolve) => {
    child.stderr.on('data', (bytes) => {
      child.said += bytes;
      if (ready.test(child.said)) resolve();
    });
    child.on('close', resolve);
  });
  return child;
}

/** Numbered datagrams over some three seconds. */
async function send() {
  const socket = createSocket('udp4');
  const payload = Buffer.alloc(PAYLOAD_BYTES);
  for (let number = 0; number < PACKETS; number++) {
    payload.writeUInt32BE(number);
    await new Promise((resolve) => socket.send(payload, PORT, '127.0.0.1', resolve));
    if (number % 40 === 39) await sleep(25);
  }
  socket.close();
}

/** `trace`, `trace1`, `trace10` by their last number; a ring's numbers have leading zeros. */
function inOrder(one, other) {
  const parts = (name) => [name.replace(/\d*$/, ''), Number(/\d*$/.exec(name)[0] || 0)];
  const [[stem, number], [otherStem, otherNumber]] = [parts(one), parts(other)];
  return stem < otherStem ? -1 : stem > otherStem ? 1 : number - otherNumber;
}

function alike(theirs, ours) {
  const [a, b] = [theirs, ours].map((files) => files.map((file) => path.basename(file)).join(' '));
  return a === b ? [] : [`tcpdump: ${a}`, `wirelens: ${b}`];
}

/** Whether the files hold the datagrams in order, once each; `all`: from the first to the last, else the last ones. */
function whole(files, all) {
  const numbers = files.flatMap(numbersIn).sort((a, b) => a - b);
  const first = all ? 0 : PACKETS - numbers.length;
  const wrong = numbers.findIndex((number, index) => number !== first + index);
  const unsorted = files.filter((file) =>
    numbersIn(file).some((number, index, list) => number < list[index - 1]),
  );
  return [
    ...(wrong < 0 ? [] : [`datagram ${first + wrong} is missing or twice`]),
    ...(numbers.length > 0 && numbers.at(-1) === PACKETS - 1 ? [] : ['the last datagram is missing']),
    ...unsorted.map((file) => `${path.basename(file)}: not in order`),
  ];
}

function numbersIn(file) {
  const fields = ['-T', 'fields', '-e', 'udp.payload'];
  const { stdout, stderr, status } = spawnSync('tshark', ['-r', file, '-n', ...fields], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  if (status !== 0) throw new Error(`${path.basename(file)}: ${stderr}`);
  return stdout
    .split('\n')
    .slice(0, -1)
    .map((hex) => Number.parseInt(hex.slice(0, 8), 16));
}

/** The name's time is not after the first packet, and at most the recorders' start before it. */
function begins(file, time) {
  const { stdout } = spawnSync('tshark', ['-r', file, '-c', '1', '-T', 'fields', '-e', 'frame.time_epoch'], {
    encoding: 'utf8',
  });
  const late = Math.floor(Number(stdout)) - Number(time.exec(file)[1]);
  return stdout === '' || (late >= 0 && late < 10)
    ? []
    : [`${path.basename(file)} begins with ${stdout.trim()}`];
}
