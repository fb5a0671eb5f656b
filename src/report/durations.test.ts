import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BoundedTop } from './bounded-top.ts';
import { DurationBudget, DurationSeries, percentilesOf } from './duration-series.ts';
import { Histogram } from './histogram.ts';
import { nearestRank, selectRank } from './percentile.ts';

const durations = fc.oneof(fc.nat(10), fc.nat(5_000), fc.nat(2e9), fc.integer({ min: 0, max: 2 ** 53 - 1 }));
const ascending = (values: readonly number[]): number[] => [...values].sort((a, b) => a - b);
const near = (found: number | null, exact: number): void => {
  expect(Math.abs((found ?? Number.NaN) - exact)).toBeLessThanOrEqual(exact * 0.001);
};

describe('percentiles', () => {
  it('are nearest-rank: a value that was measured', () => {
    expect([50, 90, 99].map((percent) => nearestRank(percent, 10))).toEqual([5, 9, 10]);
    expect([50, 90, 99].map((percent) => nearestRank(percent, 100))).toEqual([50, 90, 99]);
    expect([50, 90, 99].map((percent) => nearestRank(percent, 1))).toEqual([1, 1, 1]);
    expect(nearestRank(50, 3)).toBe(2);
  });

  it('select the same value as sorting does, in any order and with any repetition', () => {
    const lists = fc.oneof(
      fc.array(durations, { minLength: 1, maxLength: 400 }),
      fc.array(fc.nat(3), { minLength: 1, maxLength: 400 }),
      fc.nat(2000).map((n) => Array.from({ length: n + 1 }, (_, i) => (i % 2 === 0 ? i : n - i))),
    );
    fc.assert(
      fc.property(lists, fc.nat(1000), (values, place) => {
        const rank = 1 + (place % values.length);
        expect(selectRank(Float64Array.from(values), values.length, rank)).toBe(ascending(values)[rank - 1]);
      }),
    );
  });

  it('are exact within the budget, over one series and over several together', () => {
    const budget = new DurationBudget(1e6);
    fc.assert(
      fc.property(fc.array(fc.array(durations), { minLength: 1, maxLength: 4 }), (lists) => {
        const series = lists.map((values) => {
          const one = new DurationSeries();
          for (const value of values) one.add(value, budget);
          return one;
        });
        const all = ascending(lists.flat());
        const at = (percent: number) =>
          all.length === 0 ? null : all[Math.ceil((percent * all.length) / 100) - 1];
        expect(percentilesOf(series)).toEqual({
          p50Ns: at(50),
          p90Ns: at(90),
          p99Ns: at(99),
          maxNs: all.at(-1) ?? null,
          approximate: false,
        });
      }),
    );
  });

  it('stay within 0.1 % beyond the budget, and say so', () => {
    fc.assert(
      fc.property(fc.array(durations, { minLength: 20 }), (values) => {
        const budget = new DurationBudget(8);
        const series = new DurationSeries();
        for (const value of values) {
          series.add(value, budget);
          if (budget.exhausted && budget.held > 0) series.condense(budget);
        }
        const all = ascending(values);
        const found = percentilesOf([series]);
        expect(found.approximate).toBe(true);
        expect(found.maxNs).toBe(all.at(-1));
        near(found.p50Ns, all[Math.ceil(all.length / 2) - 1]);
        near(found.p99Ns, all[Math.ceil((99 * all.length) / 100) - 1]);
        expect(budget.held).toBeLessThan(8);
      }),
    );
  });

  it('are unknown rather than wrong when even histograms find no room', () => {
    const budget = new DurationBudget(0);
    const series = Array.from({ length: 4 }, () => new DurationSeries());
    for (const one of series) for (let power = 0; power < 30; power += 1) one.add(2 ** power, budget);
    expect(budget.octaves).toBeLessThanOrEqual(budget.octaveLimit);
    near(percentilesOf([series[0]]).p50Ns, 2 ** 14);
    expect(percentilesOf([series[3]])).toMatchObject({ p50Ns: null, maxNs: 2 ** 29 });
  });
});

describe('the histogram', () => {
  it('gives back every value within 0.1 %', () => {
    fc.assert(
      fc.property(durations, (value) => {
        const histogram = new Histogram();
        histogram.add(value);
        near(histogram.atRank(1), value);
      }),
      { numRuns: 1000 },
    );
  });

  it('keeps order and number when merged', () => {
    fc.assert(
      fc.property(fc.array(durations), fc.array(durations), (a, b) => {
        const [left, right, both] = [new Histogram(), new Histogram(), new Histogram()];
        for (const value of a) left.add(value);
        for (const value of b) right.add(value);
        for (const value of [...a, ...b]) both.add(value);
        left.merge(right);
        expect(left.count).toBe(both.count);
        expect(left.octaves).toBe(both.octaves);
        for (let rank = 1; rank <= both.count; rank += 1) expect(left.atRank(rank)).toBe(both.atRank(rank));
      }),
    );
  });
});

describe('the bounded list', () => {
  it('keeps what sorting all of them would put first, earlier ones first among equals', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(20)), fc.nat(8), (keys, limit) => {
        const top = new BoundedTop<number>(limit);
        for (const [index, key] of keys.entries()) top.offer(key, index);
        const expected = keys
          .map((_, index) => index)
          .sort((a, b) => keys[b] - keys[a] || a - b)
          .slice(0, limit);
        expect(top.sorted()).toEqual(expected);
      }),
    );
  });
});
