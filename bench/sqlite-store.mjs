// The rows of a server's database in SQLite, with the indexes that the same questions want, asked by Debian's sqlite3.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';

export const hasSqlite = () => spawnSync('sqlite3', ['-version']).status === 0;

const TYPES = { BIGINT: 'INTEGER', UBIGINT: 'INTEGER', DOUBLE: 'REAL', VARCHAR: 'TEXT' };

/**
 * Copies all rows of the store in `directory`, which must be closed, to `rows.sqlite` beside it. Columns that hold nothing are
 * left out, which is in SQLite's favour. Gives the seconds that it took, null: the rows were there already.
 */
export async function fillSqlite(directory, rows) {
  const file = path.join(directory, 'rows.sqlite');
  if (existsSync(file) && counted(file) === rows) return null;
  for (const end of ['', '-wal', '-shm']) rmSync(file + end, { force: true });
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  const quoted = (text) => `'${text.replaceAll("'", "''")}'`;
  await connection.run(`ATTACH ${quoted(path.join(directory, 'exchanges.duckdb'))} AS kept (READ_ONLY)`);
  const ask = async (sql) => (await connection.runAndReadAll(sql)).getRowsJson();
  const columns = await ask("SELECT name, type FROM pragma_table_info('kept.store.exchange_rows')");
  const [held] = await ask(
    `SELECT ${columns.map(([name]) => `count("${name}")`).join(', ')} FROM kept.store.exchange_rows`,
  );
  const kept = columns.filter((_, index) => Number(held[index]) > 0);
  const declared = kept.map(
    ([name, type]) => `"${name}" ${name === 'id' ? 'INTEGER PRIMARY KEY' : TYPES[type]}`,
  );
  // SQLite's integers have a sign; what is above them is shown by its bits.
  const values = kept.map(([name, type]) =>
    type === 'UBIGINT'
      ? `CASE WHEN "${name}" >= 9223372036854775808 THEN "${name}"::HUGEINT - 18446744073709551616 ELSE "${name}" END`
      : `"${name}"`,
  );
  const pipe = path.join(directory, 'rows.pipe');
  rmSync(pipe, { force: true });
  if (spawnSync('mkfifo', [pipe]).status !== 0) throw new Error('mkfifo failed');
  const began = performance.now();
  const sqlite = spawn('sqlite3', [file], { stdio: ['pipe', 'ignore', 'inherit'] });
  const ended = once(sqlite, 'close');
  sqlite.stdin.end(`PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
CREATE TABLE rows (${declared.join(', ')});
.mode ascii
.separator "\\037" "\\n"
.import "${pipe}" rows
`);
  await connection.run(
    `COPY (SELECT ${values.join(', ')} FROM kept.store.exchange_rows) TO ${quoted(pipe)}
     (FORMAT csv, HEADER false, DELIMITER E'\\x1f', QUOTE '', ESCAPE '', USE_TMP_FILE false)`,
  );
  const [code] = await ended;
  rmSync(pipe, { force: true });
  connection.closeSync();
  instance.closeSync();
  if (code !== 0 || counted(file) !== rows) throw new Error('SQLite could not load the rows');
  const loadSeconds = (performance.now() - began) / 1000;
  const indexBegan = performance.now();
  run(
    file,
    `CREATE INDEX by_time ON rows (started_us, id);
     CREATE INDEX by_client ON rows (client_low, client_high, started_us);
     CREATE INDEX by_server ON rows (server_low, server_high, started_us);
     ANALYZE;`,
  );
  return { loadSeconds, indexSeconds: (performance.now() - indexBegan) / 1000 };
}

export const sqliteBytes = (directory) => statSync(path.join(directory, 'rows.sqlite')).size;

/** Wall times in ms of statements, all asked in one process as by a server; the first one is not counted. */
export function askSqlite(directory, statements) {
  const { stdout, stderr } = spawnSync('sqlite3', [path.join(directory, 'rows.sqlite')], {
    input: `PRAGMA cache_size = -1000000;\n.timer on\n.output /dev/null\n${statements.join('\n')}\n`,
    encoding: 'utf8',
    maxBuffer: 1e8,
  });
  if (stderr !== '') throw new Error(`sqlite3: ${stderr}`);
  // Real time has whole milliseconds only, processor time microseconds.
  return [...stdout.matchAll(/Run Time: real ([\d.]+) user ([\d.]+) sys ([\d.]+)/g)]
    .slice(1)
    .map(([, real, user, system]) => Math.max(Number(real), Number(user) + Number(system)) * 1000);
}

function run(file, sql) {
  const { status, stdout, stderr } = spawnSync('sqlite3', [file, sql], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`sqlite3: ${stderr}`);
  return stdout;
}

function counted(file) {
  try {
    return Number(run(file, 'SELECT count(*) FROM rows'));
  } catch {
    return -1;
  }
}
