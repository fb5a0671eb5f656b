import { UserError } from '../model/errors.ts';
import { Database } from './database.ts';
import { type Engine, SqliteError } from './engine.ts';
import { readDatabase } from './query.ts';
import { APPLICATION_ID, SCHEMA_VERSION, TABLES } from './schema.ts';

/** Facts that `meta` may hold; what follows is not read. */
const META_ROWS = 1_000;
const AGAIN = 'analyse the capture again: wirelens analyze CAPTURE -o FILE';

/** What the file holds cannot be what a sink wrote. */
export function damagedStore(path: string, what: string): UserError {
  return new UserError('damaged-database', `the database is damaged: ${what}`, {
    place: { file: path },
    hint: AGAIN,
  });
}

/**
 * Runs `read`, which touches nothing but a database. What SQLite objects to, and what WebAssembly gives up at, is
 * the file's fault; anything else is ours.
 */
export function readingStore<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof UserError || error instanceof TypeError || error instanceof ReferenceError)
      throw error;
    throw damagedStore(path, error instanceof Error ? error.message : String(error));
  }
}

/** A SQLite file that `analyze` wrote, in memory: version and tables are checked, rows are not. */
export class StoreFile {
  readonly path: string;
  readonly database: Database;
  readonly meta: ReadonlyMap<string, string | null>;

  /** Throws UserError when it cannot be read, is another program's, or of another version. */
  constructor(engine: Engine, path: string) {
    this.path = path;
    const bytes = readDatabase(path);
    this.database = readingStore(path, () => new Database(engine, bytes));
    try {
      this.meta = readingStore(path, () => this.#open());
    } catch (error) {
      this.close();
      throw error;
    }
  }

  close(): void {
    this.database.close();
  }

  #open(): Map<string, string | null> {
    const { database } = this;
    database.run('PRAGMA temp_store = MEMORY; PRAGMA cache_size = -65536; PRAGMA trusted_schema = OFF');
    this.#checkVersion();
    this.#checkTables();
    const rows = database.rows(`SELECT name, value FROM meta LIMIT ${META_ROWS}`);
    return new Map(rows.map(([name, value]) => [String(name), value === null ? null : String(value)]));
  }

  #checkVersion(): void {
    const place = { file: this.path };
    const [[application, version]] = this.database.rows(
      'SELECT application_id, user_version FROM pragma_application_id, pragma_user_version',
    );
    if (application !== APPLICATION_ID) {
      throw new UserError('foreign-database', 'this SQLite file was not written by wirelens', {
        place,
        hint: 'write one with: wirelens analyze CAPTURE -o FILE; `wirelens sql` reads any',
      });
    }
    if (version !== SCHEMA_VERSION) {
      const older = Number(version) < SCHEMA_VERSION;
      throw new UserError(
        older ? 'older-schema' : 'newer-schema',
        `written by ${older ? 'an older' : 'a newer'} wirelens: its schema has version ${version}, this one reads ${SCHEMA_VERSION}`,
        { place, hint: older ? `${AGAIN}; \`wirelens sql\` still reads it` : 'update wirelens' },
      );
    }
  }

  /** Only plain tables: a view or a virtual table under such a name could go on for ever. */
  #checkTables(): void {
    const { database, path } = this;
    for (const { name } of TABLES) {
      const [found] = database.rows(
        `SELECT type, rootpage > 0, (SELECT count(*) FROM pragma_table_xinfo('${name}') WHERE hidden <> 0)
         FROM sqlite_schema WHERE name = '${name}'`,
      );
      if (found === undefined) throw damagedStore(path, `the table ${name} is missing`);
      const [type, stored, computed] = found;
      if (type !== 'table' || stored !== 1 || computed !== 0)
        throw damagedStore(path, `${name} is not a plain table`);
    }
  }
}

/** True when SQLite itself objected; for telling a wrong condition from a damaged file. */
export function isSqliteError(error: unknown): error is SqliteError {
  return error instanceof SqliteError;
}
