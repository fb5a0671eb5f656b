import type { DuckDBConnection } from '@duckdb/node-api';
import { StoreUnavailable } from '../exchange-store.ts';
import { Checkpoints } from './checkpoints.ts';
import { Committer } from './committer.ts';
import { type Database, openDatabase, putAside } from './database.ts';
import { closing, diskFull, isDamage, isDiskFull, messageOf, needsReopening } from './failure.ts';
import { type KnownState, readKnownState } from './known-state.ts';
import type { StoreLog } from './store-event.ts';

export interface DatabaseOptions {
  readonly directory: string;
  /** What DuckDB may use. */
  readonly memoryBytes: number;
  /** Of the disk, below which nothing is written; 0: no looking ahead. */
  readonly diskReserveBytes: number;
  readonly log: StoreLog;
}

/** The database and what writes to it: all of it is made anew when the database is opened anew. */
export interface OpenDatabase {
  readonly database: Database;
  /** The one connection that writes. */
  readonly writer: DuckDBConnection;
  readonly state: KnownState;
  readonly committer: Committer;
  readonly checkpoints: Checkpoints;
}

/** How soon a database is opened again that could not be. */
const REOPEN_MS = 1_000;

/** Keeps the database of a directory open, through failures after which it must be opened or begun anew. */
export class DatabaseKeeper {
  readonly #options: DatabaseOptions;
  readonly #keptAside: string[] = [];
  #open: OpenDatabase | null = null;
  #opening: Promise<void> | null = null;
  #lastOpeningMs = Number.NEGATIVE_INFINITY;
  #ended = false;

  private constructor(options: DatabaseOptions) {
    this.#options = options;
  }

  /** Rejects with UserError when the directory cannot be used. */
  static async open(options: DatabaseOptions): Promise<DatabaseKeeper> {
    const keeper = new DatabaseKeeper(options);
    await keeper.#openNow();
    return keeper;
  }

  /** Names of the files that were damaged and put aside. */
  get keptAside(): readonly string[] {
    return this.#keptAside;
  }

  /**
   * The open database; waits while it is being opened, and opens it when it could not be before. To be asked for anew by
   * each piece of work. Rejects with StoreUnavailable `failed`, `disk-full` or `closing`.
   */
  async current(): Promise<OpenDatabase> {
    if (this.#opening !== null) await this.#opening.catch(() => {});
    if (this.#open !== null) return this.#open;
    if (this.#ended) throw closing();
    if (performance.now() - this.#lastOpeningMs < REOPEN_MS)
      throw new StoreUnavailable('failed', 'the database cannot be opened just now', true);
    this.#opening = this.#openNow().finally(() => {
      this.#opening = null;
    });
    await this.#opening.catch((error: unknown) => {
      if (isDiskFull(error) || messageOf(error).includes('disk')) throw diskFull(error);
      throw new StoreUnavailable('failed', `the database cannot be opened: ${messageOf(error)}`, true, {
        cause: error,
      });
    });
    if (this.#open === null) throw closing();
    return this.#open;
  }

  /**
   * To be told of each failure, while nothing is being written. Nothing is told of the transaction's fate by some: the
   * file is the truth, so it is opened anew, or put aside and begun anew when it is damaged. Never rejects.
   */
  async afterFailure(error: unknown): Promise<void> {
    if (this.#open === null || error instanceof StoreUnavailable) return;
    const damaged = isDamage(error);
    if (!damaged && !needsReopening(error)) return;
    // Who asks meanwhile waits for it.
    this.#opening = this.#reopen(error, damaged).finally(() => {
      this.#opening = null;
    });
    await this.#opening.catch(() => {});
  }

  /** From now on the database is not opened again on demand. */
  end(): void {
    this.#ended = true;
  }

  /** After `end`, when nothing is being written: closes the database. Questions that run are interrupted after `graceMs`. */
  async close(graceMs: number): Promise<void> {
    await this.#opening?.catch(() => {});
    await this.#shut(graceMs);
  }

  async #openNow(): Promise<void> {
    this.#lastOpeningMs = performance.now();
    const { directory, memoryBytes, diskReserveBytes, log } = this.#options;
    const { database, keptAside } = await openDatabase(directory, memoryBytes, log);
    this.#keptAside.push(...keptAside);
    try {
      const writer = await database.connect();
      const state = await readKnownState(writer, log);
      this.#open = {
        database,
        writer,
        state,
        committer: new Committer(writer, database, state, diskReserveBytes, log),
        checkpoints: new Checkpoints(writer, database, memoryBytes, log),
      };
    } catch (error) {
      await database.close(0);
      throw error;
    }
  }

  async #reopen(error: unknown, damaged: boolean): Promise<void> {
    const { log, directory } = this.#options;
    await this.#shut(0);
    if (damaged) {
      const names = putAside(directory);
      this.#keptAside.push(...names);
      log({
        level: 'error',
        code: 'database-damaged',
        message: `the database turned out to be damaged and is kept as ${names.join(' and ')}; a new one is begun`,
        facts: { reason: messageOf(error) },
      });
    } else {
      log({
        level: 'warn',
        code: 'database-reopened',
        message: 'writing failed, and the database is opened anew',
        facts: { reason: messageOf(error) },
      });
    }
    await this.#openNow();
  }

  async #shut(graceMs: number): Promise<void> {
    const open = this.#open;
    this.#open = null;
    if (open === null) return;
    open.database.release(open.writer);
    await open.database.close(graceMs);
  }
}
