// The server's store is killed (SIGKILL) at random moments while batches come in: afterwards every acknowledged batch is
// there exactly once and whole, and no other one in part. Prints its seed.
//
//   node scripts/checks/store-kill.mjs [--rounds 25] [--seed N]
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { openDuckDbStore } from '../../dist/store/duckdb/open.js';
import { BATCH_COLUMNS } from '../../dist/transfer/batch-columns.js';
import { Checks } from './checks.mjs';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '25' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
    child: { type: 'string' },
    from: { type: 'string', default: '1' },
  },
});
const STREAMS = 3;
/** Rows of a batch: some small, some larger than a row group, which takes another way into the file. */
const rowsOf = (number) => (number % 17 === 0 ? 45_000 : 1 + ((number * 7919) % 3000));

function batch(number) {
  const rows = rowsOf(number);
  const columns = Object.fromEntries(
    BATCH_COLUMNS.map(({ name, nullable, type }) => [
      name,
      { form: 'all', value: nullable ? null : type === 'text' ? '' : 0 },
    ]),
  );
  columns.started_us = {
    form: 'numbers',
    values: Float64Array.from({ length: rows }, (_, index) => 1.7e15 + number * 1e6 + index),
    nulls: null,
  };
  columns.connection_id = { form: 'all', value: number };
  columns.method = { form: 'all', value: 'GET' };
  const places = Array.from({ length: rows }, (_, index) => `/batch/${number}/${index}`);
  columns.target = { form: 'codes', texts: places, codes: Int32Array.from(places, (_, index) => index) };
  return { rows, columns };
}

if (values.child !== undefined) await sendForEver(values.child, Number(values.from));
else await check(Number(values.rounds), Number(values.seed));

/** Says the number of each batch on standard output when it was acknowledged. */
async function sendForEver(directory, from) {
  const store = await openDuckDbStore({ directory, log: () => {}, memoryBytes: 256 * 2 ** 20 });
  process.stdout.write('open\n');
  let next = from;
  const one = async () => {
    for (;;) {
      const number = next;
      next += 1;
      const stream = `stream-${number % STREAMS}`;
      await store.append(
        batch(number),
        { agent: stream, node: null, pod: null, namespace: null },
        { stream, number },
      );
      process.stdout.write(`${number}\n`);
    }
  };
  await Promise.all([one(), one(), one(), one()]);
}

async function check(rounds, seed) {
  console.log(`store-kill: seed ${seed}, ${rounds} rounds`);
  let state = seed >>> 0;
  const random = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  const directory = mkdtempSync(path.join(tmpdir(), 'wirelens-kill-'));
  const acknowledged = new Set();
  let next = 1;
  const checks = new Checks();
  try {
    for (let round = 1; round <= rounds; round += 1) {
      const before = acknowledged.size;
      // A few rounds are killed while the database is opened.
      const delayMs = random() < 0.15 ? random() * 300 : 400 + random() * 1800;
      next = await oneRound(directory, next, delayMs, acknowledged);
      const problem = await verify(directory, acknowledged);
      const what = `round ${round}: killed after ${delayMs.toFixed(0)} ms, ${acknowledged.size - before} more batches acknowledged`;
      checks.report(what, problem === null ? [] : [problem]);
    }
    checks.report('batches were acknowledged', acknowledged.size > 0 ? [] : ['none was: nothing was tested']);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
  checks.finish();
}

function oneRound(directory, from, delayMs, acknowledged) {
  return new Promise((resolve, reject) => {
    const child = spawn(
      process.execPath,
      [fileURLToPath(import.meta.url), '--child', directory, '--from', String(from)],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    let highest = from - 1;
    let rest = '';
    const arm = (ms) => setTimeout(() => child.kill('SIGKILL'), ms);
    if (delayMs < 400) arm(delayMs);
    child.stdout.on('data', (bytes) => {
      const lines = (rest + bytes).split('\n');
      rest = lines.pop();
      for (const line of lines) {
        if (line === 'open') {
          if (delayMs >= 400) arm(delayMs);
        } else {
          acknowledged.add(Number(line));
          highest = Math.max(highest, Number(line));
        }
      }
    });
    child.on('error', reject);
    // Some numbers above may be stored without having been acknowledged: they are not used again.
    child.on('close', () => resolve(highest + 20));
  });
}

async function verify(directory, acknowledged) {
  const events = [];
  const store = await openDuckDbStore({
    directory,
    log: (event) => events.push(event),
    memoryBytes: 256 * 2 ** 20,
  });
  try {
    const facts = await store.facts();
    if (facts.keptAside.length > 0) return `the database was taken for damaged: ${JSON.stringify(events)}`;
    const { rows } = await store.sql(
      'SELECT connection_id, count(*), count(DISTINCT target), min(id), max(id) FROM observations GROUP BY connection_id',
      { rows: 1_000_000, milliseconds: 60_000 },
    );
    const stored = new Map(rows.map((row) => [row[0], row]));
    for (const [number, row] of stored) {
      if (row[1] !== rowsOf(number)) return `batch ${number} has ${row[1]} rows, not ${rowsOf(number)}`;
      if (row[2] !== rowsOf(number)) return `batch ${number} has rows twice`;
      if (row[4] - row[3] + 1 !== row[1]) return `batch ${number} has ids that are not consecutive`;
    }
    for (const number of acknowledged)
      if (!stored.has(number)) return `batch ${number} was acknowledged and is not there`;
    for (let stream = 0; stream < STREAMS; stream += 1) {
      const { last, missing } = await store.stream(`stream-${stream}`);
      const known = (number) =>
        number <= last && !missing.some(([from, to]) => number >= from && number <= to);
      for (const number of stored.keys())
        if (number % STREAMS === stream && !known(number))
          return `batch ${number} is stored, and its number is not`;
    }
    return null;
  } finally {
    await store.close();
  }
}
