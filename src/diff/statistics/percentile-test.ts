import { nearestRank } from '../../report/percentile.ts';
import { type ShareTest, shareTest } from './share-test.ts';

/**
 * Whether a percentile of two samples is the same: Mood's median test for any percentile (Conover, Practical
 * Nonparametric Statistics, chapter 4). Both samples together are cut at their percentile; under the hypothesis the
 * values above the cut are dealt out at random, so that Fisher's exact test applies. Says nothing about the shape
 * of the distributions, and a tail of a hundred values counts as a hundred.
 *
 * Values in the order of time; `percent` between 0 and 100.
 */
export function percentileTest(before: Float64Array, after: Float64Array, percent: number): ShareTest {
  const pooled = new Float64Array(before.length + after.length);
  pooled.set(before);
  pooled.set(after, before.length);
  pooled.sort();
  const isAbove = cutOf(pooled, percent);
  const marks = (values: Float64Array): Float64Array => values.map((value) => (isAbove(value) ? 1 : 0));
  return shareTest(marks(before), marks(after));
}

/**
 * Equal values cannot be divided: the cut is put beside them where the odds of being above come nearest to those
 * wanted. A cut with nothing above or nothing below tells nothing.
 */
function cutOf(sorted: Float64Array, percent: number): (value: number) => boolean {
  const total = sorted.length;
  const rank = nearestRank(percent, total);
  const cut = sorted[rank - 1];
  let below = rank - 1;
  while (below > 0 && sorted[below - 1] === cut) below -= 1;
  let upTo = rank;
  while (upTo < total && sorted[upTo] === cut) upTo += 1;
  const logOdds = (above: number): number => Math.log(above / (total - above));
  const wanted = Math.log((100 - percent) / percent);
  const isNearer = Math.abs(logOdds(total - upTo) - wanted) <= Math.abs(logOdds(total - below) - wanted);
  return isNearer ? (value) => value > cut : (value) => value >= cut;
}
