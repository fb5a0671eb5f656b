import type { Instant, Range, TimeRange } from './syntax.ts';

/** Comparisons of whole numbers and of times as ranges with both ends included. */

export type OrderSign = '==' | '<' | '<=' | '>' | '>=';

export function rangeOf(sign: OrderSign, value: number): Range {
  switch (sign) {
    case '==':
      return { low: value, high: value };
    case '<':
      return { low: null, high: value - 1 };
    case '<=':
      return { low: null, high: value };
    case '>':
      return { low: value + 1, high: null };
    case '>=':
      return { low: value, high: null };
  }
}

/** In order, overlapping and neighbouring ranges made one. */
export function merged(ranges: readonly Range[]): readonly Range[] {
  const lowOf = ({ low }: Range): number => low ?? Number.NEGATIVE_INFINITY;
  const highOf = ({ high }: Range): number => high ?? Number.POSITIVE_INFINITY;
  const result: Range[] = [];
  for (const range of [...ranges].sort((a, b) => lowOf(a) - lowOf(b) || highOf(a) - highOf(b))) {
    const last = result.at(-1);
    if (last === undefined || highOf(last) + 1 < lowOf(range)) result.push(range);
    else if (highOf(range) > highOf(last)) result[result.length - 1] = { low: last.low, high: range.high };
  }
  return result;
}

const NS_PER_SECOND = 1_000_000_000;

function shifted({ relative, seconds, ns }: Instant, by: 1 | -1): Instant {
  const moved = ns + by;
  if (moved < 0) return { relative, seconds: seconds - 1, ns: moved + NS_PER_SECOND };
  if (moved >= NS_PER_SECOND) return { relative, seconds: seconds + 1, ns: moved - NS_PER_SECOND };
  return { relative, seconds, ns: moved };
}

/** The next nanosecond, or the one before. */
export function after(instant: Instant, by: 1 | -1 = 1): Instant {
  return shifted(instant, by);
}

export function timeRangeOf(sign: OrderSign, value: Instant): TimeRange {
  switch (sign) {
    case '==':
      return { low: value, high: value };
    case '<':
      return { low: null, high: shifted(value, -1) };
    case '<=':
      return { low: null, high: value };
    case '>':
      return { low: after(value), high: null };
    case '>=':
      return { low: value, high: null };
  }
}

/** Whether the range holds nothing, as far as that is known before the run's epoch is. */
export function runsBackwards(low: Instant, high: Instant): boolean {
  if (low.relative !== high.relative) return false;
  return low.seconds > high.seconds || (low.seconds === high.seconds && low.ns > high.ns);
}

/** ns since the run's epoch. Exact within 104 days of it; beyond, the order is kept. */
export function sinceEpochNs({ relative, seconds, ns }: Instant, epochSeconds: number): number {
  return (relative ? seconds : seconds - epochSeconds) * NS_PER_SECOND + ns;
}
