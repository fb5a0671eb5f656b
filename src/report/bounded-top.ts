/** The `limit` items with the largest keys, in a binary heap. Of equal keys the earlier item stays. */
export class BoundedTop<T> {
  readonly #limit: number;
  readonly #keys: Float64Array;
  readonly #order: Float64Array;
  readonly #items: T[] = [];
  #arrived = 0;
  /** A key must exceed this to come in. */
  threshold: number;

  constructor(limit: number) {
    this.#limit = limit;
    this.#keys = new Float64Array(limit);
    this.#order = new Float64Array(limit);
    this.threshold = limit === 0 ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
  }

  get size(): number {
    return this.#items.length;
  }

  offer(key: number, item: T): void {
    this.#arrived += 1;
    if (key <= this.threshold) return;
    if (this.#items.length < this.#limit) {
      this.#items.push(item);
      this.#place(this.#items.length - 1, key, item);
      this.#up(this.#items.length - 1);
      if (this.#items.length === this.#limit) this.threshold = this.#keys[0];
      return;
    }
    this.#place(0, key, item);
    this.#down();
    this.threshold = this.#keys[0];
  }

  /** Largest key first; equal keys in the order in which they came. */
  sorted(): T[] {
    const indexes = this.#items.map((_, index) => index);
    indexes.sort((a, b) => this.#keys[b] - this.#keys[a] || this.#order[a] - this.#order[b]);
    return indexes.map((index) => this.#items[index]);
  }

  #place(index: number, key: number, item: T): void {
    this.#keys[index] = key;
    this.#order[index] = this.#arrived;
    this.#items[index] = item;
  }

  /** True when `a` should leave before `b`: smaller key, or the same key and later. */
  #below(a: number, b: number): boolean {
    const difference = this.#keys[a] - this.#keys[b];
    return difference < 0 || (difference === 0 && this.#order[a] > this.#order[b]);
  }

  #swap(a: number, b: number): void {
    const key = this.#keys[a];
    const order = this.#order[a];
    const item = this.#items[a];
    this.#keys[a] = this.#keys[b];
    this.#order[a] = this.#order[b];
    this.#items[a] = this.#items[b];
    this.#keys[b] = key;
    this.#order[b] = order;
    this.#items[b] = item;
  }

  #up(index: number): void {
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!this.#below(index, parent)) return;
      this.#swap(index, parent);
      index = parent;
    }
  }

  #down(): void {
    let index = 0;
    for (;;) {
      const left = 2 * index + 1;
      const right = left + 1;
      let lowest = index;
      if (left < this.#items.length && this.#below(left, lowest)) lowest = left;
      if (right < this.#items.length && this.#below(right, lowest)) lowest = right;
      if (lowest === index) return;
      this.#swap(index, lowest);
      index = lowest;
    }
  }
}
