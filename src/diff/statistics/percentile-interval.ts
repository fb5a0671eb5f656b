import { binomialAtMost } from './binomial.ts';
import { normalUpperQuantile } from './normal.ts';

export interface Interval {
  /** null: the sample is too small to say. */
  readonly low: number | null;
  readonly high: number | null;
}

/**
 * Confidence interval of a percentile between two order statistics (David and Nagaraja, Order Statistics, chapter 7):
 * makes no assumption about the distribution. The number of values below the true percentile is binomial, exactly
 * so when they are independent; with `inflation` > 1 its variance is that many times larger.
 *
 * `sorted`: upwards. `percent`: between 0 and 100.
 */
export function percentileInterval(
  sorted: Float64Array,
  percent: number,
  confidence: number,
  inflation = 1,
): Interval {
  const n = sorted.length;
  const share = percent / 100;
  const tail = (1 - confidence) / 2;
  let lowRank: number;
  let highRank: number;
  if (inflation > 1) {
    const margin = normalUpperQuantile(tail) * Math.sqrt(n * share * (1 - share) * inflation);
    lowRank = Math.floor(n * share - margin);
    highRank = Math.ceil(n * share + margin) + 1;
  } else {
    // X_(l) is above the percentile with P(X < l); X_(h) is below it with P(X >= h).
    lowRank = firstRank(n, (k) => binomialAtMost(k, n, share) > tail);
    highRank = firstRank(n, (k) => binomialAtMost(k, n, share) >= 1 - tail) + 1;
  }
  return {
    low: lowRank >= 1 ? sorted[lowRank - 1] : null,
    high: highRank <= n ? sorted[highRank - 1] : null,
  };
}

/** The smallest k in 0..n for which `holds`, which is false up to some k and true from there. */
function firstRank(n: number, holds: (k: number) => boolean): number {
  let low = 0;
  let high = n;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
