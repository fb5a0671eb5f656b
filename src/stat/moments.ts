import { type GroupedValues, Samples } from './samples.ts';
import type { TimeBuckets } from './time-buckets.ts';

/** When requests of groups were, for counting them by time. */
export interface Moments {
  /** Requests whose time is in no bucket. */
  readonly lost: number;
  /** Narrowest buckets that make sense, ns. */
  readonly leastNs: number;
  add(group: number, ns: number): void;
  /** As for MeasuredValues.distributions. */
  byGroup(places: Uint32Array, groups: number): GroupedMoments;
}

export interface GroupedMoments {
  /** Counts by bucket; `place` null: of all groups. */
  counts(place: number | null, buckets: TimeBuckets): Uint32Array;
}

/** Every moment is kept. */
export class ExactMoments implements Moments {
  readonly leastNs = 0;
  readonly #samples: Samples;

  constructor(limit: number) {
    this.#samples = new Samples(limit);
  }

  get lost(): number {
    return this.#samples.lost;
  }

  add(group: number, ns: number): void {
    this.#samples.add(group, ns);
  }

  byGroup(places: Uint32Array, groups: number): GroupedMoments {
    const values: GroupedValues = this.#samples.byGroup(places, groups);
    return {
      counts(place, buckets) {
        const counts = new Uint32Array(buckets.count);
        for (const ns of place === null ? values.all : values.of(place)) counts[buckets.at(ns)] += 1;
        return counts;
      },
    };
  }
}
