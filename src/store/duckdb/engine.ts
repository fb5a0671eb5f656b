import type { DuckDBConnection } from '@duckdb/node-api';
import type { BatchNumber, BatchOrigin, RowBatch } from '../../model/row-batch.ts';
import {
  type AgentFacts,
  type AgentReport,
  type Appended,
  type ExchangeDetail,
  type RedRow,
  type SqlAnswer,
  type SqlLimits,
  type StoreFacts,
  StoreUnavailable,
  type StreamState,
} from '../exchange-store.ts';
import { readAgents, writeReport } from './agent-reports.ts';
import { Checkpoints } from './checkpoints.ts';
import { Committer, type Waiting } from './committer.ts';
import { type Database, openDatabase, putAside } from './database.ts';
import { exchangeDetail } from './exchange-detail.ts';
import {
  closing,
  diskFull,
  isDamage,
  isDiskFull,
  isOutOfMemory,
  messageOf,
  needsReopening,
} from './failure.ts';
import { type KnownState, readKnownState } from './known-state.ts';
import { type ListedRows, type ListTask, listRows } from './list-rows.ts';
import type { Extent } from './page-windows.ts';
import { ReaderPool } from './reader-pool.ts';
import { type RedTask, redRows } from './red-rows.ts';
import { expire, type RetentionOptions, rewriteRanges } from './retention.ts';
import { runSandboxed } from './sandbox.ts';
import type { StoreLog } from './store-event.ts';
import { STORE_LIMITS } from './store-limits.ts';

export interface EngineOptions extends RetentionOptions {
  readonly directory: string;
  readonly memoryBytes: number;
  readonly diskReserveBytes: number;
  readonly log: StoreLog;
  /** Told after each commit with rows. */
  readonly committed: (afterId: number) => void;
}

/** How often retention looks, and how soon a database is opened again that could not be. */
const RETENTION_MS = 10_000;
const CLOSING_GRACE_MS = 5_000;
const REOPEN_MS = 1_000;
/** Part of the size limit that is written between two looks. */
const LOOK_AFTER = 0.05;

/** What lies between the methods of the store and the one database. Runs in the store's worker thread. */
export class Engine {
  readonly #options: EngineOptions;
  readonly #keptAside: string[] = [];
  #open: OpenDatabase | null = null;
  #opening: Promise<void> | null = null;
  #lastOpeningMs = Number.NEGATIVE_INFINITY;
  #waiting: Waiting[] = [];
  /** Everything that writes runs one after the other. */
  #writing: Promise<unknown> = Promise.resolve();
  #committing = false;
  #expired = 0;
  #bytesSinceLook = 0;
  #closed = false;
  readonly #timer: NodeJS.Timeout;
  readonly #questions: ReaderPool;
  readonly #sql: ReaderPool;

