import { DurationBudget, DurationSeries } from '../report/duration-series.ts';
import { Histogram } from '../report/histogram.ts';
import { type Distribution, type Distributions, exactly, type MeasuredValues } from './measured-values.ts';
import type { Percentile } from './percentiles.ts';

/** Bounds of what a live `stat` holds, and so of what a look at it costs. */
export const LIVE_STAT_LIMITS = Object.freeze({
  /** Values held for exact percentiles, 8 bytes each; beyond it percentiles are within 0.1 %. */
  samples: 250_000,
  /** Powers of two that histograms of all groups may take, 2 KiB each. */
  octaves: 32_768,
  /** Groups held; requests of further ones are counted as `(other)`. */
  groupsHeld: 20_000,
  /** Pairs of a group and a stretch of time that are counted; beyond it the stretches become longer. */
  moments: 200_000,
});

class LiveBudget extends DurationBudget {
  override readonly octaveLimit = LIVE_STAT_LIMITS.octaves;
}

/**
 * Values of a run without an end: exact as long as there are few, then in histograms, so that neither memory nor the
 * time for a look grows. May be asked at any time, and goes on afterwards.
 */
export class BoundedValues implements MeasuredValues {
  readonly #budget: DurationBudget;
  readonly #series: DurationSeries[] = [];
  readonly #sums: number[] = [];
  #approximate = false;

  constructor(limit: number = LIVE_STAT_LIMITS.samples) {
    this.#budget = new LiveBudget(limit);
  }

  get approximate(): boolean {
    return this.#approximate;
  }

  /** Of values that found no room in a histogram; their group then has no percentiles. */
  get lost(): number {
    return this.#series.reduce((sum, one) => sum + one.parts().lost, 0);
  }

  add(group: number, value: number): void {
    while (this.#series.length <= group) {
      this.#series.push(new DurationSeries());
      this.#sums.push(0);
    }
    this.#series[group].add(value, this.#budget);
    this.#sums[group] += value;
    if (!this.#budget.exhausted) return;
    this.#approximate = true;
    for (const one of this.#series) if (one.held > 0) one.condense(this.#budget);
  }

  distributions(places: Uint32Array, groups: number, percentiles: readonly Percentile[]): Distributions {
    const members: number[][] = Array.from({ length: groups }, () => []);
    this.#series.forEach((_, group) => {
      members[places[group]].push(group);
    });
    const found = members.map((list) => this.#of(list, percentiles));
    return { of: (place) => found[place], all: this.#of([...this.#series.keys()], percentiles) };
  }

  #of(groups: readonly number[], percentiles: readonly Percentile[]): Distribution {
    const parts = groups.map((group) => this.#series[group].parts());
    const held = parts.reduce((sum, part) => sum + part.held, 0);
    const isExact = parts.every(({ histogram, lost }) => histogram === null && lost === 0);
    if (isExact) {
      const values = new Float64Array(held);
      let at = 0;
      for (const part of parts) {
        values.set(part.values.subarray(0, part.held), at);
        at += part.held;
      }
      return exactly(values, percentiles);
    }
    const merged = new Histogram();
    let lost = 0;
    let max = 0;
    for (const part of parts) {
      for (let index = 0; index < part.held; index += 1) merged.add(part.values[index]);
      if (part.histogram !== null) merged.merge(part.histogram);
      lost += part.lost;
      max = Math.max(max, part.maxNs);
    }
    const measured = merged.count + lost;
    const sum = groups.reduce((total, group) => total + this.#sums[group], 0);
    return {
      measured,
      // The nearest rank, as in nearestRankOf.
      percentiles: percentiles.map(({ thousandths }) =>
        lost > 0
          ? null
          : Math.min(max, merged.atRank(Math.max(1, Math.ceil((thousandths * measured) / 100_000)))),
      ),
      mean: sum / measured,
      max,
    };
  }
}
