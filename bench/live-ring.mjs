// What it costs to receive, and nothing else: the packet ring beside tcpdump, for the same packets sent over a veth
// pair by tcpreplay as fast as it can (or at --rate packets a second).
//
//     npm run build && node bench/live-ring.mjs [--packets N] [--rate N] [--runs N] [--any]
//
// Both receivers only take packets; tcpdump writes them to /dev/null. CPU is user and system time of the receiving
// process. Work of the kernel in the name of the sender (copying into the ring) is in neither. --any: captures on all
// interfaces, so that each packet gets a cooked header; then the namespace sees what is received only once.
// Needs root, ip, tcpreplay and tcpdump. Nothing here passes or fails by time.

import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { median } from './measure.mjs';

const { values } = parseArgs({
  options: {
    packets: { type: 'string', default: '2000000' },
    rate: { type: 'string', default: '0' },
    runs: { type: 'string', default: '3' },
    any: { type: 'boolean', default: false },
    receive: { type: 'string' },
    modules: { type: 'string', default: path.join(import.meta.dirname, '..', 'dist') },
  },
});

if (values.receive !== undefined) await receive(values.receive);
else await compare();

/** The child's part: takes packets until it is told to stop, and prints counts as JSON. */
async function receive(interfaceName) {
  const load = (file) => import(path.join(path.resolve(values.modules), file));
  const { openLive, LIVE_DEFAULTS } = await load('capture/live/open-live.js');
  const { LIMITS } = await load('model/limits.js');
  const source = await openLive({
    interfaces: [interfaceName],
    driver: 'afpacket',
    clock: { epochSeconds: null },
    limits: LIMITS,
    ...LIVE_DEFAULTS,
    promiscuous: true,
    filter: null,
    onNotice: ({ text }) => console.error(text),
  });
  process.on('SIGINT', () => source.stop());
  process.stdout.write('ready\n');
  const before = process.cpuUsage();
  let packets = 0;
  let bytes = 0;
  do {
    while (source.next()) {
      packets += 1;
      bytes += source.packet.end - source.packet.start;
    }
  } while (await source.more());
  const { user, system } = process.cpuUsage(before);
  await source.close();
  console.log(JSON.stringify({ packets, bytes, dropped: source.counters.dropped, cpuUs: user + system }));
}

