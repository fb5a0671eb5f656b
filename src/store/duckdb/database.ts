import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, rmSync, statfsSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { UserError } from '../../model/errors.ts';
import { closing, isDamage, isNewer, messageOf } from './failure.ts';
import { readRows } from './row-reading.ts';
import { SCHEMA_VERSION, TABLES, VIEWS } from './schema.ts';
import { STORED_COLUMNS, type StoredColumn } from './storage-columns.ts';
import type { StoreLog } from './store-event.ts';
import { STORE_LIMITS } from './store-limits.ts';

export const DATABASE_NAME = 'exchanges.duckdb';

/** As what the file is attached: that, unlike opening it directly, lets the size of its row groups be chosen. */
export const CATALOG = 'exchanges';
/** Times `logBytes`: a log that our own checkpoints could not work into the file is so by DuckDB's. */
const AUTOMATIC_CHECKPOINT = 4;
/**
 * Rows that lie together in the file; the fewer, the fewer are read for the newest page. A commit of more goes into the file
 * in part and into the log with the rest, which leaves many small groups to be put together later.
 */
export const ROW_GROUP_ROWS = 40_960;

/** How often a database that is being closed looks whether its connections are. */
const CLOSING_MS = 5;

/** The opened file, with everything that could let SQL out of it shut. */
export class Database {
  readonly #instance: DuckDBInstance;
  readonly #connections = new Set<DuckDBConnection>();
  #connecting = 0;
  #isClosing = false;
  /** Columns of the table of exchanges, in the file's order. */
  readonly columns: readonly StoredColumn[];
  readonly file: string;

  constructor(instance: DuckDBInstance, file: string, columns: readonly StoredColumn[]) {
    this.#instance = instance;
    this.file = file;
    this.columns = columns;
  }

