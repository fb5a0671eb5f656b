import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { UserError } from '../model/errors.ts';
import { readProblem } from '../model/read-problem.ts';
import { Database, type Statement } from './database.ts';
import { type Engine, loadEngine, SqliteError, type SqlValue } from './engine.ts';

export type { SqlValue } from './engine.ts';

/** Larger files do not fit into the memory that WebAssembly can address beside SQLite's own. */
export const LARGEST_DATABASE_BYTES = 1_900_000_000;
const READ_BYTES = 16 * 1024 * 1024;
const MAGIC = 'SQLite format 3\0';
/** Bytes 18 and 19 of the header: 2 says write-ahead log, 1 rollback journal (SQLite file format §1.3). */
const WRITE_VERSION_AT = 18;
const WRITE_AHEAD = 2;

export interface SqlOptions {
  /** Rows to give at most. */
  readonly limit?: number;
}

/** A running query. */
export interface SqlResult {
  /** Column names, in order; two may be the same. */
  readonly columns: readonly string[];
  /**
   * Rows, one at a time, types kept: NULL is null, integers beyond 2^53 are bigint, blobs Uint8Array. May be
   * walked once; ends after `limit` rows. Throws UserError with SQLite's message.
   */
  readonly rows: Iterable<SqlValue[]>;
  /** After walking: whether there was a row beyond `limit`. */
  more(): boolean;
  /** Gives back the memory; also called when the rows have been walked to the end. May be called twice. */
  close(): void;
}

/**
 * Runs one statement that returns rows on a SQLite file. The file is read into memory and never changed.
 * Rejects with UserError when the file is missing, no database, damaged or too large, and when `query` is
 * wrong SQL, several statements, or a statement without rows.
 */
export async function runSql(path: string, query: string, options: SqlOptions = {}): Promise<SqlResult> {
  const bytes = readDatabase(path);
  return runSqlOn(await loadEngine(), bytes, path, query, options.limit ?? Number.POSITIVE_INFINITY);
}

/**
 * The bytes of a SQLite file, ready to be opened in memory. Throws UserError when it is missing, too large, no
 * database, or has changes in a write-ahead log.
 */
export function readDatabase(path: string): Uint8Array {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (error) {
    throw readError(path, error);
  }
  try {
    const stat = fstatSync(file);
    if (stat.isDirectory()) throw readError(path, { code: 'EISDIR' });
    if (stat.size > LARGEST_DATABASE_BYTES) {
      throw new UserError(
        'database-too-large',
        `the file has ${stat.size} bytes, too many to hold in memory`,
        {
          place: { file: path },
          hint: 'use the sqlite3 command on it',
        },
      );
    }
    const bytes = readWhole(file, stat.size);
    if (Buffer.from(bytes.buffer, 0, Math.min(16, bytes.length)).toString('latin1') !== MAGIC) {
      throw new UserError('not-a-database', 'this is not a SQLite file', {
        place: { file: path },
        hint: 'write one with: wirelens analyze CAPTURE -o FILE',
      });
    }
    leaveWriteAheadMode(path, bytes);
    return bytes;
  } catch (error) {
    throw error instanceof UserError ? error : readError(path, error);
  } finally {
    closeSync(file);
  }
}

function readWhole(file: number, size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  let at = 0;
  while (at < size) {
    const got = readSync(file, bytes, at, Math.min(READ_BYTES, size - at), at);
    if (got === 0) break;
    at += got;
  }
  return bytes.subarray(0, at);
}

/** In memory there is no write-ahead log; a database whose log is empty is as good without. */
function leaveWriteAheadMode(path: string, bytes: Uint8Array): void {
  if (bytes[WRITE_VERSION_AT] !== WRITE_AHEAD && bytes[WRITE_VERSION_AT + 1] !== WRITE_AHEAD) return;
  const log = statSync(`${path}-wal`, { throwIfNoEntry: false });
  if (log !== undefined && log.size > 0) {
    throw new UserError(
      'write-ahead-log',
      'another program keeps changes of this database in a write-ahead log',
      {
        place: { file: path },
        hint: 'close that program, or run: PRAGMA wal_checkpoint(TRUNCATE)',
      },
    );
  }
  bytes[WRITE_VERSION_AT] = 1;
  bytes[WRITE_VERSION_AT + 1] = 1;
}

