/** A set of whole numbers from 1, kept as ranges: which batches of a stream are stored. */
export class NumberRanges {
  /** Sorted, apart from each other. */
  readonly #from: number[] = [];
  readonly #to: number[] = [];

  get ranges(): number {
    return this.#from.length;
  }

  /** Highest number; 0: none. */
  get last(): number {
    return this.#to.at(-1) ?? 0;
  }

  has(number: number): boolean {
    const at = this.#rangeAt(number);
    return at >= 0 && number <= this.#to[at];
  }

  /** Adds `first` to `last`, both included. */
  add(first: number, last: number = first): void {
    let begin = this.#rangeAt(first);
    if (begin < 0 || this.#to[begin] + 1 < first) begin += 1;
    let end = begin;
    let low = first;
    let high = last;
    while (end < this.#from.length && this.#from[end] <= last + 1) {
      low = Math.min(low, this.#from[end]);
      high = Math.max(high, this.#to[end]);
      end += 1;
    }
    this.#from.splice(begin, end - begin, low);
    this.#to.splice(begin, end - begin, high);
  }

  /** Ranges between 1 and `last` that are not in it, at most `limit`. */
  missing(limit: number): (readonly [number, number])[] {
    const gaps: (readonly [number, number])[] = [];
    let next = 1;
    for (let index = 0; index < this.#from.length && gaps.length < limit; index += 1) {
      if (this.#from[index] > next) gaps.push([next, this.#from[index] - 1]);
      next = this.#to[index] + 1;
    }
    return gaps;
  }

  *[Symbol.iterator](): Generator<readonly [number, number]> {
    for (let index = 0; index < this.#from.length; index += 1) yield [this.#from[index], this.#to[index]];
  }

  /** The last range that begins at or below the number; -1: none. */
  #rangeAt(number: number): number {
    let from = 0;
    let to = this.#from.length;
    while (from < to) {
      const middle = (from + to) >> 1;
      if (this.#from[middle] <= number) from = middle + 1;
      else to = middle;
    }
    return from - 1;
  }
}