  /** To be given back by `release`. Rejects when the database is being closed. */
  async connect(): Promise<DuckDBConnection> {
    if (this.#isClosing) throw closing();
    this.#connecting += 1;
    try {
      const connection = await this.#instance.connect();
      await connection.run(`USE ${CATALOG}`);
      this.#connections.add(connection);
      return connection;
    } finally {
      this.#connecting -= 1;
    }
  }

  release(connection: DuckDBConnection): void {
    this.#connections.delete(connection);
    connection.closeSync();
  }

  /**
   * Waits for what runs, interrupting it after `graceMs`, and works the write-ahead log into the file. The file must not
   * be opened again before: as long as a connection lives DuckDB keeps it open, and a second instance of one file in
   * one process loses rows without a word.
   */
  async close(graceMs: number): Promise<void> {
    this.#isClosing = true;
    const until = performance.now() + graceMs;
    while (this.#connecting > 0 || this.#connections.size > 0) {
      if (performance.now() >= until) for (const connection of this.#connections) connection.interrupt();
      await new Promise((resolve) => setTimeout(resolve, CLOSING_MS));
    }
    this.#instance.closeSync();
  }

  /** Bytes of the file and its write-ahead log on the disk. */
  fileBytes(): number {
    return sizeOf(this.file) + sizeOf(`${this.file}.wal`);
  }

  freeDiskBytes(): number {
    const { bavail, bsize } = statfsSync(path.dirname(this.file));
    return bavail * bsize;
  }
}

export interface OpenedDatabase {
  readonly database: Database;
  /** Names of the files that were damaged and put aside. */
  readonly keptAside: readonly string[];
}

/**
 * Opens the database of a directory, or begins one. A damaged write-ahead log is put aside alone when the file is
 * good without it; a damaged file is put aside together with its log, and a new one is begun. Rejects with UserError
 * when the file belongs to a newer version, or may not be read or written; nothing is put aside then.
 */
export async function openDatabase(
  directory: string,
  memoryBytes: number,
  log: StoreLog,
): Promise<OpenedDatabase> {
  const file = path.join(directory, DATABASE_NAME);
  const keptAside: string[] = [];
  try {
    return { database: await openFile(file, memoryBytes), keptAside };
  } catch (error) {
    refuse(file, error);
    const suffix = damagedSuffix(file);
    if (existsSync(`${file}.wal`)) {
      renameSync(`${file}.wal`, `${file}${suffix}.wal`);
      keptAside.push(`${path.basename(file)}${suffix}.wal`);
      try {
        const database = await openFile(file, memoryBytes);
        log({
          level: 'error',
          code: 'log-damaged',
          message: `the write-ahead log was damaged and is kept as ${keptAside[0]}; exchanges since the last checkpoint are only there`,
          facts: { reason: messageOf(error) },
        });
        return { database, keptAside };
      } catch (without) {
        refuse(file, without);
      }
    }
    renameSync(file, `${file}${suffix}`);
    keptAside.unshift(`${path.basename(file)}${suffix}`);
    log({
      level: 'error',
      code: 'database-damaged',
      message: `the database was damaged and is kept as ${keptAside.join(' and ')}; a new one is begun`,
      facts: { reason: messageOf(error) },
    });
    return { database: await openFile(file, memoryBytes), keptAside };
  }
}

/** Puts the closed files of a database aside that turned out to be damaged while it was used. */
export function putAside(directory: string): string[] {
  const file = path.join(directory, DATABASE_NAME);
  const suffix = damagedSuffix(file);
  const names: string[] = [];
  for (const end of ['', '.wal']) {
    if (!existsSync(file + end)) continue;
    renameSync(file + end, file + suffix + end);
    names.push(path.basename(file + suffix + end));
  }
  return names;
}

async function openFile(file: string, memoryBytes: number): Promise<Database> {
  const directory = path.dirname(file);
  const temporary = path.join(directory, 'temporary');
  rmSync(temporary, { recursive: true, force: true });
  mkdirSync(temporary);
  const instance = await DuckDBInstance.create(':memory:', {
    memory_limit: `${Math.floor(memoryBytes / 1024)}KiB`,
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
    allow_community_extensions: 'false',
  });
  try {
    const connection = await instance.connect();
    try {
      const text = (value: string): string => `'${value.replaceAll("'", "''")}'`;
      const settings = [
        `SET temp_directory = ${text(temporary)}`,
        `SET max_temp_directory_size = '${STORE_LIMITS.temporaryBytes / 1024}KiB'`,
        // Checkpoints does it earlier, and not in the middle of a commit.
        `SET wal_autocheckpoint = '${(STORE_LIMITS.logBytes * AUTOMATIC_CHECKPOINT) / 1024}KiB'`,
        'SET preserve_insertion_order = true',
        // DuckDB counts all processors, also those that this process may not use: its threads would wait busily for each other.
        `SET threads = ${availableParallelism()}`,
        'SET enable_external_access = false',
        'SET lock_configuration = true',
      ];
      await connection.run(`ATTACH ${text(file)} AS ${CATALOG} (ROW_GROUP_SIZE ${ROW_GROUP_ROWS})`);
      await connection.run(`USE ${CATALOG}`);
      for (const sql of settings) await connection.run(sql);
      const columns = await settleSchema(connection);
      return new Database(instance, file, columns);
    } finally {
      connection.closeSync();
    }
  } catch (error) {
    instance.closeSync();
    throw error;
  }
}

/** Makes what is missing, in one transaction. Columns that a later version of the batch has are added. */
async function settleSchema(connection: DuckDBConnection): Promise<StoredColumn[]> {
  await connection.run('BEGIN');
  for (const sql of TABLES) await connection.run(sql);
  const version = await readRows(connection, "SELECT value FROM store.meta WHERE name = 'schema_version'");
  if (version.rows.length === 0)
    await connection.run(
      `INSERT INTO store.meta VALUES ('schema_version', ${SCHEMA_VERSION}), ('last_id', 0)`,
    );
  else if (Number(version.rows[0][0]) > SCHEMA_VERSION)
    throw new Error(`the file is of a newer version: schema ${version.rows[0][0]}`);
  const existing = await readRows(
    connection,
    "SELECT name, type FROM pragma_table_info('store.exchange_rows')",
  );
  const columns = existing.rows.map(([name, type]) => ({ name, type }) as StoredColumn);
  for (const { name, type } of STORED_COLUMNS) {
    if (columns.some((column) => column.name === name)) continue;
    await connection.run(`ALTER TABLE store.exchange_rows ADD COLUMN ${name} ${type}`);
    columns.push({ name, type });
  }
  // Nothing is written when nothing changed: a full disk must not keep a file from being read.
  const views = fingerprint(VIEWS);
  const known = await readRows(connection, "SELECT value FROM store.meta WHERE name = 'views'");
  if (known.rows[0]?.[0] !== views) {
    for (const sql of VIEWS) await connection.run(sql);
    await connection.run("DELETE FROM store.meta WHERE name = 'views'");
    await connection.run(`INSERT INTO store.meta VALUES ('views', ${views})`);
  }
  await connection.run('COMMIT');
  return columns;
}

/** Throws when the file is not damaged but cannot be used. */
function refuse(file: string, error: unknown): void {
  const message = messageOf(error);
  const fail = (code: string, text: string, hint: string): never => {
    throw new UserError(code, text, { place: { file }, hint, cause: error });
  };
  if (/could not set lock/i.test(message))
    fail('store-in-use', 'another process has the database open', 'stop it, or use another directory');
  if (isNewer(error))
    fail(
      'store-newer',
      'the database was written by a newer version',
      'update wirelens, or use another directory',
    );
  if (/permission denied|EACCES|EPERM|read-only file system|EROFS/i.test(message))
    fail(
      'store-not-writable',
      'the database may not be read and written',
      'check owner and mode of the data directory',
    );
  if (/no space left|ENOSPC|disk quota/i.test(message))
    fail('disk-full', 'the disk of the data directory is full', 'make room, or use another directory');
  if (!isDamage(error)) throw error;
}

/** A name that is not taken yet. */
function damagedSuffix(file: string): string {
  const suffix = `.damaged-${new Date().toISOString().replace(/[-:]|\.\d+/g, '')}`;
  for (let number = 1; ; number += 1) {
    const one = number === 1 ? suffix : `${suffix}-${number}`;
    if (!existsSync(file + one) && !existsSync(`${file}${one}.wal`)) return one;
  }
}

/** Changes whenever the SQL of a relation does. Below 2^48. */
function fingerprint(texts: readonly string[]): number {
  return Number.parseInt(createHash('sha256').update(texts.join('\n')).digest('hex').slice(0, 12), 16);
}

function sizeOf(file: string): number {
  try {
    return statSync(file).size;
  } catch {
    return 0;
  }
}
