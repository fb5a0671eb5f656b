// Wirelens beside the public tools that are installed, on large captures that are made here.
//
//     npm run bench -- [--quick] [--megabytes N] [--runs N] [--only NAME,…] [--capture FILE] [--keep]
//
// Figures are medians of runs that alternate between the programs. Nothing here passes or fails by time.

import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { GENERATED } from './generate.mjs';
import { measure, medians, timeInstalled } from './measure.mjs';
import { nginxCaptureMissing, recordNginx } from './nginx-capture.mjs';

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    megabytes: { type: 'string' },
    runs: { type: 'string' },
    only: { type: 'string' },
    capture: { type: 'string' },
    generated: { type: 'boolean', default: false },
  },
});
const megabytes = Number(values.megabytes ?? (values.quick ? 20 : 1000));
const runs = Number(values.runs ?? (values.quick ? 1 : 5));
if (!(megabytes > 0) || !(runs >= 1)) {
  console.error('bench: --megabytes and --runs take a number above 0');
  process.exit(2);
}

const ROOT = path.resolve(import.meta.dirname, '..');
const DATA = path.join(ROOT, 'bench/data');
const WIRELENS = path.join(ROOT, 'bin/wirelens.js');
const SQLITE = path.join(DATA, 'out.sqlite');
mkdirSync(DATA, { recursive: true });

const TSHARK_FIELDS = ['frame.time_epoch', 'http.response.code', 'http.time', 'http.response_for.uri'];
/** Others first to last in the table; `share`: which part of the runs they get. */
const PROGRAMS = [
  { name: 'wirelens', command: process.execPath, args: (file) => [WIRELENS, 'analyze', file] },
  {
    name: 'wirelens -o',
    command: process.execPath,
    args: (file) => [WIRELENS, 'analyze', file, '--force', '-o', SQLITE],
  },
  { name: 'tcpdump -w /dev/null', needs: 'tcpdump', args: (file) => ['-r', file, '-w', '/dev/null'] },
  { name: 'httpry', needs: 'httpry', args: (file) => ['-r', file, '-o', '/dev/null', 'tcp'] },
  {
    name: 'tcpflow',
    needs: 'tcpflow',
    args: (file) => ['-r', file, '-o', path.join(DATA, 'tcpflow'), '-S', 'enable_report=NO'],
  },
  {
    name: 'tshark',
    needs: 'tshark',
    share: 0.4,
    args: (file) => [
      '-r',
      file,
      '-n',
      '-Y',
      'http.response',
      '-T',
      'fields',
      ...TSHARK_FIELDS.flatMap((field) => ['-e', field]),
    ],
  },
].filter(({ name, needs }) => {
  if (needs === undefined || spawnSync('sh', ['-c', `command -v ${needs}`]).status === 0) return true;
  console.log(`left out: ${name} is not installed`);
  return false;
});

/** Records of a classic little-endian pcap file, counted without holding the file; 0 for other formats. */
function packetsOf(file) {
  const opened = openSync(file, 'r');
  const block = Buffer.alloc(8 * 1024 * 1024);
  let packets = 0;
  let next = 24;
  let start = 0;
  for (let length = readSync(opened, block, 0, block.length, 0); length >= 16; ) {
    if (start === 0 && block.readUInt32LE(0) !== 0xa1b2c3d4) break;
    for (; next + 16 <= start + length; packets++) next += 16 + block.readUInt32LE(next - start + 8);
    start = next;
    length = readSync(opened, block, 0, block.length, start);
  }
  closeSync(opened);
  return packets;
}

async function captures() {
  if (values.capture !== undefined)
    return [{ name: path.basename(values.capture), file: values.capture, how: 'given' }];
  const wanted = values.only?.split(',') ?? Object.keys(GENERATED);
  const made = [];
  for (const name of wanted) {
    if (!(name in GENERATED)) {
      console.error(`bench: no capture ${name}; there are ${Object.keys(GENERATED).join(', ')}`);
      process.exit(2);
    }
    const real = name === 'small-exchanges' && !values.generated ? nginxCaptureMissing() : 'generated';
    const how = real === null ? 'nginx and wrk on loopback' : 'generated';
    if (real !== null && real !== 'generated')
      console.log(`${name}: generated, not recorded, because ${real}`);
    const file = path.join(DATA, `${name}-${megabytes}${real === null ? '-nginx' : ''}.pcap`);
    if (!existsSync(file)) {
      process.stdout.write(`making ${path.relative(ROOT, file)} … `);
      if (real === null)
        console.log(`${await recordNginx(file, megabytes * 1e6)} packets dropped by the kernel`);
      else console.log(`${GENERATED[name](file, megabytes * 1e6).packets} packets`);
    }
    made.push({ name, file, how });
  }
  return made;
}

/** Alternating runs of every program over one capture; medians by program name. */
async function compare(file) {
  const results = new Map(PROGRAMS.map(({ name }) => [name, []]));
  for (let round = 0; round < runs; round++) {
    for (const { name, needs, command, args, share = 1 } of PROGRAMS) {
      if (round >= Math.max(1, Math.round(runs * share))) continue;
      try {
        results.get(name).push(await measure(command ?? needs, args(file)));
      } finally {
        rmSync(path.join(DATA, 'tcpflow'), { recursive: true, force: true });
        rmSync(SQLITE, { force: true });
      }
    }
  }
  return [...results].map(([name, list]) => ({ name, runs: list.length, ...medians(list) }));
}

function print(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  for (const row of rows) {
    console.log(
      row
        .map((cell, column) => (column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column])))
        .join('  '),
    );
  }
}

const known = (value, text) => (value === null ? '?' : text(value));

if (!timeInstalled) console.log('GNU time is not installed: no CPU time and no peak memory');
for (const { name, file, how } of await captures()) {
  const { size } = statSync(file);
  const packets = packetsOf(file);
  console.log(`\n${name}: ${(size / 1e6).toFixed(0)} MB, ${packets} packets, ${how}`);
  const measured = await compare(file);
  const base = measured[0];
  const rows = [['program', 'seconds', 'CPU s', 'peak MB', 'MB/s', 'packets/s', 'times wirelens', 'runs']];
  for (const one of measured) {
    rows.push([
      one.name,
      (one.wallMs / 1000).toFixed(2),
      known(one.cpuMs, (ms) => (ms / 1000).toFixed(2)),
      known(one.peakBytes, (bytes) => (bytes / 1e6).toFixed(0)),
      (size / 1e3 / one.wallMs).toFixed(0),
      Math.round((packets / one.wallMs) * 1000).toString(),
      (one.wallMs / base.wallMs).toFixed(2),
      String(one.runs),
    ]);
  }
  print(rows);
}

const starts = { 'node -e 0': ['-e', '0'], 'wirelens --version': [WIRELENS, '--version'] };
const startRuns = Object.fromEntries(Object.keys(starts).map((name) => [name, []]));
for (let round = 0; round < (values.quick ? 5 : 21); round++) {
  for (const [name, args] of Object.entries(starts))
    startRuns[name].push(await measure(process.execPath, args));
}
const [bare, version] = Object.values(startRuns).map((list) => medians(list).wallMs);
console.log(
  `\nstart-up: node -e 0 ${bare.toFixed(0)} ms, wirelens --version ${version.toFixed(0)} ms, ${(version - bare).toFixed(0)} ms more`,
);
