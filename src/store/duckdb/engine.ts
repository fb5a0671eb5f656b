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
import { rewriteRanges } from './batch-ranges.ts';
import type { Waiting } from './committer.ts';
import type { Database } from './database.ts';
import { DatabaseKeeper, type DatabaseOptions, type OpenDatabase } from './database-keeper.ts';
import { exchangeDetail } from './exchange-detail.ts';
import { closing, diskFull, isDamage, isOutOfMemory, needsReopening } from './failure.ts';
import type { KnownState } from './known-state.ts';
import { type ListedRows, type ListTask, listRows } from './list-rows.ts';
import type { Extent } from './page-windows.ts';
import { ReaderPool } from './reader-pool.ts';
import { type RedTask, redRows } from './red-rows.ts';
import { expire, type RetentionOptions } from './retention.ts';
import { runSandboxed } from './sandbox.ts';
import { STORE_LIMITS } from './store-limits.ts';

export interface EngineOptions extends DatabaseOptions, RetentionOptions {
  /** Told after each commit with rows. */
  readonly committed: (afterId: number) => void;
}

/** How often it is looked for what to tidy up. */
const TIDY_MS = 10_000;
const CLOSING_GRACE_MS = 5_000;
/** Part of the size limit that is written between two looks. */
const LOOK_AFTER = 0.05;

/** Carries out the requests of the store on its one database. Runs in the store's worker thread. */
export class Engine {
  readonly #options: EngineOptions;
  readonly #keeper: DatabaseKeeper;
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

  private constructor(options: EngineOptions, keeper: DatabaseKeeper) {
    this.#options = options;
    this.#keeper = keeper;
    const database = async (): Promise<Database> => (await keeper.current()).database;
    this.#questions = new ReaderPool(STORE_LIMITS.questionsAtOnce, STORE_LIMITS.questionsWaiting, database);
    this.#sql = new ReaderPool(STORE_LIMITS.sqlAtOnce, STORE_LIMITS.questionsWaiting, database);
    this.#timer = setInterval(() => void this.tidy().catch(() => {}), TIDY_MS);
    this.#timer.unref();
  }

  /** Rejects with UserError when the directory cannot be used. */
  static async open(options: EngineOptions): Promise<Engine> {
    return new Engine(options, await DatabaseKeeper.open(options));
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
    const ranges = (await this.#keeper.current()).state.streams.get(name);
    return { last: ranges?.last ?? 0, missing: ranges?.missing(1000) ?? [] };
  }

  report(report: AgentReport, receivedUs: number): Promise<void> {
    return this.#write(async () => {
      const { database, writer } = await this.#keeper.current();
      if (database.freeDiskBytes() < this.#options.diskReserveBytes) throw diskFull();
      await writeReport(writer, report, receivedUs, this.#options.log);
    });
  }

  agents(): Promise<AgentFacts[]> {
    return this.#ask(undefined, (connection, { state }) => readAgents(connection, state.agents));
  }

  list(task: ListTask, signal?: AbortSignal): Promise<ListedRows> {
    return this.#ask(signal, (connection, { state }) =>
      listRows(connection, task, extentOf(state), state.filled),
    );
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
    const { database, state } = await this.#keeper.current();
    return {
      engine: 'duckdb',
      exchanges: state.exchanges,
      observations: state.observations,
      oldestUs: state.oldestUs,
      newestUs: state.newestUs,
      fileBytes: database.fileBytes(),
      keptAside: [...this.#keeper.keptAside],
      expired: this.#expired,
      waiting: this.#waiting.length,
    };
  }

  /**
   * Deletes what is too old or too much, and writes the numbers of batches as few ranges; otherwise done every few
   * seconds.
   */
  tidy(): Promise<void> {
    return this.#write(async () => {
      await this.#expire();
      const { writer, state } = await this.#keeper.current();
      await rewriteRanges(writer, state);
    });
  }

  /** Waits for what was handed in. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#keeper.end();
    clearInterval(this.#timer);
    await this.#writing.catch(() => {});
    await this.#keeper.close(CLOSING_GRACE_MS);
  }

  #write<Result>(work: () => Promise<Result>): Promise<Result> {
    const run = this.#writing.then(work, work);
    this.#writing = run.catch((error: unknown) => this.#keeper.afterFailure(error));
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
        open = await this.#keeper.current();
      } catch (error) {
        for (const waiting of group) waiting.reject(error);
        continue;
      }
      const before = open.state.lastId;
      const refused = await open.committer.commit(group);
      if (refused === null && open.state.lastId > before) this.#options.committed(before);
      const failure = refused ?? (await open.checkpoints.after(open.state.lastId - before));
      if (failure !== null) await this.#keeper.afterFailure(failure);
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
      return await this.#questions.use(signal, async (connection) =>
        ask(connection, await this.#keeper.current()),
      );
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

  async #expire(): Promise<void> {
    this.#bytesSinceLook = 0;
    const { database, writer, state } = await this.#keeper.current();
    this.#expired += await expire(writer, database, state, this.#options, this.#options.log);
  }
}

function extentOf({ observations, exchanges, lastId, oldestUs, newestUs }: KnownState): Extent {
  return { rows: observations, furtherRows: observations - exchanges, lastId, oldestUs, newestUs };
}
