/** Distinct strings remembered per generation; two generations are held. */
const GENERATION_STRINGS = 32_768;
const GENERATION_CHARS = 2_000_000;
/** Longer strings are sent every time and never remembered. */
const REMEMBERED_CHARS = 4_096;
/** V8 makes a substring of this length or more a view of its parent. */
const SLICED_CHARS = 13;

/**
 * Numbers for strings, so that each distinct string is sent once and then by number.
 *
 * Memory is bounded: when a generation is full the one before it is forgotten, and a forgotten string gets a
 * new number when it comes again. A number never changes its meaning; a string may have several numbers.
 */
export class Dictionary {
  #young = new Map<string, number>();
  #old = new Map<string, number>();
  #youngChars = 0;
  #nextId = 1;

  /** The number of a string that is remembered, or 0. */
  find(text: string): number {
    const id = this.#young.get(text);
    if (id !== undefined) return id;
    const old = this.#old.get(text);
    if (old === undefined) return 0;
    this.#remember(text, old);
    return old;
  }

  /** A new number, 1 and up. */
  add(text: string): number {
    const id = this.#nextId++;
    if (text.length <= REMEMBERED_CHARS) this.#remember(detached(text), id);
    return id;
  }

  #remember(text: string, id: number): void {
    if (this.#young.size >= GENERATION_STRINGS || this.#youngChars + text.length > GENERATION_CHARS) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#youngChars = 0;
    }
    this.#young.set(text, id);
    this.#youngChars += text.length;
  }
}

/** The same text, without the larger string that it may be a window into and would keep alive. */
function detached(text: string): string {
  return text.length < SLICED_CHARS ? text : Buffer.from(text, 'utf16le').toString('utf16le');
}
