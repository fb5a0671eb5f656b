import type { RunClock } from '../model/packet.ts';

const US = 1e3;
const MS = 1e6;
const SECOND = 1e9;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Widths that people can read off, in ns. */
const READABLE: readonly number[] = [
  ...[US, MS].flatMap((unit) => [1, 2, 5, 10, 20, 50, 100, 200, 500].map((times) => times * unit)),
  ...[1, 2, 5, 10, 15, 30].flatMap((times) => [times * SECOND]),
  ...[1, 2, 5, 10, 15, 30].flatMap((times) => [times * MINUTE]),
  ...[1, 2, 3, 6, 12].map((times) => times * HOUR),
  ...[1, 2, 7, 14, 28, 91, 364, 3640, 36_400].map((times) => times * DAY),
];

/** Equal stretches of time that begin at whole multiples of their width in Unix time. */
export class TimeBuckets {
  readonly widthNs: number;
  readonly count: number;
  /** Unix time of the run's epoch within a bucket, ns. */
  readonly #epochNs: number;
  /** Number of the first bucket, counted from the one that holds the beginning of `#epochNs`. */
  readonly #first: number;

  /** Covers `[firstNs, lastNs]`, ns since the run's epoch. `widthNs`: whole, 1 or more. */
  constructor(clock: RunClock, firstNs: number, lastNs: number, widthNs: number) {
    this.widthNs = widthNs;
    this.#epochNs = Number((BigInt(clock.epochSeconds ?? 0) * 1_000_000_000n) % BigInt(widthNs));
    this.#first = Math.floor((firstNs + this.#epochNs) / widthNs);
    this.count = Math.floor((lastNs + this.#epochNs) / widthNs) - this.#first + 1;
  }

  /** Number of the bucket that holds a time within the range, from 0. */
  at(ns: number): number {
    return Math.floor((ns + this.#epochNs) / this.widthNs) - this.#first;
  }

  /** When a bucket begins, ns since the run's epoch. */
  startNs(bucket: number): number {
    return (this.#first + bucket) * this.widthNs - this.#epochNs;
  }
}

/** The narrowest readable buckets of which there are at most `most` (2 or more). At least as wide as `leastNs`. */
export function readableBuckets(
  clock: RunClock,
  firstNs: number,
  lastNs: number,
  most: number,
  leastNs = 0,
): TimeBuckets {
  let buckets = new TimeBuckets(clock, firstNs, lastNs, READABLE[READABLE.length - 1]);
  for (const width of READABLE) {
    if (width < leastNs) continue;
    // Most widths can be ruled out without looking closer.
    if ((lastNs - firstNs) / width > most) continue;
    buckets = new TimeBuckets(clock, firstNs, lastNs, width);
    if (buckets.count <= most) break;
  }
  return buckets;
}
