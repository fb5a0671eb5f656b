// The disk under the server's store becomes full (a small tmpfs of its own): what was acknowledged stays, what is not
// stored is told so that it can be sent again, questions are answered, and everything goes on when there is room again.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Checks } from './checks.mjs';

const MEGABYTE = 2 ** 20;
const checks = new Checks();
const [mode, mounted] = process.argv.slice(2);
if (mode === '--inside') {
  await inside(mounted);
} else if (process.platform !== 'linux' || process.getuid() !== 0) {
  checks.skip('a full disk', 'it needs Linux and root');
} else if (spawnSync('unshare', ['--mount', 'true']).status !== 0) {
  checks.skip('a full disk', 'this system does not allow a mount namespace');
} else {
  const directory = mkdtempSync(path.join(tmpdir(), 'wirelens-full-'));
  const own = fileURLToPath(import.meta.url);
  const run = spawnSync(
    'unshare',
    [
      '--mount',
      'sh',
      '-c',
      `mount -t tmpfs -o size=160m tmpfs "$1" && exec "$2" "$3" --inside "$1"`,
      'sh',
      directory,
      process.execPath,
      own,
    ],
    { stdio: 'inherit' },
  );
  rmSync(directory, { recursive: true, force: true });
  process.exit(run.status ?? 1);
}
checks.finish();

async function inside(disk) {
  const { openDuckDbStore } = await import('../../dist/store/duckdb/open.js');
  const { BATCH_COLUMNS } = await import('../../dist/transfer/batch-columns.js');
  const events = [];
  const directory = path.join(disk, 'store');
  const open = (more = {}) =>
    openDuckDbStore({ directory, memoryBytes: 256 * MEGABYTE, log: (event) => events.push(event), ...more });
  let number = 0;
  const batch = (rows) => {
    const columns = Object.fromEntries(
      BATCH_COLUMNS.map(({ name, nullable, type }) => [
        name,
        { form: 'all', value: nullable ? null : type === 'text' ? '' : 0 },
      ]),
    );
    const places = Array.from(
      { length: rows },
      (_, index) => `/${number}/${index}/${Math.random()}${Math.random()}`,
    );
    columns.target = { form: 'codes', texts: places, codes: Int32Array.from(places, (_, index) => index) };
    columns.started_us = {
      form: 'numbers',
      values: Float64Array.from(places, () => 1.7e15 + Math.random() * 1e10),
      nulls: null,
    };
    return { rows, columns };
  };
  const origin = { agent: 'a', node: null, pod: null, namespace: null };
  let store = await open();
  let acknowledged = 0;
  const send = async (rows) => {
    number += 1;
    await store.append(batch(rows), origin, { stream: 's', number });
    acknowledged += rows;
  };
  const sendUntilFull = async (rows) => {
    for (let tries = 0; tries < 2000; tries += 1) {
      try {
        await send(rows);
      } catch (error) {
        return error;
      }
    }
    return null;
  };
  const told = (error) =>
    error === null
      ? ['it never was']
      : error.code === 'disk-full' && error.retry === true && error.name === 'StoreUnavailable'
        ? []
        : [`it was told as ${error.name} ${error.code}: ${error.message}`];
  const counted = async () => {
    const { exchanges } = await store.facts();
    const { rows } = await store.sql('SELECT count(*) FROM exchanges', { rows: 1, milliseconds: 10_000 });
    return exchanges === acknowledged && rows[0][0] === acknowledged
      ? []
      : [`${acknowledged} were acknowledged, ${rows[0][0]} are there, facts say ${exchanges}`];
  };
  const free = () => statfsSync(disk).bavail * statfsSync(disk).bsize;
  const ballast = path.join(disk, 'ballast');
  const fill = (left) => writeFileSync(ballast, Buffer.alloc(Math.max(0, free() - left)));

  fill(80 * MEGABYTE);
  await send(1000);
  checks.report('a full disk is told before it is full', told(await sendUntilFull(20_000)));
  checks.report('there is still room then', free() > 0 ? [] : ['there is none']);
  checks.report('what was acknowledged is there, and no more', await counted());
  const takesAgain = async () => {
    rmSync(ballast);
    return send(3000).then(
      () => [],
      (error) => [`${error.code}: ${error.message}`],
    );
  };
  checks.report('with room again it takes more', await takesAgain());
  await store.close();

  // Without looking ahead it is DuckDB that cannot write, at any place of a commit or checkpoint.
  store = await open({ diskReserveBytes: 0 });
  for (const left of [6 * MEGABYTE, 3 * MEGABYTE, 1 * MEGABYTE, 200_000, 0]) {
    fill(left);
    checks.report(`with ${left} bytes left it is told`, told(await sendUntilFull(3000)));
    checks.report(`with ${left} bytes left, what was acknowledged is there`, await counted());
    checks.report(`after ${left} bytes were left, it takes more`, await takesAgain());
    checks.report(`after ${left} bytes were left, all is there`, await counted());
  }
  fill(1 * MEGABYTE);
  checks.report('a large batch is told, too', told(await sendUntilFull(50_000)));
  checks.report('and leaves nothing', await counted());
  rmSync(ballast);
  await store.close();
  store = await open();
  checks.report('the same after it was opened again', await counted());
  checks.report(
    'no file was taken for damaged',
    (await store.facts()).keptAside.length === 0 ? [] : [JSON.stringify(events)],
  );
  await store.close();
}
