import type { Worker } from 'node:worker_threads';
import type { BatchColumn, BatchNumber, BatchOrigin, RowBatch } from '../../model/row-batch.ts';
import {
  type AgentFacts,
  type AgentReport,
  type Appended,
  type ExchangeDetail,
  type ExchangePage,
  type ExchangeRow,
  type ExchangeStore,
  type ListQuery,
  type RedQuery,
  type RedRow,
  type SqlAnswer,
  type SqlLimits,
  type StoreFacts,
  StoreUnavailable,
  type StreamState,
} from '../exchange-store.ts';
import { decodeCursor, encodeCursor } from './cursor.ts';
import { busy, closing } from './failure.ts';
import type { ListedRows } from './list-rows.ts';
import type { DirectoryLock } from './lock-file.ts';
import type { FromStore, Question, ToStore } from './messages.ts';
import { selectionSql } from './selection-sql.ts';
import { unpackError } from './sent-error.ts';
import type { StoreLog } from './store-event.ts';
import { STORE_LIMITS } from './store-limits.ts';

interface Asked {
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

const LIST_LIMIT = 2000;
const RED_LIMIT = 10_000;

/** The store as a server's thread sees it: sends questions to the thread that owns the database. */
export class DuckDbStore implements ExchangeStore {
  readonly #worker: Worker;
  readonly #lock: DirectoryLock;
  readonly #log: StoreLog;
  readonly #asked = new Map<number, Asked>();
  readonly #listeners = new Set<(afterId: number) => void>();
  #nextId = 1;
  #waitingRows = 0;
  #waitingBytes = 0;
  #closing: Promise<void> | null = null;
  #failure: StoreUnavailable | null = null;

