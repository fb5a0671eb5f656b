/** Coefficients of Stirling's series for ln Γ(x) (NIST DLMF 5.11.1): B(2k) / (2k (2k-1)). */
const STIRLING = [1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360_360, 1 / 156] as const;
const HALF_LN_TWO_PI = 0.5 * Math.log(2 * Math.PI);
/** From here on the series above is exact to the last digits of a double. */
const LARGE = 12;

/** ln Γ(x) for x > 0. */
export function logGamma(x: number): number {
  let product = 1;
  let at = x;
  while (at < LARGE) {
    product *= at;
    at += 1;
  }
  const inverse = 1 / at;
  const square = inverse * inverse;
  let series = 0;
  for (let k = STIRLING.length - 1; k >= 0; k -= 1) series = series * square + STIRLING[k];
  return (at - 0.5) * Math.log(at) - at + HALF_LN_TWO_PI + series * inverse - Math.log(product);
}

/** ln C(n, k), the number of ways to choose k of n; 0 <= k <= n. */
export function logChoose(n: number, k: number): number {
  if (k === 0 || k === n) return 0;
  return logGamma(n + 1) - logGamma(k + 1) - logGamma(n - k + 1);
}