/** Ethernet, IPv4, UDP with `bytes` of payload; the addresses and ports vary, so that no two are alike. */
function frame(number, bytes) {
  const frame = Buffer.alloc(14 + 20 + 8 + bytes, number & 0xff);
  Buffer.from('020000000002020000000001' + '0800', 'hex').copy(frame);
  const ip = 14;
  frame[ip] = 0x45;
  frame.writeUInt16BE(20 + 8 + bytes, ip + 2);
  frame.writeUInt16BE(number & 0xffff, ip + 4);
  frame.writeUInt16BE(0, ip + 6);
  frame[ip + 8] = 64;
  frame[ip + 9] = 17;
  frame.writeUInt32BE(0x0a000001, ip + 12);
  frame.writeUInt32BE((0x0a010000 + (number & 0xffff)) >>> 0, ip + 16);
  let sum = 0;
  frame.writeUInt16BE(0, ip + 10);
  for (let at = ip; at < ip + 20; at += 2) sum += frame.readUInt16BE(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  frame.writeUInt16BE(~sum & 0xffff, ip + 10);
  frame.writeUInt16BE(1024 + (number % 60_000), ip + 20);
  frame.writeUInt16BE(80, ip + 22);
  frame.writeUInt16BE(8 + bytes, ip + 24);
  frame.writeUInt16BE(0, ip + 26);
  return frame;
}

/** A pcap file of `count` packets of 100 to 200 bytes. */
function writePcap(file, count) {
  const head = Buffer.alloc(24);
  head.writeUInt32LE(0xa1b2c3d4, 0);
  head.writeUInt16LE(2, 4);
  head.writeUInt16LE(4, 6);
  head.writeUInt32LE(262_144, 16);
  head.writeUInt32LE(1, 20);
  const parts = [head];
  for (let number = 0; number < count; number += 1) {
    const bytes = frame(number, 58 + ((number * 37) % 101));
    const record = Buffer.alloc(16);
    record.writeUInt32LE(1_700_000_000 + Math.floor(number / 1e6), 0);
    record.writeUInt32LE(number % 1e6, 4);
    record.writeUInt32LE(bytes.length, 8);
    record.writeUInt32LE(bytes.length, 12);
    parts.push(record, bytes);
  }
  writeFileSync(file, Buffer.concat(parts));
}

async function compare() {
  const missing = ['ip', 'tcpreplay', 'tcpdump'].filter(
    (tool) => spawnSync('sh', ['-c', `command -v ${tool}`]).status !== 0,
  );
  if (process.platform !== 'linux' || process.getuid() !== 0 || missing.length > 0) {
    console.error(`bench: it needs Linux, root${missing.length > 0 ? ` and ${missing.join(', ')}` : ''}`);
    process.exit(1);
  }
  const loop = 10;
  const perLoop = Math.ceil(Number(values.packets) / loop);
  const folder = mkdtempSync(path.join(os.tmpdir(), 'wirelens-ring-'));
  const file = path.join(folder, 'packets.pcap');
  const namespace = `wl-ring-${process.pid}`;
  const inside = ['netns', 'exec', namespace];
  try {
    writePcap(file, perLoop);
    execFileSync('ip', ['netns', 'add', namespace]);
    const ip = (...words) => execFileSync('ip', ['-n', namespace, ...words]);
    ip('link', 'add', 'wlout', 'type', 'veth', 'peer', 'name', 'wlin', 'netns', namespace);
    // Nothing but what is sent: no neighbour discovery, no multicast.
    for (const name of ['wlout', 'wlin']) ip('link', 'set', name, 'addrgenmode', 'none', 'up');
    await sleep(500);
    const found = { ring: [], tcpdump: [] };
    for (let run = 0; run < Number(values.runs); run += 1) {
      for (const name of Object.keys(found)) {
        const result = await once(name, file, loop, inside);
        found[name].push(result);
        console.log(line(name, result));
      }
    }
    for (const [name, results] of Object.entries(found)) {
      const perPacket = median(results.map(({ cpuUs, packets }) => cpuUs / packets));
      console.log(`${name.padEnd(8)} median ${perPacket.toFixed(3)} µs of CPU per packet`);
    }
  } finally {
    spawnSync('ip', ['netns', 'del', namespace]);
    rmSync(folder, { recursive: true, force: true });
  }
}

function line(name, { sent, rate, packets, dropped, cpuUs }) {
  const share = ((100 * packets) / sent).toFixed(2);
  return [
    name.padEnd(8),
    `${packets} of ${sent} packets received (${share} %)`,
    `${dropped} dropped`,
    `sent at ${Math.round(rate)}/s`,
    `${(cpuUs / packets).toFixed(3)} µs of CPU per packet`,
  ].join(', ');
}

async function once(name, file, loop, inside) {
  const on = values.any ? 'any' : 'wlin';
  const command =
    name === 'ring'
      ? [process.execPath, import.meta.filename, '--receive', on, '--modules', values.modules]
      : // 64 MiB as well; in one direction only on `any`, where the sender's side is seen too.
        ['tcpdump', '-i', on, '-n', '-B', '65536', '-w', '/dev/null'];
  const child = spawn('ip', [...inside, ...command], { stdio: ['ignore', 'pipe', 'pipe'] });
  const said = { text: '' };
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes) => (said.text += bytes));
  const ended = new Promise((resolve) => child.on('close', resolve));
  while (!/ready|listening on/.test(said.text)) {
    if (child.exitCode !== null) throw new Error(said.text);
    await sleep(20);
  }
  await sleep(300);
  const cpuBefore = processorUs(child.pid);
  const replay = spawnSync(
    'ip',
    [
      ...inside,
      'tcpreplay',
      '--intf1=wlout',
      '--preload-pcap',
      `--loop=${loop}`,
      ...(values.rate === '0' ? ['--topspeed'] : [`--pps=${values.rate}`]),
      file,
    ],
    { encoding: 'utf8' },
  );
  if (replay.status !== 0) throw new Error(replay.stderr);
  const [, sentText, secondsText] = /Actual: (\d+) packets .* sent in ([\d.]+) seconds/.exec(replay.stdout);
  const sent = Number(sentText) * (values.any ? 2 : 1);
  await sleep(1000);
  const cpuUs = processorUs(child.pid) - cpuBefore;
  child.kill('SIGINT');
  await ended;
  const rate = Number(sentText) / Number(secondsText);
  if (name === 'ring') {
    const result = JSON.parse(said.text.trim().split('\n').at(-1));
    return { sent, rate, packets: result.packets, dropped: result.dropped, cpuUs };
  }
  const count = (word) => Number(new RegExp(`(\\d+) packets? ${word}`).exec(said.text)?.[1]);
  return { sent, rate, packets: count('captured'), dropped: count('dropped by kernel'), cpuUs };
}

/** User and system time of a process and all its threads so far. */
function processorUs(pid) {
  // `ip netns exec` becomes the program, so the id is the program's.
  if (!existsSync(`/proc/${pid}/stat`)) return 0;
  let ns = 0;
  const { stdout } = spawnSync('sh', ['-c', `cat /proc/${pid}/task/*/schedstat`], { encoding: 'utf8' });
  for (const text of stdout.trim().split('\n')) ns += Number(text.split(' ')[0]);
  if (ns > 0) return ns / 1000;
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10_000;
}
