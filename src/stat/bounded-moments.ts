import type { RunClock } from '../model/packet.ts';
import { LIVE_STAT_LIMITS } from './bounded-values.ts';
import type { GroupedMoments, Moments } from './moments.ts';
import type { TimeBuckets } from './time-buckets.ts';

const SECOND = 1e9;
/** Stretches that readable bucket widths of the same size and more are multiples of, in ns. */
const STRETCHES: readonly number[] = [1, 5, 30, 60, 300, 1800, 3600, 21_600, 86_400].map(
  (seconds) => seconds * SECOND,
);

/** Requests counted by stretches of time, which become longer when there are too many of them. */
export class BoundedMoments implements Moments {
  lost = 0;
  readonly #clock: RunClock;
  readonly #limit: number;
  /** Counts by number of the stretch, for each group. */
  #groups: Map<number, number>[] = [];
  #held = 0;
  #firstNs = Number.POSITIVE_INFINITY;
  leastNs: number;
  #offset = { ofNs: 0, ns: 0 };

  /** `everyNs`: the width of buckets that will be asked for; null: any. */
  constructor(clock: RunClock, everyNs: number | null, limit: number = LIVE_STAT_LIMITS.moments) {
    this.#clock = clock;
    this.#limit = limit;
    // An odd width is counted as such; it may have to give way to a readable one later.
    this.leastNs =
      everyNs === null ? SECOND : everyNs % SECOND === 0 && everyNs < 60 * SECOND ? SECOND : everyNs;
  }

  add(group: number, ns: number): void {
    if (ns < this.#firstNs) this.#firstNs = ns;
    while (this.#groups.length <= group) this.#groups.push(new Map());
    while (this.#held >= this.#limit && this.#widen());
    const counts = this.#groups[group];
    const stretch = this.#stretch(ns);
    if (this.#held >= this.#limit && !counts.has(stretch)) this.lost += 1;
    else this.#count(counts, stretch, 1);
  }

  byGroup(places: Uint32Array, groups: number): GroupedMoments {
    const members: number[][] = Array.from({ length: groups }, () => []);
    this.#groups.forEach((_, group) => {
      members[places[group]].push(group);
    });
    return {
      counts: (place, buckets) => {
        const counts = new Uint32Array(buckets.count);
        for (const group of place === null ? this.#groups.keys() : members[place])
          for (const [stretch, count] of this.#groups[group]) counts[this.#bucket(stretch, buckets)] += count;
        return counts;
      },
    };
  }

  #stretch(ns: number): number {
    return Math.floor((ns + this.#offsetNs) / this.leastNs);
  }

  /** Of the run's epoch within a stretch, so that stretches begin at whole multiples in Unix time. */
  get #offsetNs(): number {
    if (this.#offset.ofNs !== this.leastNs) this.#offset = { ofNs: this.leastNs, ns: this.#workOutOffset() };
    return this.#offset.ns;
  }

  #workOutOffset(): number {
    return Number((BigInt(this.#clock.epochSeconds ?? 0) * 1_000_000_000n) % BigInt(this.leastNs));
  }

  #bucket(stretch: number, buckets: TimeBuckets): number {
    // The first stretch may begin before the first request, and so before the first bucket.
    const ns = Math.max(stretch * this.leastNs - this.#offsetNs, this.#firstNs);
    return Math.min(buckets.count - 1, Math.max(0, buckets.at(ns)));
  }

  #count(group: Map<number, number>, stretch: number, count: number): void {
    const before = group.get(stretch);
    if (before === undefined) this.#held += 1;
    group.set(stretch, (before ?? 0) + count);
  }

  /** False: there are no longer stretches. */
  #widen(): boolean {
    const wider = STRETCHES.find((width) => width > this.leastNs);
    if (wider === undefined) return false;
    const before = this.#groups;
    const startNs = (stretch: number): number => stretch * oldNs - oldOffsetNs;
    const oldNs = this.leastNs;
    const oldOffsetNs = this.#offsetNs;
    this.leastNs = wider;
    this.#held = 0;
    this.#groups = before.map((counts) => {
      const group = new Map<number, number>();
      for (const [stretch, count] of counts) this.#count(group, this.#stretch(startNs(stretch)), count);
      return group;
    });
    return true;
  }
}
