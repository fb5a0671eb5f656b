import { randomInt } from 'node:crypto';

/** Drawn anew in each process, so that nobody can send uids that all fall into one place. */
export const UID_SEED = randomInt(2 ** 32);

/** Numbers the uids of a commit from 0: a hash table over numbers, as there are many of them. */
export class UidPlaces {
  /** Two for each uid, low first. */
  readonly words: Uint32Array;
  readonly #table: Int32Array;
  readonly #mask: number;
  /** How often each occurs, up to 255. */
  readonly #times: Uint8Array;
  #size = 0;

  /** `most`: uids that will be asked for at most. */
  constructor(most: number) {
    let slots = 16;
    while (slots < most * 2) slots *= 2;
    this.words = new Uint32Array(most * 2);
    this.#table = new Int32Array(slots).fill(-1);
    this.#mask = slots - 1;
    this.#times = new Uint8Array(most);
  }

  get size(): number {
    return this.#size;
  }

  /** The uid's number; a new one gets the next. */
  placeOf(low: number, high: number): number {
    const slot = this.#slotOf(low, high);
    if (this.#table[slot] >= 0) return this.#table[slot];
    const place = this.#size;
    this.#size += 1;
    this.#table[slot] = place;
    this.words[place * 2] = low;
    this.words[place * 2 + 1] = high;
    return place;
  }

  /** The uid's number; -1: it has none. */
  knownPlaceOf(low: number, high: number): number {
    return this.#table[this.#slotOf(low, high)];
  }

  /** Where it is in the table, or belongs. */
  #slotOf(low: number, high: number): number {
    let slot = (Math.imul(low ^ Math.imul(high ^ UID_SEED, 0x9e3779b1), 0x85ebca6b) >>> 7) & this.#mask;
    for (;;) {
      const place = this.#table[slot];
      if (place < 0) return slot;
      if (this.words[place * 2] === low && this.words[place * 2 + 1] === high) return slot;
      slot = (slot + 1) & this.#mask;
    }
  }

  /** It occurs once more. */
  note(place: number): void {
    if (this.#times[place] < 255) this.#times[place] += 1;
  }

  /** It was noted more than once. */
  isRepeated(place: number): boolean {
    return this.#times[place] > 1;
  }
}
