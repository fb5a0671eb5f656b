import { logChoose } from './log-gamma.ts';

/**
 * A table of two by two: `marked` of `total` things have a mark, `drawn` of them are in the first group. Under the
 * hypothesis that the mark has nothing to do with the group, the number of marked ones in it is hypergeometric.
 */
export interface Margins {
  readonly total: number;
  readonly marked: number;
  readonly drawn: number;
}

function leastOf({ total, marked, drawn }: Margins): number {
  return Math.max(0, drawn + marked - total);
}

function mostOf({ marked, drawn }: Margins): number {
  return Math.min(marked, drawn);
}

function chanceOf(k: number, { total, marked, drawn }: Margins): number {
  return Math.exp(logChoose(marked, k) + logChoose(total - marked, drawn - k) - logChoose(total, drawn));
}

/** P(X >= k): terms from k away from the middle, until they do not count any more. */
function atLeast(k: number, margins: Margins): number {
  if (k <= leastOf(margins)) return 1;
  const { total, marked, drawn } = margins;
  let term = chanceOf(k, margins);
  let sum = 0;
  for (let x = k; x <= mostOf(margins); x += 1) {
    sum += term;
    term *= ((marked - x) * (drawn - x)) / ((x + 1) * (total - marked - drawn + x + 1));
    if (term < sum * 1e-18) break;
  }
  return Math.min(1, sum);
}

/** P(X <= k), by counting the unmarked ones instead. */
function atMost(k: number, { total, marked, drawn }: Margins): number {
  return atLeast(drawn - k, { total, marked: total - marked, drawn });
}

/**
 * Fisher's exact test, two-sided: twice the smaller tail (Fay 2010, "central"), so that a statement about the
 * direction of the difference is right, too. Exact at all sizes; takes about sqrt(total) steps.
 *
 * @param k marked ones in the first group
 */
export function fisherTwoSided(k: number, margins: Margins): number {
  // The tail on the far side of the middle is at least a half, and would take long to add up.
  const middle = (margins.drawn * margins.marked) / margins.total;
  const tail = k > middle ? atLeast(k, margins) : atMost(k, margins);
  return Math.min(1, 2 * tail);
}

/** The smallest p-value that the test can give with these margins. Above one's level, no outcome could tell. */
export function fisherSmallest(margins: Margins): number {
  return Math.min(fisherTwoSided(leastOf(margins), margins), fisherTwoSided(mostOf(margins), margins));
}
