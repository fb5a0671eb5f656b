import type { EventLog } from '../metrics/event-log.ts';
import type { Limits } from '../model/limits.ts';

export interface MemoryGuardOptions {
  /** Of the pipeline that runs; brought down while memory is above the limit, and back up below it. */
  readonly limits: Limits;
  readonly limitBytes: number;
  readonly log: EventLog;
  /** Resident memory of the process. */
  readonly residentBytes?: () => number;
}

/** Looked at so often. */
const LOOK_MS = 1000;
/** Below this share of the limit, what was taken is given back. */
const CALM = 0.85;
const LEAST_CONNECTIONS = 1024;
const LEAST_PENDING_BYTES = 1024 * 1024;
/** Told again no more often. */
const REST_MS = 60_000;

/** Limits that can be brought down while the pipeline runs: it looks at them each time. */
type Movable = 'connections' | 'pendingBytesPerDirection' | 'pendingBytesTotal' | 'sightingHeldBytes';
const LEAST: Readonly<Record<Movable, number>> = {
  connections: LEAST_CONNECTIONS,
  pendingBytesPerDirection: LEAST_PENDING_BYTES / 4,
  pendingBytesTotal: LEAST_PENDING_BYTES,
  sightingHeldBytes: LEAST_PENDING_BYTES,
};
const MOVABLE = Object.keys(LEAST) as Movable[];

/**
 * Watches the memory of the process. Above the limit, the pipeline may hold half as much with every second: what it
 * gives up is told by the exchanges (gaps, evicted connections). Below it the limits come back.
 */
export class MemoryGuard {
  readonly #options: MemoryGuardOptions;
  readonly #usual: Readonly<Limits>;
  readonly #residentBytes: () => number;
  #lookedMs = Number.NEGATIVE_INFINITY;
  #toldMs = Number.NEGATIVE_INFINITY;
  #above = 0;
  #share = 1;

  constructor(options: MemoryGuardOptions) {
    this.#options = options;
    this.#usual = { ...options.limits };
    this.#residentBytes = options.residentBytes ?? process.memoryUsage.rss;
  }

  /** Looks at which memory was above the limit. */
  get timesAbove(): number {
    return this.#above;
  }

  /** Share (0 to 1) of its usual limits that the pipeline has now. */
  get share(): number {
    return this.#share;
  }

  /** To be called a few times a second. `nowMs`: of a clock that never goes back. */
  tick(nowMs: number): void {
    if (nowMs - this.#lookedMs < LOOK_MS) return;
    this.#lookedMs = nowMs;
    const { limitBytes, log } = this.#options;
    const bytes = this.#residentBytes();
    if (bytes > limitBytes) {
      this.#above += 1;
      this.#scale(Math.max(1 / 64, this.#share / 2));
      if (nowMs - this.#toldMs < REST_MS) return;
      this.#toldMs = nowMs;
      log.warn(
        { rss_bytes: bytes, limit_bytes: limitBytes },
        'memory is above --max-memory: fewer connections and bytes are held',
      );
    } else if (this.#share < 1 && bytes < limitBytes * CALM) this.#scale(Math.min(1, this.#share * 1.25));
  }

  #scale(share: number): void {
    this.#share = share;
    for (const name of MOVABLE) {
      const usual = this.#usual[name];
      this.#options.limits[name] = Math.min(usual, Math.max(LEAST[name], Math.floor(usual * share)));
    }
  }
}