const READ_HINTS: Readonly<Record<string, string>> = {
  EISDIR: 'name a SQLite file in it',
  EACCES: 'let your user read it, or run as one who may',
};

function readError(path: string, error: unknown): UserError {
  const { code } = error as NodeJS.ErrnoException;
  return new UserError('cannot-read', `cannot be read: ${readProblem(error)}`, {
    place: { file: path },
    hint: READ_HINTS[code ?? ''] ?? 'check the path',
    cause: error,
  });
}

function runSqlOn(engine: Engine, bytes: Uint8Array, path: string, query: string, limit: number): SqlResult {
  let database: Database;
  try {
    database = new Database(engine, bytes);
  } catch (error) {
    throw sqlError(path, error);
  }
  try {
    // Reads the header and the schema: what is wrong with the file shows here, before the query is blamed.
    database.rows('SELECT count(*) FROM sqlite_schema');
    database.run('PRAGMA query_only = ON; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -65536');
    const statement = onlyStatement(database, query);
    return new Running(database, statement, path, limit);
  } catch (error) {
    database.close();
    throw sqlError(path, error);
  }
}

function onlyStatement(database: Database, query: string): Statement {
  const { statement, rest } = database.prepareFirst(query);
  if (statement === null)
    throw new UserError('no-statement', 'the query is empty', { hint: 'give one SELECT' });
  let next: Statement | null = null;
  try {
    next = restOf(database, rest);
  } catch (error) {
    statement.finalize();
    throw error;
  }
  if (next !== null) {
    next.finalize();
    statement.finalize();
    throw new UserError('several-statements', 'the query holds more than one statement', {
      hint: 'run them one by one',
    });
  }
  if (statement.columnCount === 0) {
    statement.finalize();
    throw new UserError('no-rows-statement', 'the statement returns no rows; the file is only read', {
      hint: 'give a SELECT',
    });
  }
  return statement;
}

/** The next statement after the first; comments and empty statements are none. */
function restOf(database: Database, sql: string): Statement | null {
  let rest = sql;
  while (rest.trim() !== '') {
    const following = database.prepareFirst(rest);
    if (following.statement !== null) return following.statement;
    if (following.rest === rest) return null;
    rest = following.rest;
  }
  return null;
}

/** What went wrong in SQLite, as an error that the user can do something about. */
export function sqlError(path: string, error: unknown): UserError {
  if (error instanceof UserError) return error;
  if (error instanceof SqliteError) {
    const damaged = /disk image is malformed|not a database|malformed database schema/.test(error.message);
    if (damaged) {
      return new UserError('damaged-database', `the database is damaged: ${error.message}`, {
        place: { file: path },
      });
    }
    const hint = /no such (table|column)/.test(error.message)
      ? { hint: 'SELECT name, sql FROM sqlite_schema shows tables, views and columns' }
      : {};
    return new UserError('sql', `SQL: ${error.message}`, hint);
  }
  // WebAssembly traps and failed allocations: only damaged files and queries without measure get here.
  return new UserError(
    'sql',
    `the query could not be run: ${error instanceof Error ? error.message : String(error)}`,
    {
      place: { file: path },
      cause: error,
    },
  );
}

class Running implements SqlResult {
  readonly columns: readonly string[];
  readonly rows: Iterable<SqlValue[]>;
  readonly #database: Database;
  readonly #statement: Statement;
  #open = true;
  #more = false;

  constructor(database: Database, statement: Statement, path: string, limit: number) {
    this.#database = database;
    this.#statement = statement;
    this.columns = statement.columnNames();
    this.rows = this.#walk(path, limit);
  }

  more(): boolean {
    return this.#more;
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#statement.finalize();
    this.#database.close();
  }

  *#walk(path: string, limit: number): Generator<SqlValue[], void, void> {
    let left = limit;
    try {
      while (this.#open && this.#statement.step()) {
        if (left <= 0) {
          this.#more = true;
          return;
        }
        left -= 1;
        yield this.#statement.row();
      }
    } catch (error) {
      throw sqlError(path, error);
    } finally {
      this.close();
    }
  }
}
