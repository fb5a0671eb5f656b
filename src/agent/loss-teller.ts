import type { EventLog } from '../metrics/event-log.ts';

/** Losses for one reason are told no more often than this. */
const REST_MS = 10_000;

/** Tells of exchanges that are lost: the first at once, then sums. Counting is done elsewhere. */
export class LossTeller {
  readonly #log: EventLog;
  readonly #untold = new Map<string, number>();
  #timer: NodeJS.Timeout | null = null;

  constructor(log: EventLog) {
    this.#log = log;
  }

  /** `what`: `dropped because the spool is full`. */
  count(what: string, exchanges: number): void {
    if (exchanges <= 0) return;
    this.#untold.set(what, (this.#untold.get(what) ?? 0) + exchanges);
    if (this.#timer !== null) return;
    this.#tell();
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#tell();
    }, REST_MS);
    this.#timer.unref();
  }

  /** Tells what was not told yet. */
  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#tell();
  }

  #tell(): void {
    for (const [what, exchanges] of this.#untold) this.#log.warn({ exchanges }, `exchanges were ${what}`);
    this.#untold.clear();
  }
}
