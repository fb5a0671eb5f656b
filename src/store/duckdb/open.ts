import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { UserError } from '../../model/errors.ts';
import { DuckDbStore } from './duckdb-store.ts';
import { lockDirectory } from './lock-file.ts';
import type { FromStore, WorkerSettings } from './messages.ts';
import { unpackError } from './sent-error.ts';
import type { StoreLog } from './store-event.ts';
import { STORE_LIMITS } from './store-limits.ts';

export interface DuckDbStoreOptions {
  /** Made when it is not there. Belongs to this store alone. */
  readonly directory: string;
  /** What DuckDB may use for blocks, sorts and groups; the process takes some hundred MB more. */
  readonly memoryBytes?: number;
  /** Exchanges received longer ago are deleted; null or left out: kept. */
  readonly maxAgeSeconds?: number | null;
  /** The oldest exchanges are deleted when the database has more; null or left out: it may grow. */
  readonly maxBytes?: number | null;
  /**
   * Bytes of the disk that stay free: less, and appending is refused with StoreUnavailable `disk-full` before anything
   * is written. 0: no looking ahead.
   */
  readonly diskReserveBytes?: number;
  readonly log: StoreLog;
}

/**
 * Opens the store of a directory, in a thread of its own. Rejects with UserError: `store-in-use`, `store-newer`,
 * `store-not-writable`, `disk-full`, `store-memory`. A damaged database does not make it fail; see `keptAside` of its
 * facts.
 */
export async function openDuckDbStore(options: DuckDbStoreOptions): Promise<DuckDbStore> {
  const { log } = options;
  const directory = path.resolve(options.directory);
  const memoryBytes = options.memoryBytes ?? STORE_LIMITS.memoryBytes;
  if (memoryBytes < STORE_LIMITS.leastMemoryBytes)
    throw new UserError(
      'store-memory',
      `the store needs at least ${STORE_LIMITS.leastMemoryBytes} bytes of memory`,
    );
  makeDirectory(directory);
  const lock = lockOf(directory);
  const workerData: WorkerSettings = {
    directory,
    memoryBytes,
    maxAgeSeconds: options.maxAgeSeconds ?? null,
    maxBytes: options.maxBytes ?? null,
    diskReserveBytes: options.diskReserveBytes ?? STORE_LIMITS.diskReserveBytes,
  };
  const worker = new Worker(workerUrl(), { workerData, name: 'store' });
  try {
    await opened(worker, log);
  } catch (error) {
    await worker.terminate();
    lock.release();
    throw error;
  }
  return new DuckDbStore(worker, lock, log);
}

function opened(worker: Worker, log: StoreLog): Promise<void> {
  return new Promise((resolve, reject) => {
    const onMessage = (message: FromStore): void => {
      if (message.kind === 'log') log(message.event);
      else if (message.kind === 'opened') settle(resolve);
      else if (message.kind === 'not-opened') settle(() => reject(unpackError(message.error)));
    };
    const onError = (error: unknown): void => settle(() => reject(error));
    const onExit = (): void => settle(() => reject(new Error('the thread of the store ended at once')));
    const settle = (then: () => void): void => {
      worker.off('message', onMessage).off('error', onError).off('exit', onExit);
      then();
    };
    worker.on('message', onMessage).on('error', onError).on('exit', onExit);
  });
}

function makeDirectory(directory: string): void {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw notWritable(directory, error);
  }
}

function lockOf(directory: string): ReturnType<typeof lockDirectory> {
  try {
    return lockDirectory(directory);
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw notWritable(directory, error);
  }
}

function notWritable(directory: string, cause: unknown): UserError {
  const code = (cause as NodeJS.ErrnoException).code ?? String(cause);
  if (code === 'EEXIST' || code === 'ENOTDIR')
    return new UserError('store-not-writable', 'the data directory, or a part of its path, is a file', {
      place: { file: directory },
      hint: 'name a directory; one that is not there is made',
      cause,
    });
  return new UserError('store-not-writable', `the data directory cannot be used: ${code}`, {
    place: { file: directory },
    hint: 'check its owner and mode, and whether the disk has room',
    cause,
  });
}

/** The compiled worker: beside this module, or under dist/ when this module runs from source. */
function workerUrl(): URL {
  const compiled = import.meta.url.replace(/\/src\/store\/duckdb\/([^/]+)\.ts$/, '/dist/store/duckdb/$1.js');
  return new URL('./worker.js', compiled);
}
