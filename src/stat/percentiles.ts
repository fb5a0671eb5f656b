/** A percentile as a whole number of thousandths of a percent, so that ranks are exact. */
export interface Percentile {
  /** `p99.9`. */
  readonly label: string;
  /** 1 to 100,000. */
  readonly thousandths: number;
}

const PERCENT = /^p?(\d{1,3})(?:\.(\d{1,3}))?$/i;

/** `99.9` or `p99.9`: above 0, up to 100, at most three digits after the point; null: not a percentile. */
export function percentile(text: string): Percentile | null {
  const match = PERCENT.exec(text);
  if (match === null) return null;
  const thousandths = Number(match[1]) * 1000 + Number((match[2] ?? '').padEnd(3, '0'));
  if (thousandths < 1 || thousandths > 100_000) return null;
  return { label: `p${thousandths / 1000}`, thousandths };
}

/**
 * The nearest-rank percentile of `sorted`: the ceil(p·n/100)-th smallest of n values, always one that was measured.
 * `sorted` is ascending and not empty.
 */
export function nearestRankOf(sorted: Float64Array, { thousandths }: Percentile): number {
  // Both factors are whole, so the product is exact, and so is a quotient that is whole.
  const rank = Math.ceil((thousandths * sorted.length) / 100_000);
  return sorted[Math.max(1, rank) - 1];
}
