// What `wirelens export` writes, read back by other programs: CSV by Python and by sqlite3, HAR by jq, Zeek's logs by
// their tabs. The rows must be those of the SQLite file that analyze writes.

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { FIXTURES, goldenFolders } from '../expected-exchanges.mjs';
import { Checks } from './checks.mjs';

const WIRELENS = path.join(FIXTURES, '..', 'bin', 'wirelens.js');
const NAMES = [
  'web-shop',
  'endings',
  'interim-responses',
  'odd-methods-and-targets',
  'vxlan-overlay',
  'gap-in-head',
];
const TEXT = { encoding: 'utf8', maxBuffer: 1 << 28 };

const PYTHON = `
import csv, json, sys
print(json.dumps(list(csv.reader(open(sys.argv[1], encoding="utf-8", newline=""), strict=True))))`;

function has(program, ...args) {
  return spawnSync(program, args, { stdio: 'ignore' }).status === 0;
}

function wirelens(...args) {
  const run = spawnSync(process.execPath, [WIRELENS, ...args, '-q', '--no-progress'], TEXT);
  if (run.status !== 0 && run.status !== 3) throw new Error(`wirelens ${args.join(' ')}: ${run.stderr}`);
}

/** Sentences about rows that differ. Numbers are compared as numbers, NULL and the empty text are one in CSV. */
function differences(wanted, found, what) {
  if (wanted.length !== found.length) return [`${what}: ${found.length} rows, not ${wanted.length}`];
  const same = (a, b) => a === b || (a !== '' && b !== '' && Number(a) === Number(b));
  return wanted.flatMap((row, index) =>
    row.flatMap((value, column) =>
      same(String(value ?? ''), String(found[index][column] ?? ''))
        ? []
        : [`${what}: row ${index + 1}, column ${column + 1}: ${found[index][column]}, not ${value}`],
    ),
  );
}

/** Rows of the view as arrays, by the sqlite3 program. */
function rowsOfView(store) {
  const out = execFileSync('sqlite3', ['-json', store, 'SELECT * FROM exchanges ORDER BY id'], TEXT);
  const rows = out === '' ? [] : JSON.parse(out);
  return { columns: rows.length === 0 ? [] : Object.keys(rows[0]), rows: rows.map(Object.values) };
}

function checkCsv(store, csv) {
  const view = rowsOfView(store);
  const [head, ...byPython] = JSON.parse(execFileSync('python3', ['-c', PYTHON, csv], TEXT));
  const byId = (a, b) => Number(a[0]) - Number(b[0]);
  const problems = view.columns.join() === head.join() ? [] : [`columns: ${head.join()}`];
  problems.push(...differences(view.rows, byPython.sort(byId), 'python'));
  const query = 'SELECT * FROM e ORDER BY CAST(id AS INTEGER)';
  const imported = execFileSync(
    'sqlite3',
    ['-json', '-cmd', '.mode csv', '-cmd', `.import ${csv} e`, '-cmd', '.mode json', ':memory:', query],
    TEXT,
  );
  problems.push(...differences(view.rows, JSON.parse(imported).map(Object.values), 'sqlite3 .import'));
  return problems;
}

function checkZeek(store, folder) {
  const read = (log) => {
    const lines = readFileSync(path.join(folder, `${log}.log`), 'utf8')
      .split('\n')
      .slice(0, -1);
    const fields = lines
      .find((line) => line.startsWith('#fields\t'))
      .split('\t')
      .slice(1);
    const rows = lines.filter((line) => !line.startsWith('#')).map((line) => line.split('\t'));
    return { fields, rows };
  };
  const [http, conn] = [read('http'), read('conn')];
  const count = (table) => Number(execFileSync('sqlite3', [store, `SELECT count(*) FROM ${table}`], TEXT));
  const problems = [];
  for (const [log, { fields, rows }, table] of [
    ['http', http, 'exchanges'],
    ['conn', conn, 'connections'],
  ]) {
    if (rows.length !== count(table))
      problems.push(`${log}.log: ${rows.length} rows, ${count(table)} ${table}`);
    for (const row of rows)
      if (row.length !== fields.length) problems.push(`${log}.log: ${row.length} fields`);
  }
  const uids = new Set(conn.rows.map((row) => row[1]));
  for (const row of http.rows)
    if (!uids.has(row[1])) problems.push(`http.log: uid ${row[1]} is not in conn.log`);
  return problems;
}

function checkHar(store, har) {
  const sql = 'SELECT coalesce(sum(status), 0) || " " || count(*) FROM exchanges WHERE method IS NOT NULL';
  const wanted = execFileSync('sqlite3', [store, sql.replaceAll('"', "'")], TEXT).trim();
  const jq = '"\\([.log.entries[].response.status] | add // 0) \\(.log.entries | length)"';
  const found = execFileSync('jq', ['-r', jq, har], TEXT).trim();
  return wanted === found ? [] : [`sum of statuses and entries: ${found}, not ${wanted}`];
}

const checks = new Checks();
const missing = [
  ['python3', '--version'],
  ['sqlite3', '--version'],
  ['jq', '--version'],
].filter((one) => !has(...one));
if (missing.length > 0) {
  checks.skip('exports read back', `${missing.map(([name]) => name).join(', ')} not installed`);
} else {
  const work = mkdtempSync(path.join(tmpdir(), 'wirelens-export-'));
  try {
    for (const { name, folder, capture } of goldenFolders().filter((one) => NAMES.includes(one.name))) {
      const file = path.join(folder, capture);
      const at = (ending) => path.join(work, `${name}${ending}`);
      wirelens('analyze', file, '--no-summary', '-o', at('.sqlite'));
      wirelens('export', file, '--format', 'csv', '-w', at('.csv'));
      wirelens('export', file, '--format', 'har', '-w', at('.har'));
      wirelens('export', file, '--format', 'zeek', '-w', at('.logs'));
      checks.report(`CSV of ${name}`, checkCsv(at('.sqlite'), at('.csv')));
      checks.report(`HAR of ${name}`, checkHar(at('.sqlite'), at('.har')));
      checks.report(`Zeek logs of ${name}`, checkZeek(at('.sqlite'), at('.logs')));
    }
  } finally {
    rmSync(work, { recursive: true });
  }
}
checks.finish();
