import { describe, expect, it } from 'vitest';
import { carefulP } from './careful.ts';
import { dispersionOf } from './dispersion.ts';
import { adjustedForCount } from './false-discovery.ts';
import { fisherSmallest, fisherTwoSided } from './hypergeometric.ts';
import { difference, pairwiseShift } from './pairwise-shift.ts';
import { percentileInterval } from './percentile-interval.ts';
import { percentileTest } from './percentile-test.ts';
import { rankSum, rankSumSmallest } from './rank-sum.ts';
import { rateTest } from './rate-test.ts';
import { shareTest } from './share-test.ts';

const sorted = (values: readonly number[]): Float64Array => Float64Array.from(values).sort();

/** Every way to choose `k` of the indexes below `n`. */
function* choices(n: number, k: number, from = 0): Iterable<number[]> {
  if (k === 0) {
    yield [];
    return;
  }
  for (let first = from; first <= n - k; first += 1)
    for (const rest of choices(n, k - 1, first + 1)) yield [first, ...rest];
}

/** U by its definition. */
function countU(before: readonly number[], after: readonly number[]): number {
  let u = 0;
  for (const b of before) for (const a of after) u += a > b ? 1 : a === b ? 0.5 : 0;
  return u;
}

/** The two-sided permutation p-value of U, by dealing the values out in every possible way. */
function permutationP(before: readonly number[], after: readonly number[]): number {
  const all = [...before, ...after];
  const middle = (before.length * after.length) / 2;
  const distance = Math.abs(countU(before, after) - middle);
  let extreme = 0;
  let count = 0;
  for (const chosen of choices(all.length, after.length)) {
    const inAfter = new Set(chosen);
    const first = all.filter((_, index) => !inAfter.has(index));
    const second = chosen.map((index) => all[index]);
    if (Math.abs(countU(first, second) - middle) >= distance - 1e-9) extreme += 1;
    count += 1;
  }
  return extreme / count;
}

// Drawn once from lognormal distributions, rounded so that many are equal.
const SIXTY = [20, 23, 18, 13, 16, 12, 21, 39, 16, 15, 26, 24, 21, 13, 20, 28, 10, 16, 8, 11, 8, 18, 11, 23, 22, 18, 6, 15, 20, 21, 9, 16, 12, 13, 34, 13, 20, 31, 15, 19, 21, 21, 11, 21, 40, 9, 31, 21, 15, 55, 29, 11, 21, 27, 18, 28, 19, 28, 41, 14]; // biome-ignore format: data
const FORTY_FIVE = [30, 22, 29, 15, 20, 25, 42, 48, 14, 18, 37, 10, 22, 26, 51, 38, 23, 23, 24, 58, 22, 23, 32, 26, 25, 16, 27, 22, 49, 38, 27, 38, 23, 46, 27, 36, 14, 32, 12, 10, 23, 17, 29, 83, 18]; // biome-ignore format: data

describe('rank-sum test', () => {
  it.each([
    [
      [78, 64, 75, 45, 82],
      [110, 70, 53, 51],
    ],
    [
      [1, 2, 3, 4],
      [5, 6, 7, 8],
    ],
    [
      [1, 1, 2, 2, 3],
      [2, 3, 3, 3],
    ],
    [
      [5, 5, 5],
      [5, 5, 6],
    ],
    [
      [10, 10, 10, 40, 41, 42],
      [10, 11, 12],
    ],
  ])('equals the count of all permutations: %j and %j', (before, after) => {
    const result = rankSum(sorted(before), sorted(after));
    expect(result.u).toBe(countU(before, after));
    expect(result.pValue).toBeCloseTo(permutationP(before, after), 12);
    expect(result.exact).toBe(true);
  });

  it('beyond 50 values: normal approximation with ties, as SciPy 1.17 gives it', () => {
    const result = rankSum(sorted(SIXTY), sorted(FORTY_FIVE));
    expect(result.exact).toBe(false);
    expect(result.u).toBe(1952);
    expect(result.pValue).toBeCloseTo(9.695415771923029e-5, 12);
    expect(result.superiority).toBeCloseTo(1952 / 2700, 12);
  });

  it('the exact distribution and the approximation meet', () => {
    const values = Array.from({ length: 50 }, (_, index) => (index * 37) % 50);
    const before = values.slice(0, 25);
    const after = values.slice(25).map((value) => value + 7.25);
    const exact = rankSum(sorted(before), sorted(after));
    const z = (Math.abs(exact.u - 312.5) - 0.5) / Math.sqrt((25 * 25 * 51) / 12);
    expect(exact.exact).toBe(true);
    // 2 P(Z > z), by adding up the density.
    const step = 1e-4;
    let tail = 0;
    for (let x = z; x < 9; x += step) tail += Math.exp(-((x + step / 2) ** 2) / 2) * step;
    expect(exact.pValue / ((2 * tail) / Math.sqrt(2 * Math.PI))).toBeCloseTo(1, 1);
  });

  it('the smallest p-value is that of two samples that do not overlap', () => {
    expect(rankSumSmallest(4, 4)).toBeCloseTo(2 / 70, 12);
    expect(rankSum(sorted([1, 2, 3, 4]), sorted([5, 6, 7, 8])).pValue).toBeCloseTo(2 / 70, 12);
    expect(rankSumSmallest(1, 5)).toBeCloseTo(1 / 3, 12);
  });

  it('equal values tell nothing', () => {
    expect(rankSum(sorted([3, 3, 3]), sorted([3, 3])).pValue).toBe(1);
  });
});

