// Live capture beside others: packets of a recording sent over a veth pair, received of sent, drops, CPU time per packet.
//
//     node bench/live.mjs [--seconds N] [--rates 50000,150000,topspeed] [--runs N] [--modules FOLDER] [--only WORD,…]
//                         [--sender tcpreplay|sendmmsg]
//
// --sender: tcpreplay, or bench/live/send.mjs, which is faster.
// --modules: a folder where `npm install cap pcap` was done, for these two. Needs root, tcpreplay, nginx, wrk, tcpdump.
// Figures are medians of runs that alternate between the programs. Nothing here passes or fails by time.

import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Lab, twoHosts } from '../scripts/checks/live/namespaces.mjs';
import { installed, until } from '../scripts/checks/live/programs.mjs';
import { peakBytes, processorNs } from './live/processor-time.mjs';
import { receivers, WIRELENS } from './live/receivers.mjs';
import { packetsIn, recordTraffic, SENDERS } from './live/traffic.mjs';
import { median } from './measure.mjs';

/** Of the recording, which is sent again with other addresses until there are enough packets. */
const RECORDED_SECONDS = 4;
/** What a veth pair comes near to, for the number of rounds at full speed. */
const TOPSPEED = 400_000;

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '5' },
    rates: { type: 'string', default: '50000,150000,topspeed' },
    runs: { type: 'string', default: '3' },
    modules: { type: 'string' },
    only: { type: 'string' },
    sender: { type: 'string', default: 'tcpreplay' },
  },
});
const seconds = Number(values.seconds);
const runs = Number(values.runs);
const rates = values.rates.split(',').map((rate) => (rate === 'topspeed' ? rate : Number(rate)));
if (!(seconds > 0) || !(runs >= 1) || rates.some((rate) => rate !== 'topspeed' && !(rate > 0))) {
  console.error('bench: --seconds, --runs and --rates take numbers above 0, --rates also topspeed');
  process.exit(2);
}
const sender = SENDERS[values.sender];
if (sender === undefined) {
  console.error(`bench: --sender is one of ${Object.keys(SENDERS).join(', ')}`);
  process.exit(2);
}
const missing = ['ip', 'ethtool', 'tcpreplay', 'nginx', 'wrk', 'tcpdump'].filter((tool) => !installed(tool));
if (process.platform !== 'linux' || process.getuid() !== 0 || missing.length > 0) {
  console.error(`bench: it needs Linux, root${missing.length > 0 ? ` and ${missing.join(', ')}` : ''}`);
  process.exit(1);
}

const DATA = path.resolve(import.meta.dirname, 'data');
const FILE = path.join(DATA, 'live.pcap');
mkdirSync(DATA, { recursive: true });
if (!existsSync(FILE)) {
  console.log(`recording ${RECORDED_SECONDS} s of nginx and wrk …`);
  await recordTraffic(FILE, RECORDED_SECONDS);
}
await sender.prepare(FILE);
const PACKETS = packetsIn(FILE);
const EXCHANGES = exchangesOfOneRound();
console.log(`${PACKETS} packets with ${EXCHANGES} exchanges, sent again and again between other addresses`);
const programs = receivers(values.modules).filter(({ name, missing: reason = null }) => {
  if (values.only !== undefined && !values.only.split(',').some((word) => name.includes(word))) return false;
  if (reason !== null) console.log(`left out: ${name}: ${reason}`);
  return reason === null;
});
for (const rate of rates) await compare(rate);

function exchangesOfOneRound() {
  const words = [WIRELENS, 'analyze', FILE, '--format', 'json'];
  const { stdout } = spawnSync(process.execPath, words, { maxBuffer: 1 << 30, encoding: 'utf8' });
  return stdout.split('\n').length - 1;
}

async function compare(rate) {
  const rounds = Math.max(1, Math.round(((rate === 'topspeed' ? TOPSPEED : rate) * seconds) / PACKETS));
  const results = new Map(programs.map(({ name }) => [name, []]));
  for (let round = 0; round < runs; round++)
    for (const program of programs) results.get(program.name).push(await once(program, rate, rounds));
  const of = (name, key) => {
    const known = results.get(name).map((run) => run[key]);
    return known.includes(null) ? null : median(known);
  };
  const all = [...results.values()].flat();
  const sentRate = median(all.map(({ sent }) => sent.packets / sent.seconds));
  const [{ sent }] = all;
  console.log(
    `\n${rate === 'topspeed' ? 'full speed' : `${rate} packets/s`}: ${sent.packets} packets at ${Math.round(sentRate)}/s by ${values.sender}`,
  );
  const rows = [
    ['program', 'received', 'drops told', 'CPU µs/packet', 'times wirelens', 'exchanges', 'peak MB', 'runs'],
  ];
  const base = of(programs[0].name, 'cpuNs');
  for (const { name } of programs) {
    const [received, dropped, cpuNs, exchanges] = ['received', 'dropped', 'cpuNs', 'exchanges'].map((key) =>
      of(name, key),
    );
    rows.push([
      name,
      received === null ? '?' : `${((received / sent.packets) * 100).toFixed(2)} %`,
      dropped === null ? '?' : String(dropped),
      (cpuNs / 1000).toFixed(3),
      (cpuNs / base).toFixed(2),
      exchanges === null
        ? ''
        : `${(((exchanges * PACKETS) / (sent.packets * EXCHANGES)) * 100).toFixed(2)} %`,
      (of(name, 'peak') / 1e6).toFixed(0),
      String(runs),
    ]);
  }
  print(rows);
}

/** One run: {sent, received, dropped, exchanges, cpuNs (per packet received), peak}. */
async function once({ name, words, ready, counts }, rate, rounds) {
  const lab = new Lab();
  try {
    const { client, server } = twoHosts(lab, { quiet: true });
    const inside = [...server.in, ...words];
    const child = spawn(inside[0], inside.slice(1), { stdio: ['ignore', 'pipe', 'pipe'] });
    const said = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'])
      child[name].on('data', (bytes) => (said[name] = (said[name] + bytes.subarray(-4000)).slice(-4000)));
    const ended = new Promise((resolve) => child.on('close', resolve));
    await until(() => ready.test(said.stdout + said.stderr) || child.exitCode !== null, `start of ${name}`);
    if (child.exitCode !== null) throw new Error(`${name}: ${said.stderr}`);
    await sleep(500);
    const beforeNs = processorNs(child.pid);
    const sent = await sender.send(client, FILE, rate, rounds);
    await idle(child.pid);
    const spentNs = processorNs(child.pid) - beforeNs;
    const peak = peakBytes(child.pid);
    child.kill('SIGINT');
    await ended;
    const counted = counts(said);
    if (counted.received === null) throw new Error(`${name} did not say what it received: ${said.stderr}`);
    return { ...counted, sent, cpuNs: spentNs / Math.max(1, counted.received), peak };
  } finally {
    lab.remove();
  }
}

/** Waits until the process has nothing to do: less than 5 % of a processor for half a second. */
async function idle(pid) {
  for (let beforeNs = processorNs(pid), endMs = Date.now() + 60_000; Date.now() < endMs; ) {
    await sleep(500);
    const nowNs = processorNs(pid);
    if (nowNs === null || nowNs - beforeNs < 25e6) return;
    beforeNs = nowNs;
  }
}

function print(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  for (const row of rows)
    console.log(
      row
        .map((cell, column) => (column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column])))
        .join('  '),
    );
}
