import type { Exchange } from '../model/exchange.ts';
import type { RunClock } from '../model/packet.ts';
import { nearestRankOf } from '../stat/percentiles.ts';
import { type GroupedValues, Samples } from '../stat/samples.ts';
import type { Measure } from './expectation.ts';
import type { AssertLimits } from './limits.ts';

/** Values of one measure, by place: a group whose name is not final yet. Places become groups at the end. */
export interface Measuring {
  add(place: number, exchange: Exchange, clock: RunClock): void;
  /**
   * @param groupOf group of each place
   * @param seconds time watched; null: not known
   * @returns the value of each group; null: not known
   */
  finish(groupOf: Uint32Array, groups: number, seconds: number | null): (number | null)[];
  /** Values for which there was no room: the result would not be exact. */
  lost(): number;
}

export function measuringOf(measure: Measure, limits: AssertLimits): Measuring {
  if ('filter' in measure) return new Counting(measure);
  return 'percentile' in measure ? new Percentiles(measure, limits) : new Totals(measure);
}

/** Numbers by place, 0 where nothing came. */
class Tally {
  readonly #values: number[] = [];

  add(place: number, value: number): void {
    while (this.#values.length <= place) this.#values.push(0);
    this.#values[place] += value;
  }

  byGroup(groupOf: Uint32Array, groups: number): Float64Array {
    const sums = new Float64Array(groups);
    this.#values.forEach((value, place) => {
      sums[groupOf[place]] += value;
    });
    return sums;
  }
}

class Counting implements Measuring {
  readonly #measure: Extract<Measure, { kind: 'count' | 'rate' | 'share' }>;
  readonly #hits = new Tally();
  readonly #all = new Tally();

  constructor(measure: Extract<Measure, { kind: 'count' | 'rate' | 'share' }>) {
    this.#measure = measure;
  }

  add(place: number, exchange: Exchange, clock: RunClock): void {
    const { filter } = this.#measure;
    this.#all.add(place, 1);
    if (filter === null || filter.matches(exchange, clock)) this.#hits.add(place, 1);
  }

  finish(groupOf: Uint32Array, groups: number, seconds: number | null): (number | null)[] {
    const hits = Array.from(this.#hits.byGroup(groupOf, groups));
    const { kind } = this.#measure;
    if (kind === 'count') return hits;
    if (kind === 'rate') return hits.map((count) => (seconds === null ? null : count / seconds));
    const all = this.#all.byGroup(groupOf, groups);
    return hits.map((count, group) => (all[group] === 0 ? null : count / all[group]));
  }

  lost(): number {
    return 0;
  }
}

class Percentiles implements Measuring {
  readonly #measure: Extract<Measure, { kind: 'percentile' }>;
  readonly #samples: Samples;

  constructor(measure: Extract<Measure, { kind: 'percentile' }>, { values }: AssertLimits) {
    this.#measure = measure;
    this.#samples = new Samples(values);
  }

  add(place: number, exchange: Exchange, clock: RunClock): void {
    const value = this.#measure.field.value(exchange, clock);
    if (value !== null) this.#samples.add(place, value);
  }

  finish(groupOf: Uint32Array, groups: number): (number | null)[] {
    const values: GroupedValues = this.#samples.byGroup(groupOf, groups);
    return Array.from({ length: groups }, (_, group) => {
      const own = values.of(group);
      return own.length === 0 ? null : nearestRankOf(own.sort(), this.#measure.percentile);
    });
  }

  lost(): number {
    return this.#samples.lost;
  }
}

/** Sum, mean, smallest and largest. */
class Totals implements Measuring {
  readonly #measure: Extract<Measure, { kind: 'min' | 'max' | 'mean' | 'sum' }>;
  readonly #sums = new Tally();
  readonly #counts = new Tally();
  readonly #extremes: number[] = [];

  constructor(measure: Extract<Measure, { kind: 'min' | 'max' | 'mean' | 'sum' }>) {
    this.#measure = measure;
  }

  add(place: number, exchange: Exchange, clock: RunClock): void {
    const value = this.#measure.field.value(exchange, clock);
    if (value === null) return;
    this.#sums.add(place, value);
    this.#counts.add(place, 1);
    const before: number | undefined = this.#extremes[place];
    this.#extremes[place] = before === undefined ? value : this.#further(before, value);
  }

  finish(groupOf: Uint32Array, groups: number): (number | null)[] {
    const { kind } = this.#measure;
    const counts = this.#counts.byGroup(groupOf, groups);
    if (kind === 'sum' || kind === 'mean') {
      const sums = this.#sums.byGroup(groupOf, groups);
      // The sum of nothing is known; its mean is not.
      if (kind === 'sum') return Array.from(sums);
      return Array.from(sums, (sum, group) => (counts[group] === 0 ? null : sum / counts[group]));
    }
    const extremes = new Array<number | null>(groups).fill(null);
    this.#extremes.forEach((value, place) => {
      const before = extremes[groupOf[place]];
      extremes[groupOf[place]] = before === null ? value : this.#further(before, value);
    });
    return extremes;
  }

  lost(): number {
    return 0;
  }

  #further(a: number, b: number): number {
    return this.#measure.kind === 'min' ? Math.min(a, b) : Math.max(a, b);
  }
}
