/** Bounds of what `stat` holds. Memory depends on these and on the exact values that were asked for. */
export interface StatLimits {
  /** Groups shown; the requests of the smallest ones beyond it are counted as `(other)`. */
  readonly groups: number;
  /** Groups held while reading, before routes are learned; requests of further ones are counted as `(other)`. */
  readonly groupsHeld: number;
  /**
   * Values held for exact percentiles, 12 bytes each; for time buckets as many moments of requests and of errors, 12
   * bytes each. Sorting takes 8 bytes of each for a while. Requests beyond it are counted, but are in no percentile and
   * no bucket; a note says so.
   */
  readonly samples: number;
  /** Characters of a value by which is grouped; longer ones are cut, and those that begin alike share a group. */
  readonly valueCharacters: number;
  /** Time buckets; a bucket width that would need more is widened, with a note. */
  readonly buckets: number;
}

export const STAT_LIMITS: StatLimits = Object.freeze({
  groups: 10_000,
  groupsHeld: 100_000,
  samples: 50_000_000,
  valueCharacters: 256,
  buckets: 10_000,
});
