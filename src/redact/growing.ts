/** Numbers in one typed array that grows: a few bytes each, however many there are. */
export class Growing<T extends Float64Array | Int32Array> {
  #numbers: T;
  readonly #make: (length: number) => T;
  length = 0;

  constructor(make: (length: number) => T) {
    this.#make = make;
    this.#numbers = make(1024);
  }

  push(value: number): void {
    if (this.length === this.#numbers.length) {
      const larger = this.#make(this.length * 2);
      larger.set(this.#numbers);
      this.#numbers = larger;
    }
    this.#numbers[this.length] = value;
    this.length += 1;
  }

  /** The number at `index`; 0 beyond the end. */
  at(index: number): number {
    return this.#numbers[index] ?? 0;
  }

  /** Sets a number, also beyond the end; what lies between is 0. */
  set(index: number, value: number): void {
    while (this.length <= index) this.push(0);
    this.#numbers[index] = value;
  }
}

export const growingFloats = (): Growing<Float64Array> => new Growing((length) => new Float64Array(length));
export const growingIntegers = (): Growing<Int32Array> => new Growing((length) => new Int32Array(length));
