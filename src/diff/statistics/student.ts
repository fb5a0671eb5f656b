import { incompleteBeta } from './incomplete-beta.ts';

/** P(|T| > t) of Student's distribution, two-sided; t >= 0, `freedom` degrees of freedom > 0. */
export function studentTwoSided(t: number, freedom: number): number {
  return incompleteBeta(freedom / (freedom + t * t), freedom / 2, 0.5);
}