  constructor(worker: Worker, lock: DirectoryLock, log: StoreLog) {
    this.#worker = worker;
    this.#lock = lock;
    this.#log = log;
    worker.on('message', (message: FromStore) => this.#receive(message));
    worker.on('error', (error) => this.#fail(error instanceof Error ? error.message : String(error)));
    worker.on('exit', () => {
      if (this.#closing === null) this.#fail('its thread ended');
    });
  }

  async append(batch: RowBatch, origin: BatchOrigin, number: BatchNumber | null): Promise<Appended> {
    const bytes = batchBytes(batch);
    if (
      this.#waitingRows > 0 &&
      (this.#waitingRows + batch.rows > STORE_LIMITS.rowsWaiting ||
        this.#waitingBytes + bytes > STORE_LIMITS.bytesWaiting)
    )
      throw busy('batches');
    this.#waitingRows += batch.rows;
    this.#waitingBytes += bytes;
    try {
      return (await this.#ask({ kind: 'append', batch: own(batch), origin, number, bytes })) as Appended;
    } finally {
      this.#waitingRows -= batch.rows;
      this.#waitingBytes -= bytes;
    }
  }

  async stream(stream: string): Promise<StreamState> {
    return (await this.#ask({ kind: 'stream', stream })) as StreamState;
  }

  async report(report: AgentReport, receivedUs: number): Promise<void> {
    await this.#ask({ kind: 'report', report, receivedUs });
  }

  async agents(): Promise<readonly AgentFacts[]> {
    return (await this.#ask({ kind: 'agents' })) as AgentFacts[];
  }

  async list(query: ListQuery, signal?: AbortSignal): Promise<ExchangePage> {
    const { fromUs, toUs, sort, descending, afterId } = query;
    const limit = Math.min(Math.max(1, Math.trunc(query.limit)), LIST_LIMIT);
    const after = query.cursor === null ? null : decodeCursor(query.cursor, query);
    const selection = selectionSql(query);
    const columns = query.columns ?? null;
    const task = { selection, fromUs, toUs, sort, descending, limit, after, afterId, columns };
    const listed = (await this.#ask({ kind: 'list', task }, signal)) as ListedRows;
    const { names, rows, next, arrivals, lastId } = listed;
    return {
      rows: rows.map(
        (row) => Object.fromEntries(names.map((name, index) => [name, row[index]])) as ExchangeRow,
      ),
      next: next === null ? null : encodeCursor(sort, descending, next),
      arrivals,
      lastId,
    };
  }

  async get(key: string): Promise<ExchangeDetail | null> {
    return (await this.#ask({ kind: 'get', key })) as ExchangeDetail | null;
  }

  async red(query: RedQuery, signal?: AbortSignal): Promise<readonly RedRow[]> {
    const { fromUs, toUs, by, bucketSeconds } = query;
    const limit = Math.min(Math.max(1, Math.trunc(query.limit)), RED_LIMIT);
    const selection = selectionSql(query);
    const task = { selection, fromUs, toUs, by, bucketSeconds, limit };
    return (await this.#ask({ kind: 'red', task }, signal)) as readonly RedRow[];
  }

  async sql(text: string, limits: SqlLimits, signal?: AbortSignal): Promise<SqlAnswer> {
    return (await this.#ask({ kind: 'sql', text, limits }, signal)) as SqlAnswer;
  }

  onCommit(listener: (afterId: number) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async facts(): Promise<StoreFacts> {
    return (await this.#ask({ kind: 'facts' })) as StoreFacts;
  }

  /**
   * Deletes what is too old or too much, and writes the numbers of batches as few ranges; otherwise that is done every
   * few seconds.
   */
  async tidy(): Promise<void> {
    await this.#ask({ kind: 'tidy' });
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    try {
      if (this.#failure === null) await this.#send({ kind: 'close' });
    } finally {
      await this.#worker.terminate();
      this.#lock.release();
    }
  }

  #ask(question: Question, signal?: AbortSignal): Promise<unknown> {
    if (this.#closing !== null) return Promise.reject(closing());
    if (this.#failure !== null) return Promise.reject(this.#failure);
    return this.#send(question, signal);
  }

  #send(question: Question, signal?: AbortSignal): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) {
        reject(signal.reason);
        return;
      }
      const id = this.#nextId;
      this.#nextId += 1;
      const give = (up: () => void): void => {
        this.#asked.delete(id);
        signal?.removeEventListener('abort', onAbort);
        up();
      };
      const onAbort = (): void => {
        this.#worker.postMessage({ cancel: id } satisfies ToStore);
        give(() => reject(signal?.reason));
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#asked.set(id, {
        resolve: (value) => give(() => resolve(value)),
        reject: (error) => give(() => reject(error)),
      });
      this.#worker.postMessage({ id, question } satisfies ToStore);
    });
  }

  #receive(message: FromStore): void {
    switch (message.kind) {
      case 'answer':
        this.#asked.get(message.id)?.resolve(message.value);
        break;
      case 'error':
        this.#asked.get(message.id)?.reject(unpackError(message.error));
        break;
      case 'committed':
        for (const listener of this.#listeners) listener(message.afterId);
        break;
      case 'log':
        this.#log(message.event);
        break;
      default:
    }
  }

  #fail(reason: string): void {
    if (this.#failure !== null) return;
    this.#failure = new StoreUnavailable('failed', `the store stopped working: ${reason}`, false);
    this.#log({ level: 'error', code: 'store-failed', message: this.#failure.message });
    for (const { reject } of [...this.#asked.values()]) reject(this.#failure);
  }
}

const BYTES_PER_TEXT = 40;

/** About the memory that the batch takes. */
function batchBytes({ columns }: RowBatch): number {
  let bytes = 0;
  for (const column of Object.values(columns)) {
    if (column.form === 'numbers') bytes += column.values.length * 8;
    else if (column.form === 'codes') {
      bytes += column.codes.length * 4;
      for (const text of column.texts) bytes += BYTES_PER_TEXT + text.length;
    }
  }
  return bytes;
}

/** Arrays that are windows of larger ones are copied: a message would carry the whole of what is behind them. */
function own(batch: RowBatch): RowBatch {
  const columns: Record<string, BatchColumn> = {};
  for (const [name, column] of Object.entries(batch.columns)) columns[name] = ownColumn(column);
  return { rows: batch.rows, columns };
}

function ownColumn(column: BatchColumn): BatchColumn {
  if (column.form === 'all') return column;
  if (column.form === 'codes')
    return {
      form: 'codes',
      texts: column.texts,
      codes: whole(column.codes) ? column.codes : column.codes.slice(),
    };
  const { values, nulls } = column;
  return {
    form: 'numbers',
    values: whole(values) ? values : values.slice(),
    nulls: nulls === null || whole(nulls) ? nulls : nulls.slice(),
  };
}

function whole(array: Int32Array | Float64Array | Uint8Array): boolean {
  return array.byteLength === array.buffer.byteLength;
}
