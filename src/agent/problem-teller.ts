import { performance } from 'node:perf_hooks';
import type { EventLog } from '../metrics/event-log.ts';

/** The same problem is told again after so long. */
const REST_MS = 60_000;

/** Tells when something begins to fail, now and then while it does, and when it works again. */
export class ProblemTeller {
  readonly #log: EventLog;
  readonly #failing: string;
  readonly #working: string;
  readonly #now: () => number;
  #problem: string | null = null;
  #sinceMs = 0;
  #toldMs = 0;
  #tries = 0;

  /** `failing` and `working` are sentences without a full stop. */
  constructor(log: EventLog, failing: string, working: string, now: () => number = () => performance.now()) {
    this.#log = log;
    this.#failing = failing;
    this.#working = working;
    this.#now = now;
  }

  /** What fails now; null: nothing. */
  get current(): string | null {
    return this.#problem;
  }

  failed(problem: string): void {
    const nowMs = this.#now();
    if (this.#problem === null) {
      this.#sinceMs = nowMs;
      this.#tries = 0;
    }
    this.#tries += 1;
    if (problem === this.#problem && nowMs - this.#toldMs < REST_MS) return;
    this.#problem = problem;
    this.#toldMs = nowMs;
    this.#log.warn({ problem, ...this.#howLong(nowMs) }, this.#failing);
  }

  succeeded(): void {
    if (this.#problem === null) return;
    this.#problem = null;
    this.#log.info(this.#howLong(this.#now()), this.#working);
  }

  #howLong(nowMs: number): { tries: number; seconds: number } {
    return { tries: this.#tries, seconds: Math.round((nowMs - this.#sinceMs) / 100) / 10 };
  }
}