  private constructor(options: EngineOptions) {
    this.#options = options;
    const database = async (): Promise<Database> => (await this.#database()).database;
    this.#questions = new ReaderPool(STORE_LIMITS.questionsAtOnce, STORE_LIMITS.questionsWaiting, database);
    this.#sql = new ReaderPool(STORE_LIMITS.sqlAtOnce, STORE_LIMITS.questionsWaiting, database);
    this.#timer = setInterval(() => void this.#lookAfter(), RETENTION_MS);
    this.#timer.unref();
  }

  /** Rejects with UserError when the directory cannot be used. */
  static async open(options: EngineOptions): Promise<Engine> {
    const engine = new Engine(options);
    try {
      await engine.#openNow();
    } catch (error) {
      clearInterval(engine.#timer);
      throw error;
    }
    return engine;
  }

  append(batch: RowBatch, origin: BatchOrigin, number: BatchNumber | null, bytes: number): Promise<Appended> {
    if (this.#closed) return Promise.reject(closing());
    return new Promise((resolve, reject) => {
      this.#waiting.push({ batch, origin, number, bytes, resolve, reject });
      if (!this.#committing) {
        this.#committing = true;
        void this.#write(() => this.#commitAll());
      }
    });
  }

  async stream(name: string): Promise<StreamState> {
    const ranges = (await this.#database()).state.streams.get(name);
    return { last: ranges?.last ?? 0, missing: ranges?.missing(1000) ?? [] };
  }

  report(report: AgentReport, receivedUs: number): Promise<void> {
    return this.#write(async () => {
      const { database, writer } = await this.#database();
      if (database.freeDiskBytes() < this.#options.diskReserveBytes) throw diskFull();
      await writeReport(writer, report, receivedUs, this.#options.log);
    });
  }

  agents(): Promise<AgentFacts[]> {
    return this.#ask(undefined, (connection, { state }) => readAgents(connection, state.agents));
  }

  list(task: ListTask, signal?: AbortSignal): Promise<ListedRows> {
    return this.#ask(signal, (connection, { state }) => listRows(connection, task, extentOf(state)));
  }

  get(key: string): Promise<ExchangeDetail | null> {
    return this.#ask(undefined, (connection) => exchangeDetail(connection, key));
  }

  red(task: RedTask, signal?: AbortSignal): Promise<readonly RedRow[]> {
    return this.#ask(signal, (connection, { state }) => redRows(connection, task, extentOf(state)));
  }

  sql(text: string, limits: SqlLimits, signal?: AbortSignal): Promise<SqlAnswer> {
    if (this.#closed) return Promise.reject(closing());
    const { memoryBytes, directory } = this.#options;
    return this.#sql.use(signal, (connection) =>
      runSandboxed(connection, text, limits, { memoryBytes, directory }),
    );
  }

  async facts(): Promise<StoreFacts> {
    const { database, state } = await this.#database();
    return {
      engine: 'duckdb',
      exchanges: state.exchanges,
      observations: state.observations,
      oldestUs: state.oldestUs,
      newestUs: state.newestUs,
      fileBytes: database.fileBytes(),
      keptAside: [...this.#keptAside],
      expired: this.#expired,
      waiting: this.#waiting.length,
    };
  }

  /** Deletes what is too old or too much; otherwise done every few seconds. */
  expireNow(): Promise<void> {
    return this.#write(() => this.#expire());
  }

  /** Waits for what was handed in. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#timer);
    await this.#writing.catch(() => {});
    await this.#opening?.catch(() => {});
    await this.#shut(CLOSING_GRACE_MS);
  }

  #write<Result>(work: () => Promise<Result>): Promise<Result> {
    const run = this.#writing.then(work, work);
    this.#writing = run.catch(async (error: unknown) => {
      await this.#afterFailure(error);
    });
    return run;
  }

  /** Gathers while a commit runs: what comes meanwhile goes together into the next one. */
  async #commitAll(): Promise<void> {
    // One turn of the event loop for messages that have arrived already.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#waiting.length > 0) {
      const group = this.#takeGroup();
      let open: OpenDatabase;
      try {
        open = await this.#database();
      } catch (error) {
        for (const waiting of group) waiting.reject(error);
        continue;
      }
      const before = open.state.lastId;
      const refused = await open.committer.commit(group);
      if (refused === null && open.state.lastId > before) this.#options.committed(before);
      const failure = refused ?? (await open.checkpoints.after(open.state.lastId - before));
      if (failure !== null) await this.#afterFailure(failure);
      for (const { bytes } of group) this.#bytesSinceLook += bytes;
      const { maxBytes } = this.#options;
      if (maxBytes !== null && this.#bytesSinceLook > maxBytes * LOOK_AFTER)
        await this.#expire().catch(() => {});
    }
    this.#committing = false;
  }

  #takeGroup(): Waiting[] {
    let rows = 0;
    let count = 0;
    while (
      count < this.#waiting.length &&
      (count === 0 || rows + this.#waiting[count].batch.rows <= STORE_LIMITS.rowsPerCommit)
    ) {
      rows += this.#waiting[count].batch.rows;
      count += 1;
    }
    return this.#waiting.splice(0, count);
  }

  async #ask<Result>(
    signal: AbortSignal | undefined,
    ask: (connection: DuckDBConnection, open: OpenDatabase) => Promise<Result>,
  ): Promise<Result> {
    if (this.#closed) throw closing();
    try {
      return await this.#questions.use(signal, async (connection) => ask(connection, await this.#database()));
    } catch (error) {
      if (isDamage(error) || needsReopening(error)) {
        await this.#write(() => Promise.reject(error)).catch(() => {});
        throw new StoreUnavailable('failed', 'the database had to be opened anew; ask again', true, {
          cause: error,
        });
      }
      if (isOutOfMemory(error))
        throw new StoreUnavailable('busy', 'the store has no memory for this question just now', true, {
          cause: error,
        });
      throw error;
    }
  }

  /** The open database; opens it when it was given up. */
  async #database(): Promise<OpenDatabase> {
    if (this.#opening !== null) await this.#opening.catch(() => {});
    if (this.#open !== null) return this.#open;
    if (this.#closed) throw closing();
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

  async #openNow(): Promise<void> {
    this.#lastOpeningMs = performance.now();
    const { directory, memoryBytes, log } = this.#options;
    const { database, keptAside } = await openDatabase(directory, memoryBytes, log);
    this.#keptAside.push(...keptAside);
    try {
      const writer = await database.connect();
      const state = await readKnownState(writer, log);
      this.#open = {
        database,
        writer,
        state,
        committer: new Committer(writer, database, state, this.#options.diskReserveBytes, log),
        checkpoints: new Checkpoints(writer, database, memoryBytes, log),
      };
    } catch (error) {
      await database.close(0);
      throw error;
    }
  }

  /** Nothing is told of the transaction's fate by some failures: the file is the truth, so it is opened anew. */
  async #afterFailure(error: unknown): Promise<void> {
    if (this.#open === null || error instanceof StoreUnavailable) return;
    const damaged = isDamage(error);
    if (!damaged && !needsReopening(error)) return;
    // Who asks meanwhile waits for it.
    this.#opening = this.#reopen(error, damaged).finally(() => {
      this.#opening = null;
    });
    await this.#opening.catch(() => {});
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

  async #lookAfter(): Promise<void> {
    if (this.#closed) return;
    await this.#write(async () => {
      await this.#expire();
      const { writer, state } = await this.#database();
      await rewriteRanges(writer, state);
    }).catch(() => {});
  }

  async #expire(): Promise<void> {
    this.#bytesSinceLook = 0;
    const { database, writer, state } = await this.#database();
    this.#expired += await expire(writer, database, state, this.#options, this.#options.log);
  }
}

function extentOf({ observations, exchanges, lastId, oldestUs, newestUs }: KnownState): Extent {
  return { rows: observations, furtherRows: observations - exchanges, lastId, oldestUs, newestUs };
}

interface OpenDatabase {
  readonly database: Database;
  readonly writer: DuckDBConnection;
  readonly state: KnownState;
  readonly committer: Committer;
  readonly checkpoints: Checkpoints;
}
