import { carefulP } from './careful.ts';
import { dispersionOf } from './dispersion.ts';
import { type PairwiseShift, pairwiseShift } from './pairwise-shift.ts';
import { rankSum, rankSumSmallest } from './rank-sum.ts';

export interface ShiftTest {
  readonly pValue: number;
  readonly smallestP: number;
  /** Chance that a request of `after` takes longer than one of `before`; 0.5: as likely as not. */
  readonly superiority: number;
  readonly shift: PairwiseShift;
  /** See Dispersion. */
  readonly dispersion: number;
}

/** Beyond the exact test's size, so many values are needed on each side for the normal approximation. */
const LEAST_VALUES = 10;
const SMALL = 50;

/**
 * Whether values have moved as a whole: the rank-sum test with the Hodges-Lehmann shift, made careful for values
 * that move together in time. In the order of time, whole numbers, neither empty.
 */
export function shiftTest(before: Float64Array, after: Float64Array, confidence: number): ShiftTest {
  const first = before.slice().sort();
  const second = after.slice().sort();
  const ranks = rankSum(first, second);
  const score = (values: Float64Array): Float64Array =>
    values.map((value) => placeOf(first, value) + placeOf(second, value));
  const dispersion = dispersionOf([score(before), score(after)]);
  const enough =
    before.length + after.length <= SMALL || Math.min(before.length, after.length) >= LEAST_VALUES;
  return {
    pValue: carefulP(ranks.pValue, dispersion),
    smallestP: enough ? rankSumSmallest(before.length, after.length) : 1,
    superiority: ranks.superiority,
    shift: pairwiseShift(first, second, ranks.variance * dispersion.factor, confidence),
    dispersion: dispersion.factor,
  };
}

/** Values below plus half of those equal. */
function placeOf(sorted: Float64Array, value: number): number {
  return (countBelow(sorted, value, false) + countBelow(sorted, value, true)) / 2;
}

function countBelow(sorted: Float64Array, value: number, orEqual: boolean): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] < value || (orEqual && sorted[middle] === value)) low = middle + 1;
    else high = middle;
  }
  return low;
}
