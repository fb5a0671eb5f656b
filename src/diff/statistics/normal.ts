const SQRT_HALF = Math.SQRT1_2;
const SQRT_TWO_PI = Math.sqrt(2 * Math.PI);

/** erfc(x) for x >= 0: Maclaurin series below 2 (NIST DLMF 7.6.2), continued fraction above (DLMF 7.9.3). */
function complementaryError(x: number): number {
  const square = x * x;
  if (x < 2) {
    let term = x;
    let sum = x;
    for (let n = 1; n < 200; n += 1) {
      term *= (2 * square) / (2 * n + 1);
      sum += term;
      if (term < sum * 1e-17) break;
    }
    return 1 - (2 / Math.sqrt(Math.PI)) * Math.exp(-square) * sum;
  }
  let tail = 0;
  for (let n = 120; n >= 1; n -= 1) tail = n / 2 / (x + tail);
  return Math.exp(-square) / (Math.sqrt(Math.PI) * (x + tail));
}

/** P(Z > z) of the standard normal distribution, exact to about 14 digits far into the tail. */
export function normalAbove(z: number): number {
  const tail = complementaryError(Math.abs(z) * SQRT_HALF) / 2;
  return z >= 0 ? tail : 1 - tail;
}

/** The z whose upper tail is p; p in (0, 0.5]. Newton's steps on ln P(Z > z), which is nearly a parabola. */
export function normalUpperQuantile(p: number): number {
  if (p >= 0.5) return 0;
  const wanted = Math.log(p);
  // Abramowitz and Stegun 26.2.23, wrong by less than 0.0005.
  const t = Math.sqrt(-2 * wanted);
  let z =
    t -
    (2.515517 + 0.802853 * t + 0.010328 * t * t) /
      (1 + 1.432788 * t + 0.189269 * t * t + 0.001308 * t * t * t);
  for (let step = 0; step < 4; step += 1) {
    const above = normalAbove(z);
    if (above === 0) return z;
    const density = Math.exp((-z * z) / 2) / SQRT_TWO_PI;
    z += ((Math.log(above) - wanted) * above) / density;
  }
  return z;
}
