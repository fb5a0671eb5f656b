import { Worker } from 'node:worker_threads';
import { UserError } from '../model/errors.ts';
import type { Connection, Exchange } from '../model/exchange.ts';
import type { Limits } from '../model/limits.ts';
import type { RunClock } from '../model/packet.ts';
import type { ExchangeSink, RunRecord } from '../model/sink.ts';
import { Batch } from './batch.ts';
import { finalRows } from './final-rows.ts';
import { fileError, OutputFiles, partPath, type StoreOutput } from './output-file.ts';
import { Packer } from './packer.ts';
import type { FromWorker, ToWorker } from './worker-messages.ts';

export interface SqliteSinkOptions {
  /** The file to write. Further parts, above `limits.sqliteFileBytes`, are `NAME-2.sqlite` and so on. */
  readonly path: string;
  /** Overwrite what stands under that name. */
  readonly force: boolean;
  readonly limits: Pick<Limits, 'sqliteFileBytes'>;
  /** The run's clock; its epoch must be known when the first exchange comes. */
  readonly clock: RunClock;
  /** Written into `meta`. */
  readonly version: string;
  /** Names of the header fields that are kept, lower case: for who filters the file later. */
  readonly keptHeaders?: readonly string[];
}

/** A file that was written. */
export interface StoredFile {
  readonly path: string;
  readonly bytes: number;
  readonly exchanges: number;
}

export interface SqliteSink extends ExchangeSink {
  /** The files, in order; empty before `finish` has resolved. */
  files(): readonly StoredFile[];
  /** Time that the worker spent on storing, in ms; for benchmarks. */
  workerBusyMs(): number;
}

/** Batches under way (about 1 MB each) from which on `drain` asks to wait. */
const BATCHES_UNDER_WAY = 6;

/** How the exchanges of a run are divided into files. */
export interface StorePlan {
  readonly output: StoreOutput;
  /** What files share of which each stands on its own; null: the files are parts of one. */
  readonly run: string | null;
  /** Bytes of a database in memory after which the next file is begun. */
  readonly fileBytes: number;
  /** Batches under way (about 1 MB each) from which on `drain` asks to wait. */
  readonly batchesUnderWay: number;
  /** What is true when storing failed. */
  readonly afterFailure: string;
  begin(run: RunRecord): void;
  /** Whether the file is to end now. Asked between blocks of packets, where the run's record is true. */
  due(hasExchanges: boolean, isFull: boolean): boolean;
  /** What the small tables of a file say that others follow (`last` null), or of the last one; null: nothing. */
  record(last: RunRecord | null): RunRecord | null;
  /** The file is durable and has its name. */
  sealed(bytes: number, exchanges: number): void;
}

/** Parts of one file, all of which get their names at the end. */
class OneRun implements StorePlan {
  readonly output: StoreOutput;
  readonly run = null;
  readonly fileBytes: number;
  readonly batchesUnderWay = BATCHES_UNDER_WAY;
  readonly afterFailure = 'nothing was written; try again without -o, or with fewer captures at once';

  constructor({ path, force, limits }: SqliteSinkOptions) {
    this.output = new OutputFiles(path, force);
    this.fileBytes = limits.sqliteFileBytes;
  }

  begin(): void {}

  due(hasExchanges: boolean, isFull: boolean): boolean {
    return hasExchanges && isFull;
  }

  record(last: RunRecord | null): RunRecord | null {
    return last;
  }

  sealed(): void {}
}

/** The compiled worker: beside this module, or under dist/ when this module runs from source. */
function workerUrl(): URL {
  const compiled = import.meta.url.replace(/\/src\/store\/([^/]+)\.ts$/, '/dist/store/$1.js');
  return new URL('./sqlite-worker.js', compiled);
}

/**
 * Opens a SQLite file for writing. Rejects with UserError when the file exists, or its directory is missing or
 * not writable. After that a failure (disk full, out of memory) makes `drain` and `finish` reject with UserError.
 * The file appears, whole, when `finish` resolves; `abort` leaves nothing.
 */
export function createSqliteSink(options: SqliteSinkOptions): Promise<SqliteSink> {
  return Promise.resolve().then(() => new WorkerSink(options, new OneRun(options)));
}

/** Stores through a worker, as a plan says. */
export class WorkerSink implements SqliteSink {
  readonly #options: SqliteSinkOptions;
  readonly #plan: StorePlan;
  readonly #output: StoreOutput;
  readonly #worker: Worker;
  readonly #packer: Packer;
  readonly #free: ArrayBuffer[] = [];
  /** Connections of exchanges in the current part that have not come to their end. */
  readonly #open = new Set<Connection>();
  readonly #partExchanges: number[] = [0];
  readonly #partBytes: number[] = [];
  #lastConnection: Connection | null = null;
  #part = 1;
  /** The current part is larger than a file should be. */
  #isFull = false;
  #underWay = 0;
  #unsealed = 0;
  #busyMs = 0;
  #failure: UserError | null = null;
  #ended = false;
  #files: StoredFile[] = [];
  #waiting: { resolve: () => void; reject: (error: unknown) => void; until: () => boolean }[] = [];

