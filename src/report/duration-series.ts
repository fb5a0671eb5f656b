import { Histogram, OCTAVE_BYTES } from './histogram.ts';
import { nearestRank, selectRank } from './percentile.ts';

/** Memory that all series of a summary share. */
export class DurationBudget {
  /** Values that may be held exactly. */
  readonly limit: number;
  /** Values held exactly now. */
  held = 0;
  /** Powers of two that histograms may take: as much memory again as the exact values. */
  readonly octaveLimit: number;
  octaves = 0;

  constructor(limit: number) {
    this.limit = limit;
    this.octaveLimit = Math.max(64, Math.floor((limit * Float64Array.BYTES_PER_ELEMENT) / OCTAVE_BYTES));
  }

  get exhausted(): boolean {
    return this.held >= this.limit;
  }
}

/** p50, p90, p99 and maximum in ns; null where nothing was measured or the budget did not allow it. */
export interface Percentiles {
  readonly p50Ns: number | null;
  readonly p90Ns: number | null;
  readonly p99Ns: number | null;
  readonly maxNs: number | null;
  /** True: within 0.1 %, no longer exact. The maximum is always exact. */
  readonly approximate: boolean;
}

const NOTHING = new Float64Array(0);

/** Durations of one group: every value as long as the budget lasts, then a histogram. */
export class DurationSeries {
  #values: Float64Array = NOTHING;
  #held = 0;
  #histogram: Histogram | null = null;
  /** Values that found no room even in a histogram: percentiles are then unknown. */
  #lost = 0;
  #maxNs = -1;

  /** Values held exactly. */
  get held(): number {
    return this.#held;
  }

  get count(): number {
    return this.#held + (this.#histogram?.count ?? 0) + this.#lost;
  }

  /** ns: whole, 0 or more. */
  add(ns: number, budget: DurationBudget): void {
    if (ns > this.#maxNs) this.#maxNs = ns;
    if (this.#histogram !== null || budget.exhausted) {
      this.#addToHistogram(ns, budget);
      return;
    }
    if (this.#held === this.#values.length) {
      const larger = new Float64Array(Math.max(8, this.#held * 2));
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values[this.#held] = ns;
    this.#held += 1;
    budget.held += 1;
  }

  /** Gives exact values up for a histogram, and their room back to the budget. */
  condense(budget: DurationBudget): void {
    for (let index = 0; index < this.#held; index += 1) this.#addToHistogram(this.#values[index], budget);
    budget.held -= this.#held;
    this.#held = 0;
    this.#values = NOTHING;
  }

  #addToHistogram(ns: number, budget: DurationBudget): void {
    this.#histogram ??= new Histogram();
    if (!this.#histogram.holds(ns)) {
      if (budget.octaves >= budget.octaveLimit) {
        this.#lost += 1;
        return;
      }
      budget.octaves += 1;
    }
    this.#histogram.add(ns);
  }

  /** For percentilesOf: exact values, their number, the histogram, values lost, maximum. */
  parts(): { values: Float64Array; held: number; histogram: Histogram | null; lost: number; maxNs: number } {
    return {
      values: this.#values,
      held: this.#held,
      histogram: this.#histogram,
      lost: this.#lost,
      maxNs: this.#maxNs,
    };
  }
}

/** Percentiles of all series together. Reorders their values, which changes nothing else. */
export function percentilesOf(series: readonly DurationSeries[]): Percentiles {
  const parts = series.map((one) => one.parts());
  const maxNs = parts.reduce((most, part) => Math.max(most, part.maxNs), -1);
  const held = parts.reduce((sum, part) => sum + part.held, 0);
  const approximate = parts.some((part) => part.histogram !== null);
  const unknown = { p50Ns: null, p90Ns: null, p99Ns: null, maxNs: maxNs < 0 ? null : maxNs, approximate };
  if (maxNs < 0 || parts.some((part) => part.lost > 0)) return unknown;
  if (approximate) {
    const merged = new Histogram();
    for (const part of parts) {
      for (let index = 0; index < part.held; index += 1) merged.add(part.values[index]);
      if (part.histogram !== null) merged.merge(part.histogram);
    }
    const at = (percent: number): number =>
      Math.min(maxNs, merged.atRank(nearestRank(percent, merged.count)));
    return { p50Ns: at(50), p90Ns: at(90), p99Ns: at(99), maxNs, approximate };
  }
  let values = parts[0].values;
  if (parts.length > 1) {
    values = new Float64Array(held);
    let filled = 0;
    for (const part of parts) {
      values.set(part.values.subarray(0, part.held), filled);
      filled += part.held;
    }
  }
  // From the highest down: each selection leaves the smaller values in front of it.
  const rank99 = nearestRank(99, held);
  const p99Ns = selectRank(values, held, rank99);
  const rank90 = nearestRank(90, held);
  const p90Ns = selectRank(values, rank99, rank90);
  return { p50Ns: selectRank(values, rank90, nearestRank(50, held)), p90Ns, p99Ns, maxNs, approximate };
}
