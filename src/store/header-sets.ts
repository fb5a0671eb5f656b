import type { HeaderField } from '../model/exchange.ts';

/** Header sets remembered; a client or server sends the same few again and again. */
const REMEMBERED = 8;
/** Sets with more fields or characters are not remembered. */
const REMEMBERED_CHARS = 4_096;

/** Numbers for whole header sections, found by comparing with the few seen last. */
export class HeaderSets {
  readonly #sets: (readonly HeaderField[])[] = [];
  readonly #ids: number[] = [];
  #nextPlace = 0;

  /** The number of an equal set among those remembered, or 0. */
  find(headers: readonly HeaderField[]): number {
    const sets = this.#sets;
    for (let index = 0; index < sets.length; index++) {
      if (equal(sets[index], headers)) return this.#ids[index];
    }
    return 0;
  }

  /** Remembers `headers`, in place of the one remembered longest ago; returns `id`. */
  remember(headers: readonly HeaderField[], id: number): number {
    let chars = 0;
    for (const field of headers) chars += field.name.length + field.value.length;
    if (chars > REMEMBERED_CHARS) return id;
    this.#sets[this.#nextPlace] = headers;
    this.#ids[this.#nextPlace] = id;
    this.#nextPlace = (this.#nextPlace + 1) % REMEMBERED;
    return id;
  }
}

function equal(left: readonly HeaderField[], right: readonly HeaderField[]): boolean {
  if (left === right) return true;
  if (left.length !== right.length) return false;
  // Values that change from message to message (dates, ids) tend to stand late.
  for (let index = left.length - 1; index >= 0; index--) {
    if (left[index].value !== right[index].value || left[index].name !== right[index].name) return false;
  }
  return true;
}