describe('Hodges-Lehmann shift', () => {
  const list = SIXTY.flatMap((b) => FORTY_FIVE.map((a) => a - b)).sort((x, y) => x - y);

  it('finds every pairwise difference by rank, as sorting them does', () => {
    for (let rank = 1; rank <= list.length; rank += 13)
      expect(difference(sorted(SIXTY), sorted(FORTY_FIVE), rank)).toBe(list[rank - 1]);
    expect(difference(sorted(SIXTY), sorted(FORTY_FIVE), list.length)).toBe(list[list.length - 1]);
  });

  it('is the median difference, between the differences that the test would not reject', () => {
    const { variance } = rankSum(sorted(SIXTY), sorted(FORTY_FIVE));
    const shift = pairwiseShift(sorted(SIXTY), sorted(FORTY_FIVE), variance, 0.95);
    expect(shift.estimate).toBe(list[list.length / 2 - 1]);
    const margin = 1.959964 * Math.sqrt(variance);
    expect(shift.low).toBe(list[Math.floor(1350 - margin) - 1]);
    expect(shift.high).toBe(list[2700 - Math.floor(1350 - margin)]);
  });
});

describe("Fisher's exact test", () => {
  it('the lady tasting tea: 3 of 4 cups right is 34/70 two-sided (Fisher 1935)', () => {
    expect(fisherTwoSided(3, { total: 8, marked: 4, drawn: 4 })).toBeCloseTo(34 / 70, 12);
    expect(fisherSmallest({ total: 8, marked: 4, drawn: 4 })).toBeCloseTo(2 / 70, 12);
  });

  it('equals the count of all ways to deal the marks out', () => {
    const total = 12;
    for (const [marked, drawn] of [
      [3, 5],
      [6, 4],
      [1, 11],
      [10, 9],
    ]) {
      const outcomes = [...choices(total, drawn)].map(
        (chosen) => chosen.filter((index) => index < marked).length,
      );
      for (const k of new Set(outcomes)) {
        const low = outcomes.filter((one) => one <= k).length / outcomes.length;
        const high = outcomes.filter((one) => one >= k).length / outcomes.length;
        expect(fisherTwoSided(k, { total, marked, drawn })).toBeCloseTo(
          Math.min(1, 2 * Math.min(low, high)),
          12,
        );
      }
    }
  });

  it('large tables, as SciPy 1.17 gives them', () => {
    expect(fisherTwoSided(15, { total: 2000, marked: 20, drawn: 1000 })).toBeCloseTo(0.04039420540480713, 10);
    expect(fisherTwoSided(2, { total: 50, marked: 12, drawn: 20 })).toBeCloseTo(2 * 0.05673485889449975, 12);
  });
});

describe('percentile test', () => {
  const steps = (n: number, scale: number): Float64Array =>
    Float64Array.from({ length: n }, (_, index) => scale * (1 + ((index * 7919) % n)));

  it('sees a tail that the middle does not have', () => {
    const before = steps(1000, 1000);
    const after = before.map((value) => (value > 970_000 ? value + 5_000_000 : value));
    const p99 = percentileTest(before, after, 99);
    expect(p99.markedBefore).toBe(0);
    expect(p99.markedAfter).toBe(20);
    // All 20 on one side: 2 C(1000, 20) / C(2000, 20), as a product.
    let chance = 2;
    for (let k = 0; k < 20; k += 1) chance *= (1000 - k) / (2000 - k);
    expect(p99.pValue / chance).toBeCloseTo(1, 6);
    expect(percentileTest(before, after, 50).pValue).toBe(1);
  });

  it('says when no outcome could tell', () => {
    expect(percentileTest(steps(20, 1), steps(20, 9), 99).smallestP).toBeGreaterThan(0.9);
    expect(percentileTest(steps(20, 1), steps(20, 9), 50).smallestP).toBeLessThan(1e-9);
  });

  it('a tail of equal values is a tail', () => {
    const before = steps(1800, 1000);
    const after = before.map((value, index) => (index % 25 === 0 ? 1e9 : value));
    expect(percentileTest(before, after, 99).pValue).toBeLessThan(1e-12);
    expect(percentileTest(new Float64Array(50).fill(7), new Float64Array(50).fill(7), 50).pValue).toBe(1);
  });

  it('a side that is much larger does not hide that all values of the other are different', () => {
    const ten = new Float64Array(10).fill(100);
    const thousand = new Float64Array(1000).fill(200);
    expect(percentileTest(ten, thousand, 50).pValue).toBeLessThan(1e-12);
    expect(percentileTest(thousand, ten, 50).pValue).toBeLessThan(1e-12);
  });
});

