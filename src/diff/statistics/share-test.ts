import { carefulP } from './careful.ts';
import { dispersionOf } from './dispersion.ts';
import { fisherSmallest, fisherTwoSided } from './hypergeometric.ts';

/** Two samples of things that are marked or not: 1 or 0, in the order of time. */
export interface ShareTest {
  readonly markedBefore: number;
  readonly markedAfter: number;
  readonly pValue: number;
  /** The smallest p-value possible with so many requests and so many marks. */
  readonly smallestP: number;
  /** See Dispersion. */
  readonly dispersion: number;
}

function countOf(marks: Float64Array): number {
  let count = 0;
  for (const mark of marks) count += mark;
  return count;
}

/** Fisher's exact test that the share of marked ones is the same, made careful for marks that come in bursts. */
export function shareTest(before: Float64Array, after: Float64Array): ShareTest {
  const markedBefore = countOf(before);
  const markedAfter = countOf(after);
  const total = before.length + after.length;
  const margins = { total, marked: markedBefore + markedAfter, drawn: before.length };
  const trivial =
    margins.marked === 0 || margins.marked === total || before.length === 0 || after.length === 0;
  if (trivial) return { markedBefore, markedAfter, pValue: 1, smallestP: 1, dispersion: 1 };
  const dispersion = dispersionOf([before, after]);
  return {
    markedBefore,
    markedAfter,
    pValue: carefulP(fisherTwoSided(markedBefore, margins), dispersion),
    smallestP: fisherSmallest(margins),
    dispersion: dispersion.factor,
  };
}
