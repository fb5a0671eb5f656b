import { randomUUID } from 'node:crypto';
import type { RunRecord } from '../model/sink.ts';
import { IntervalFacts } from './interval-facts.ts';
import { RotatingFiles } from './rotating-files.ts';
import {
  type SqliteSink,
  type SqliteSinkOptions,
  type StoredFile,
  type StorePlan,
  WorkerSink,
} from './sqlite-sink.ts';

export interface RotatingStoreOptions extends Omit<SqliteSinkOptions, 'force'> {
  /** Time that a file covers, ns; null: as long as it is not full. */
  readonly intervalNs: number | null;
  /** Bytes after which a file is full (about: bytes of the database in memory); null: the limit alone counts. */
  readonly fileBytes: number | null;
  /**
   * The time that it is, ns since the run's epoch; null: not known. Where it is the packets' time, it should go on
   * when no packet comes, so that a file is sealed in a quiet hour too.
   */
  readonly nowNs: () => number | null;
  /** A file has its name and is durable. */
  readonly onSealed?: (file: StoredFile) => void;
}

export interface RotatingStore extends SqliteSink {
  /** What earlier processes that were killed had left half-written; it was removed. */
  readonly leftovers: readonly string[];
}

/** Bounds of a store that is written while packets come. */
export const ROTATING_LIMITS = Object.freeze({
  /** Bytes of a file whatever was asked for: sealing it takes the worker seconds, and memory as much again. */
  fileBytes: 128 * 1024 * 1024,
  /** Batches (about 1 MB each) that may wait while the worker seals a file, before the capture has to wait. */
  batchesUnderWay: 64,
});

/**
 * A store that seals a complete file every interval, or when it is full: `out.sqlite` becomes
 * `out-20261121T143000Z.sqlite`, named by the time at which the file begins, then the next. An interval without
 * exchanges makes no file. Each file can be read on its own: it has the exchanges that ended in its time, their
 * connections, and the captures and the ledger of its time, which balances. Read together they are the run.
 *
 * A crash loses what came since the last file was sealed. The caller waits only when more than
 * ROTATING_LIMITS.batchesUnderWay are not stored yet. Rejects, and fails, as createSqliteSink does; files that were
 * sealed stay.
 */
export function createRotatingStore(options: RotatingStoreOptions): Promise<RotatingStore> {
  return Promise.resolve().then(() => {
    const plan = new Intervals(options);
    const sink = new WorkerSink({ ...options, force: false }, plan);
    return Object.assign(sink, { leftovers: plan.output.leftovers });
  });
}

class Intervals implements StorePlan {
  readonly output: RotatingFiles;
  readonly run = randomUUID();
  readonly fileBytes: number;
  readonly batchesUnderWay = ROTATING_LIMITS.batchesUnderWay;
  readonly afterFailure = 'the files sealed so far are complete';
  readonly #options: RotatingStoreOptions;
  readonly #facts = new IntervalFacts();
  #run: RunRecord | null = null;
  /** When the first exchange of the current file came; null: none has come. */
  #sinceNs: number | null = null;

  constructor(options: RotatingStoreOptions) {
    this.#options = options;
    this.fileBytes = Math.min(
      options.fileBytes ?? Number.POSITIVE_INFINITY,
      options.limits.sqliteFileBytes,
      ROTATING_LIMITS.fileBytes,
    );
    this.output = new RotatingFiles(options.path, () => this.#startSeconds());
  }

  begin(run: RunRecord): void {
    this.#run = run;
  }

  due(hasExchanges: boolean, isFull: boolean): boolean {
    if (!hasExchanges) return false;
    const now = this.#nowNs();
    this.#sinceNs ??= now;
    const { intervalNs } = this.#options;
    return isFull || (intervalNs !== null && now - this.#sinceNs >= intervalNs);
  }

  record(last: RunRecord | null): RunRecord | null {
    const run = last ?? this.#run;
    this.#sinceNs = null;
    return run === null ? null : this.#facts.next(run, last !== null);
  }

  sealed(bytes: number, exchanges: number): void {
    const { names } = this.output;
    this.#options.onSealed?.({ path: names[names.length - 1], bytes, exchanges });
  }

  #nowNs(): number {
    return this.#options.nowNs() ?? lastNsOf(this.#run) ?? 0;
  }

  #startSeconds(): number {
    const ns = this.#sinceNs ?? lastNsOf(this.#run) ?? this.#nowNs();
    return (this.#options.clock.epochSeconds ?? 0) + Math.floor(ns / 1e9);
  }
}

function lastNsOf(run: RunRecord | null): number | null {
  const times = (run?.captures ?? []).map(({ lastNs }) => lastNs).filter((ns) => ns !== null);
  return times.length === 0 ? null : Math.max(...times);
}
