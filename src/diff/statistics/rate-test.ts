import { binomialAtLeast, binomialAtMost } from './binomial.ts';
import { carefulP } from './careful.ts';
import { type Dispersion, INDEPENDENT } from './dispersion.ts';

/** Events in consecutive windows of one capture, and how long each was watched. */
export interface WindowedCount {
  readonly counts: readonly number[];
  /** Exposure of each window, ns, above 0. */
  readonly watchedNs: readonly number[];
}

export interface RateTest {
  readonly pValue: number;
  readonly smallestP: number;
  /** Variance of the counts over that of Poisson's; 1 where it is smaller or cannot be told. */
  readonly dispersion: number;
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** Fewer windows, or fewer events in each, do not show how bursty traffic is. */
const LEAST_WINDOWS = 8;
const LEAST_PER_WINDOW = 2;

/**
 * Whether two rates are the same. Given their sum, one of two Poisson counts is binomial with the share of time as
 * its chance (Przyborowski and Wilenski 1940): exact. Traffic is burstier than Poisson's, so the p-value is made
 * careful by the variance of the counts in windows (Pearson's χ² over its degrees of freedom, "quasi-Poisson").
 */
export function rateTest(before: WindowedCount, after: WindowedCount): RateTest {
  const first = sum(before.counts);
  const total = first + sum(after.counts);
  const firstNs = sum(before.watchedNs);
  const allNs = firstNs + sum(after.watchedNs);
  if (total === 0 || firstNs <= 0 || firstNs >= allNs) return { pValue: 1, smallestP: 1, dispersion: 1 };
  const share = firstNs / allNs;
  const twoSided = (k: number): number =>
    Math.min(1, 2 * Math.min(binomialAtMost(k, total, share), binomialAtLeast(k, total, share)));
  const dispersion = burstiness([before, after]);
  return {
    pValue: carefulP(twoSided(first), dispersion),
    smallestP: Math.min(twoSided(0), twoSided(total)),
    dispersion: dispersion.factor,
  };
}

function burstiness(sides: readonly WindowedCount[]): Dispersion {
  let chiSquare = 0;
  let freedom = 0;
  for (const { counts, watchedNs } of sides) {
    const total = sum(counts);
    if (counts.length < LEAST_WINDOWS || total < LEAST_PER_WINDOW * counts.length) continue;
    const perNs = total / sum(watchedNs);
    counts.forEach((count, index) => {
      const expected = perNs * watchedNs[index];
      chiSquare += (count - expected) ** 2 / expected;
    });
    freedom += counts.length - 1;
  }
  return freedom === 0 ? INDEPENDENT : { factor: Math.max(1, chiSquare / freedom), freedom };
}
