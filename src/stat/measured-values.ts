import { nearestRankOf, type Percentile } from './percentiles.ts';
import { Samples } from './samples.ts';

/** What a group's values of the metric look like; null: there are none. */
export interface Distribution {
  readonly measured: number;
  /** In the order asked for. */
  readonly percentiles: readonly (number | null)[];
  readonly mean: number | null;
  readonly max: number | null;
}

export interface Distributions {
  of(place: number): Distribution;
  readonly all: Distribution;
}

/** One number for each of many requests, with the group that the request belongs to. */
export interface MeasuredValues {
  /** Values that are in no percentile. */
  readonly lost: number;
  /** True: percentiles are within 0.1 %, no longer exact. */
  readonly approximate: boolean;
  add(group: number, value: number): void;
  /**
   * @param places group that each group given to `add` has become
   * @param groups how many groups there are then
   */
  distributions(places: Uint32Array, groups: number, percentiles: readonly Percentile[]): Distributions;
}

/** Every value is kept: for captures, which end. */
export class ExactValues implements MeasuredValues {
  readonly approximate = false;
  readonly #samples: Samples;

  constructor(limit: number) {
    this.#samples = new Samples(limit);
  }

  get lost(): number {
    return this.#samples.lost;
  }

  add(group: number, value: number): void {
    this.#samples.add(group, value);
  }

  distributions(places: Uint32Array, groups: number, percentiles: readonly Percentile[]): Distributions {
    const values = this.#samples.byGroup(places, groups);
    const found = Array.from({ length: groups }, (_, place) => exactly(values.of(place), percentiles));
    return { of: (place) => found[place], all: exactly(values.all, percentiles) };
  }
}

/** Sorts `values`. */
export function exactly(values: Float64Array, percentiles: readonly Percentile[]): Distribution {
  const measured = values.length;
  if (measured === 0) return { measured, percentiles: percentiles.map(() => null), mean: null, max: null };
  values.sort();
  let sum = 0;
  for (const value of values) sum += value;
  return {
    measured,
    percentiles: percentiles.map((one) => nearestRankOf(values, one)),
    mean: sum / measured,
    max: values[measured - 1],
  };
}
