import { normalUpperQuantile } from './normal.ts';

/** By how much the values of one sample exceed those of another, in their unit. */
export interface PairwiseShift {
  /** Hodges and Lehmann's estimate: the median of all differences after - before. */
  readonly estimate: number;
  readonly low: number;
  readonly high: number;
}

/**
 * Hodges-Lehmann shift with the interval that belongs to the rank-sum test (Lehmann, Nonparametrics, chapter 2): the
 * pairwise differences between its critical values. `variance` is that of U, with whatever inflation the test used.
 *
 * Both sorted upwards, neither empty, whole numbers. Differences are never listed: takes (m + n) times the number
 * of bits of the largest one.
 */
export function pairwiseShift(
  before: Float64Array,
  after: Float64Array,
  variance: number,
  confidence: number,
): PairwiseShift {
  const pairs = before.length * after.length;
  const margin = normalUpperQuantile((1 - confidence) / 2) * Math.sqrt(variance);
  const rank = Math.min(Math.ceil(pairs / 2), Math.max(1, Math.floor(pairs / 2 - margin)));
  return {
    estimate: difference(before, after, Math.ceil(pairs / 2)),
    low: difference(before, after, rank),
    high: difference(before, after, pairs + 1 - rank),
  };
}

/** The `rank`-th smallest (1-based) of all differences after - before, by halving the range in which it lies. */
export function difference(before: Float64Array, after: Float64Array, rank: number): number {
  let low = after[0] - before[before.length - 1];
  let high = after[after.length - 1] - before[0];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (atMost(before, after, middle) >= rank) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Pairs with after - before <= limit. */
function atMost(before: Float64Array, after: Float64Array, limit: number): number {
  let count = 0;
  let j = 0;
  for (let i = 0; i < before.length; i += 1) {
    const most = before[i] + limit;
    while (j < after.length && after[j] <= most) j += 1;
    count += j;
  }
  return count;
}
