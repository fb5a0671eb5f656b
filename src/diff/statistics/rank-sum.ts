import { normalAbove } from './normal.ts';

/** What the ranks of two samples say. */
export interface RankSum {
  /** Mann and Whitney's U: pairs (b, a) in which the value of `after` is larger, ties counted half. */
  readonly u: number;
  /** U as a share of all pairs: the chance that one of `after` is larger than one of `before`. 0.5: no shift. */
  readonly superiority: number;
  /** Two-sided. */
  readonly pValue: number;
  /** Variance of U when nothing differs, ties considered. */
  readonly variance: number;
  readonly exact: boolean;
}

/** Up to so many values together, every way of dealing them out is counted. */
const EXACT_VALUES = 50;

/**
 * The Wilcoxon-Mann-Whitney test that two samples come from the same distribution. Up to 50 values the permutation
 * distribution is exact, ties included; beyond, it is the normal approximation with the correction for ties
 * (Lehmann, Nonparametrics, chapter 1) and for continuity.
 *
 * Both sorted upwards, neither empty.
 */
export function rankSum(before: Float64Array, after: Float64Array): RankSum {
  const m = before.length;
  const n = after.length;
  const total = m + n;
  const { doubledSum, tieTerm, doubledRanks } = rankBoth(before, after);
  const u = (doubledSum - n * (n + 1)) / 2;
  const variance = ((m * n) / 12) * (total + 1 - tieTerm / (total * (total - 1)));
  const shared = { u, superiority: u / (m * n), variance };
  if (variance <= 0) return { ...shared, pValue: 1, exact: true };
  if (total <= EXACT_VALUES) {
    return { ...shared, pValue: exactTwoSided(doubledRanks, n, doubledSum), exact: true };
  }
  const distance = Math.max(0, Math.abs(u - (m * n) / 2) - 0.5);
  return { ...shared, pValue: Math.min(1, 2 * normalAbove(distance / Math.sqrt(variance))), exact: false };
}

interface Ranked {
  /** Twice the sum of the mid-ranks of `after`: mid-ranks may end in a half. */
  readonly doubledSum: number;
  /** Sum of t³ - t over groups of t equal values. */
  readonly tieTerm: number;
  /** Twice the mid-rank of every value; only filled for small samples. */
  readonly doubledRanks: number[];
}

function rankBoth(before: Float64Array, after: Float64Array): Ranked {
  const total = before.length + after.length;
  const doubledRanks: number[] = [];
  let doubledSum = 0;
  let tieTerm = 0;
  let i = 0;
  let j = 0;
  while (i + j < total) {
    const start = i + j;
    const value = j >= after.length || (i < before.length && before[i] <= after[j]) ? before[i] : after[j];
    const firstOfAfter = j;
    while (i < before.length && before[i] === value) i += 1;
    while (j < after.length && after[j] === value) j += 1;
    const equal = i + j - start;
    const doubledRank = 2 * start + equal + 1;
    doubledSum += doubledRank * (j - firstOfAfter);
    tieTerm += equal ** 3 - equal;
    if (total <= EXACT_VALUES) for (let k = 0; k < equal; k += 1) doubledRanks.push(doubledRank);
  }
  return { doubledSum, tieTerm, doubledRanks };
}

/** Share of all choices of `n` ranks whose sum is at least as far from the mean. */
function exactTwoSided(doubledRanks: readonly number[], n: number, observed: number): number {
  const most = doubledRanks.reduce((sum, rank) => sum + rank, 0);
  // ways[k][s]: choices of k ranks with sum s.
  const ways = Array.from({ length: n + 1 }, () => new Float64Array(most + 1));
  ways[0][0] = 1;
  for (const rank of doubledRanks) {
    for (let k = n; k >= 1; k -= 1) {
      const from = ways[k - 1];
      const to = ways[k];
      for (let sum = most; sum >= rank; sum -= 1) to[sum] += from[sum - rank];
    }
  }
  const mean = (most * n) / doubledRanks.length;
  const distance = Math.abs(observed - mean) - 1e-9;
  let extreme = 0;
  let all = 0;
  ways[n].forEach((count, sum) => {
    all += count;
    if (Math.abs(sum - mean) >= distance) extreme += count;
  });
  return Math.min(1, extreme / all);
}

/** The smallest p-value that two samples of these sizes can give, when no values are equal. */
export function rankSumSmallest(m: number, n: number): number {
  let choices = 1;
  const least = Math.min(m, n);
  for (let k = 1; k <= least; k += 1) {
    choices *= (m + n - least + k) / k;
    if (choices > 1e9) break;
  }
  return Math.min(1, 2 / choices);
}
