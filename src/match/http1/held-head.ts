import { CR, LF } from './characters.ts';

const FIRST_BYTES = 1024;

/** The beginning of a head that is not there as a whole, collected over segments. Grows, never shrinks. */
export class HeldHead {
  bytes = new Uint8Array(FIRST_BYTES);
  /** Bytes collected. */
  length = 0;
  /** The start line was recognised. */
  isJudged = false;
  isResponse = false;
  /** Found among other bytes, so that its start line is judged strictly. */
  strictly = false;
  /** Whether the head is a single line, as in HTTP/0.9; null while its line is not there. */
  #simple: boolean | null = null;

  clear(): void {
    this.length = 0;
    this.#simple = null;
  }

  add(bytes: Uint8Array, start: number, end: number): void {
    const needed = this.length + (end - start);
    if (this.bytes.length < needed) {
      const grown = new Uint8Array(needed * 2);
      grown.set(this.bytes.subarray(0, this.length));
      this.bytes = grown;
    }
    this.bytes.set(bytes.subarray(start, end), this.length);
    this.length = needed;
  }

  /** Offset after the empty line that ends the head, or after its only line; -1: not there yet. Looks from `from`. */
  end(from: number): number {
    const { bytes, length } = this;
    this.#simple ??= this.#isSimple();
    const simple = this.#simple === true;
    for (let at = from; at < length; at += 1) {
      if (bytes[at] !== LF) continue;
      if (simple) return at + 1;
      if (at + 1 < length && bytes[at + 1] === LF) return at + 2;
      if (at + 2 < length && bytes[at + 1] === CR && bytes[at + 2] === LF) return at + 3;
    }
    return -1;
  }

  hasLine(): boolean {
    return this.#lineFeed() >= 0;
  }

  #lineFeed(): number {
    return this.bytes.subarray(0, this.length).indexOf(LF);
  }

  /** A request of HTTP/0.9 has no empty line: its head is its one line. */
  #isSimple(): boolean | null {
    if (this.isResponse) return false;
    const lineFeed = this.#lineFeed();
    if (lineFeed < 0) return null;
    const end = String.fromCharCode(...this.bytes.subarray(Math.max(0, lineFeed - 12), lineFeed));
    return !/HTTP\/[\d.]+[ \t\r]*$/i.test(end);
  }
}
