import type { Dispersion } from './dispersion.ts';
import { normalUpperQuantile } from './normal.ts';
import { studentTwoSided } from './student.ts';

/** Below it a double cannot hold a p-value; its z is 37. */
const LEAST_P = 1e-300;

/**
 * A two-sided p-value that assumed independence, made honest: its z is divided by the root of the dispersion, and
 * looked up in Student's distribution, because the dispersion is an estimate itself. Never smaller than before.
 */
export function carefulP(pValue: number, { factor, freedom }: Dispersion): number {
  if (factor <= 1 || pValue >= 1) return pValue;
  const z = normalUpperQuantile(Math.max(pValue, LEAST_P) / 2);
  return Math.max(pValue, studentTwoSided(z / Math.sqrt(factor), freedom));
}
