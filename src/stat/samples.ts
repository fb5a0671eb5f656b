/** Values in one chunk: memory grows with what is held, without ever copying it. */
const CHUNK = 65_536;

/** One number for each of many requests, with the group that the request belongs to. */
export class Samples {
  readonly #limit: number;
  readonly #groups: Uint32Array[] = [];
  readonly #values: Float64Array[] = [];
  #count = 0;
  /** Requests that came when the limit was reached. */
  lost = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get count(): number {
    return this.#count;
  }

  add(group: number, value: number): void {
    if (this.#count >= this.#limit) {
      this.lost += 1;
      return;
    }
    const at = this.#count % CHUNK;
    if (at === 0) {
      this.#groups.push(new Uint32Array(CHUNK));
      this.#values.push(new Float64Array(CHUNK));
    }
    this.#groups[this.#groups.length - 1][at] = group;
    this.#values[this.#values.length - 1][at] = value;
    this.#count += 1;
  }

  /**
   * The values by group, in the order in which they came.
   *
   * @param places group that each group given to `add` has become
   * @param groups how many groups there are then
   */
  byGroup(places: Uint32Array, groups: number): GroupedValues {
    const starts = new Float64Array(groups + 1);
    this.#each((group) => {
      starts[places[group] + 1] += 1;
    });
    for (let group = 0; group < groups; group += 1) starts[group + 1] += starts[group];
    const next = starts.slice();
    const values = new Float64Array(this.#count);
    this.#each((group, value) => {
      const place = places[group];
      values[next[place]] = value;
      next[place] += 1;
    });
    return new GroupedValues(values, starts);
  }

  #each(take: (group: number, value: number) => void): void {
    for (let index = 0; index < this.#count; index += 1) {
      const chunk = Math.floor(index / CHUNK);
      take(this.#groups[chunk][index % CHUNK], this.#values[chunk][index % CHUNK]);
    }
  }
}

/** Values of all groups in one array, group by group. */
export class GroupedValues {
  readonly all: Float64Array;
  readonly #starts: Float64Array;

  constructor(all: Float64Array, starts: Float64Array) {
    this.all = all;
    this.#starts = starts;
  }

  /** A window into `all`: reordering it reorders that. */
  of(group: number): Float64Array {
    return this.all.subarray(this.#starts[group], this.#starts[group + 1]);
  }
}
