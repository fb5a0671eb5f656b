/** How long to wait before the next try. All in ms. */
export interface BackOffTimes {
  /** Bound of the first wait. */
  readonly firstMs: number;
  /** Bound that the waits grow to. */
  readonly longestMs: number;
}

export const BACK_OFF_TIMES: BackOffTimes = { firstMs: 500, longestMs: 30_000 };

/**
 * Exponential back-off with full jitter: the n-th wait is drawn between 0 and `firstMs`·2^(n-1), at most `longestMs`.
 * So clients that lost their server in the same moment do not come back in the same moment.
 */
export class BackOff {
  readonly #times: BackOffTimes;
  readonly #random: () => number;
  #failures = 0;

  constructor(times: BackOffTimes = BACK_OFF_TIMES, random: () => number = Math.random) {
    this.#times = times;
    this.#random = random;
  }

  /** Failures since the last success. */
  get failures(): number {
    return this.#failures;
  }

  /** The wait after one more failure, in ms; never less than `atLeastMs`, which is what the server asked for. */
  next(atLeastMs = 0): number {
    const { firstMs, longestMs } = this.#times;
    const bound = Math.min(longestMs, firstMs * 2 ** Math.min(this.#failures, 30));
    this.#failures += 1;
    return Math.max(atLeastMs, this.#random() * bound);
  }

  succeeded(): void {
    this.#failures = 0;
  }
}

/** Waits; false: the signal ended it before. */
export function waitMs(ms: number, signal?: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    if (signal?.aborted) {
      resolve(false);
      return;
    }
    const done = (whole: boolean): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', end);
      resolve(whole);
    };
    const end = (): void => done(false);
    const timer = setTimeout(() => done(true), ms);
    signal?.addEventListener('abort', end, { once: true });
  });
}