describe('rate test', () => {
  it('is the exact binomial test of the split: 10 against 2 in equal times', () => {
    // 2 (C(12,0) + C(12,1) + C(12,2)) / 2^12
    const result = rateTest({ counts: [10], watchedNs: [1e9] }, { counts: [2], watchedNs: [1e9] });
    expect(result.pValue).toBeCloseTo((2 * (1 + 12 + 66)) / 4096, 12);
    expect(result.smallestP).toBeCloseTo(2 / 4096, 12);
  });

  it('takes the time into account: 30 in three seconds are as many as 10 in one', () => {
    expect(rateTest({ counts: [30], watchedNs: [3e9] }, { counts: [10], watchedNs: [1e9] }).pValue).toBe(1);
  });

  it('bursts count for less than the same number of requests spread out', () => {
    const watchedNs = new Array<number>(20).fill(1e9);
    const even = (n: number): number[] => new Array<number>(20).fill(n);
    const bursts = (n: number): number[] => watchedNs.map((_, index) => (index % 5 === 0 ? 5 * n : 0));
    const spread = rateTest({ counts: even(20), watchedNs }, { counts: even(25), watchedNs });
    const bursty = rateTest({ counts: bursts(20), watchedNs }, { counts: bursts(25), watchedNs });
    expect(spread.pValue).toBeLessThan(0.001);
    expect(bursty.pValue).toBeGreaterThan(0.05);
    expect(bursty.dispersion).toBeGreaterThan(10);
  });
});

describe('percentile interval', () => {
  const hundred = Float64Array.from({ length: 100 }, (_, index) => index + 1);

  it('of the median of 100 values at 95 %: the 40th and the 61st, as tables have it', () => {
    expect(percentileInterval(hundred, 50, 0.95)).toEqual({ low: 40, high: 61 });
  });

  it('has no upper end where the sample is too small for the tail', () => {
    expect(percentileInterval(hundred, 99, 0.95).high).toBeNull();
    expect(percentileInterval(hundred, 99, 0.95).low).not.toBeNull();
  });

  it('is wider where neighbours vary together', () => {
    const wide = percentileInterval(hundred, 50, 0.95, 4);
    expect(wide.low).toBeLessThanOrEqual(31);
    expect(wide.high).toBeGreaterThanOrEqual(70);
  });
});

describe('dispersion', () => {
  it('of values that keep together in time is about the length of their runs', () => {
    const runs = Float64Array.from({ length: 2400 }, (_, index) => (Math.floor(index / 25) * 7919) % 97);
    expect(dispersionOf([runs, runs]).factor).toBeGreaterThan(10);
  });

  it('is 1 for too few values, and never below', () => {
    expect(dispersionOf([Float64Array.of(1, 2, 3)])).toEqual({ factor: 1, freedom: 0 });
    const even = Float64Array.from({ length: 1000 }, (_, index) => index % 2);
    expect(dispersionOf([even]).factor).toBe(1);
  });

  it('makes p-values larger, never smaller', () => {
    for (const p of [1e-280, 1e-9, 0.001, 0.04, 0.7, 1]) {
      expect(carefulP(p, { factor: 1, freedom: 40 })).toBe(p);
      expect(carefulP(p, { factor: 1.0001, freedom: 40 })).toBeGreaterThanOrEqual(p);
      if (p < 1) expect(carefulP(p, { factor: 4, freedom: 40 })).toBeGreaterThan(p);
    }
    // z = 3.2905 for p = 0.001; divided by 2 it is 1.645, the 10 % point, with so many degrees of freedom.
    expect(carefulP(0.001, { factor: 4, freedom: 1e6 })).toBeCloseTo(0.0999, 3);
  });

  it('errors in one burst are less of a statement than the same errors spread out', () => {
    const none = new Float64Array(1000);
    const burst = none.map((_, index) => (index >= 500 && index < 520 ? 1 : 0));
    const spread = none.map((_, index) => (index % 50 === 7 ? 1 : 0));
    expect(shareTest(none, spread).pValue).toBeLessThan(1e-5);
    expect(shareTest(none, burst).pValue).toBeGreaterThan(0.01);
  });
});

describe('adjusting for the number of tests', () => {
  it("follows Benjamini and Hochberg's step-up", () => {
    const adjusted = adjustedForCount([0.01, 0.001, 0.05, 0.2, 0.04, 0.9]);
    [0.03, 0.006, 0.075, 0.24, 0.075, 0.9].forEach((expected, index) => {
      expect(adjusted[index]).toBeCloseTo(expected, 12);
    });
    expect(adjustedForCount([])).toEqual([]);
  });
});
