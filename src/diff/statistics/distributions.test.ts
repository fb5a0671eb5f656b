import { describe, expect, it } from 'vitest';
import { binomialAtLeast, binomialAtMost } from './binomial.ts';
import { incompleteBeta } from './incomplete-beta.ts';
import { logChoose, logGamma } from './log-gamma.ts';
import { normalAbove, normalUpperQuantile } from './normal.ts';
import { studentTwoSided } from './student.ts';

/** Relative difference; values come from SciPy 1.17 unless something else is said. */
function close(actual: number, expected: number, within = 1e-11): void {
  expect(Math.abs(actual - expected)).toBeLessThanOrEqual(within * Math.abs(expected));
}

describe('distributions against published values', () => {
  it('ln Γ', () => {
    close(logGamma(0.5), Math.log(Math.PI) / 2);
    close(logGamma(3.7), 1.428072326665388);
    close(logGamma(1e6), 12815504.569147611);
    close(Math.exp(logChoose(50, 20)), 47_129_212_243_960);
    expect(logChoose(7, 0)).toBe(0);
  });

  it('incomplete beta', () => {
    close(incompleteBeta(0.3, 2.5, 3.5), 0.29675298929566646);
    close(incompleteBeta(0.4, 500, 700), 0.1205162890894316, 1e-9);
    close(incompleteBeta(0.02, 0.5, 19), 0.615946295325156);
    close(incompleteBeta(0.501, 100_000, 100_000), 0.8144532554424423, 1e-8);
    expect(incompleteBeta(0, 2, 3)).toBe(0);
    expect(incompleteBeta(1, 2, 3)).toBe(1);
  });

  it('normal tails, from the middle to where only their logarithm is a number for people', () => {
    const tails = [
      [0, 0.5],
      [1, 0.158655253931457],
      [1.96, 0.0249978951482204],
      [3, 1.34989803163009e-3],
      [6, 9.86587645037698e-10],
      [10, 7.61985302416053e-24],
      [30, 4.90671392714822e-198],
    ];
    for (const [z, tail] of tails) close(normalAbove(z), tail, 1e-12);
    close(normalAbove(-1), 1 - 0.158655253931457);
  });

  it('normal quantiles', () => {
    const quantiles = [
      [0.3, 0.524400512708041],
      [0.025, 1.95996398454005],
      [0.005, 2.5758293035489],
      [1e-6, 4.7534243088229],
      [1e-20, 9.26234008979841],
      [1e-200, 30.2055941793],
    ];
    for (const [p, z] of quantiles) close(normalUpperQuantile(p), z, 1e-11);
    expect(normalUpperQuantile(0.5)).toBe(0);
  });

  it("Student's t: the 5 % point of 9 degrees of freedom in every textbook is 2.262", () => {
    close(studentTwoSided(2.262157, 9), 0.05000001330443163, 1e-9);
    close(studentTwoSided(4, 38), 0.0002823905814195742, 1e-9);
    close(studentTwoSided(12, 46), 9.070852088862035e-16, 1e-9);
    expect(studentTwoSided(0, 5)).toBe(1);
  });

  it('binomial, by adding up what the formula says', () => {
    const choose = [1, 10, 45, 120, 210, 252, 210, 120, 45, 10, 1];
    const chance = (k: number, p: number): number => choose[k] * p ** k * (1 - p) ** (10 - k);
    for (const p of [0.1, 0.3, 0.77]) {
      let below = 0;
      let above = 0;
      for (let k = 0; k <= 10; k += 1) {
        below += chance(k, p);
        above += chance(10 - k, p);
        close(binomialAtMost(k, 10, p), below);
        close(binomialAtLeast(10 - k, 10, p), above);
      }
    }
    close(binomialAtMost(985, 1000, 0.99), 0.0824123195160892, 1e-9);
    close(binomialAtLeast(60, 100, 0.5), 0.028443966820490444, 1e-9);
  });
});