  constructor(options: SqliteSinkOptions, plan: StorePlan) {
    this.#options = options;
    this.#plan = plan;
    this.#output = plan.output;
    try {
      this.#worker = new Worker(workerUrl());
    } catch (error) {
      this.#output.remove();
      throw error;
    }
    this.#worker.on('message', (message: FromWorker) => this.#receive(message));
    this.#worker.on('error', (error) => this.#fail(this.#storeError(error.message)));
    this.#worker.on('exit', () => {
      if (!this.#ended) this.#fail(this.#storeError('its thread ended'));
    });
    this.#packer = new Packer(
      { send: (batch) => this.#send(batch), take: () => this.#free.pop() ?? null },
      options.clock,
    );
  }

  begin(run: RunRecord): void {
    this.#plan.begin(run);
  }

  exchange(exchange: Exchange): void {
    if (this.#ended) return;
    const { connection } = exchange;
    if (connection !== this.#lastConnection) {
      this.#open.add(connection);
      this.#lastConnection = connection;
    }
    this.#partExchanges[this.#part - 1] += 1;
    this.#packer.exchange(exchange);
  }

  connection(connection: Connection): void {
    if (this.#ended) return;
    this.#open.delete(connection);
    if (connection === this.#lastConnection) this.#lastConnection = null;
    this.#packer.connection(connection);
  }

  drain(): Promise<void> | null {
    if (this.#failure !== null) return Promise.reject(this.#failure);
    if (!this.#ended && this.#plan.due(this.#partExchanges[this.#part - 1] > 0, this.#isFull))
      this.#seal(null);
    const { batchesUnderWay } = this.#plan;
    if (this.#underWay < batchesUnderWay) return null;
    return this.#until(() => this.#underWay < batchesUnderWay);
  }

  async finish(run: RunRecord): Promise<void> {
    if (this.#failure !== null) throw this.#failure;
    this.#seal(run);
    await this.#until(() => this.#unsealed === 0);
    this.#ended = true;
    await this.#worker.terminate();
    const paths = this.#output.publish();
    this.#files = paths.map((path, index) => ({
      path,
      bytes: this.#partBytes[index],
      exchanges: this.#partExchanges[index],
    }));
  }

  async abort(): Promise<void> {
    this.#ended = true;
    await this.#worker.terminate();
    this.#output.remove();
    for (const { resolve } of this.#waiting) resolve();
    this.#waiting = [];
  }

  files(): readonly StoredFile[] {
    return this.#files;
  }

  workerBusyMs(): number {
    return this.#busyMs;
  }

  /** Ends the part; with `run` it is the last. Each part gets the connections that its exchanges refer to. */
  #seal(run: RunRecord | null): void {
    const part = this.#part;
    this.#isFull = false;
    for (const connection of this.#open) this.#packer.connection(connection, run === null);
    this.#open.clear();
    this.#lastConnection = null;
    this.#packer.restart();
    if (this.#failure !== null) return;
    try {
      const path = this.#output.begin(part);
      const { version, clock, keptHeaders = null } = this.#options;
      const facts = { version, clock, part, moreFollow: run === null, keptHeaders, run: this.#plan.run };
      const rows = finalRows(facts, this.#plan.record(run));
      this.#unsealed += 1;
      this.#post({ kind: 'seal', path, rows, part });
    } catch (error) {
      this.#fail(error instanceof UserError ? error : this.#storeError(String(error)));
    }
    this.#part += 1;
    this.#partExchanges.push(0);
  }

  #send(batch: Batch): void {
    this.#underWay += 1;
    this.#post({ kind: 'batch', buffer: batch.buffer, counts: { ...batch.counts }, part: this.#part }, [
      batch.buffer,
    ]);
  }

  #post(message: ToWorker, transfer: ArrayBuffer[] = []): void {
    this.#worker.postMessage(message, transfer);
  }

  #receive(message: FromWorker): void {
    if (message.kind === 'failed') {
      const { errno } = message;
      const path = partPath(this.#options.path, this.#partBytes.length + 1);
      this.#fail(errno === null ? this.#storeError(message.message) : fileError(path, { code: errno }));
      return;
    }
    if (message.kind === 'sealed') {
      this.#unsealed -= 1;
      this.#busyMs = message.busyMs;
      this.#partBytes[message.part - 1] = message.fileBytes;
      this.#named(message.part);
    } else {
      this.#underWay -= 1;
      if (Batch.isUsual(message.buffer)) this.#free.push(message.buffer);
      if (message.databaseBytes > this.#plan.fileBytes && message.part === this.#part) this.#isFull = true;
    }
    this.#settle();
  }

  #named(part: number): void {
    try {
      this.#output.sealed(part);
      this.#plan.sealed(this.#partBytes[part - 1], this.#partExchanges[part - 1]);
    } catch (error) {
      this.#fail(error instanceof UserError ? error : this.#storeError(String(error)));
    }
  }

  #until(reached: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject, until: reached });
      this.#settle();
    });
  }

  #settle(): void {
    this.#waiting = this.#waiting.filter(({ resolve, reject, until }) => {
      if (this.#failure !== null) reject(this.#failure);
      else if (until()) resolve();
      else return true;
      return false;
    });
  }

  /** The first failure counts. Nothing half-written stays, and what still comes is dropped. */
  #fail(error: UserError): void {
    if (this.#failure !== null || this.#ended) return;
    this.#failure = error;
    this.#ended = true;
    this.#output.remove();
    this.#worker.terminate().then(
      () => this.#settle(),
      () => this.#settle(),
    );
  }

  #storeError(message: string): UserError {
    return new UserError('store-failed', `cannot go on storing: ${message}`, {
      place: { file: this.#options.path },
      hint: this.#plan.afterFailure,
    });
  }
}
