import { CR, LF } from './characters.ts';
import { judgeStart, START, type Start } from './start-line.ts';

const FIRST_BYTES = 1024;
/** A start line that has begun plausibly for so long is judged again when its end is there. */
const JUDGED_BYTES = 128;

/** The beginning of a head that is not there as a whole, collected over segments. Grows, never shrinks. */
export class HeldHead {
  readonly #limitBytes: number;
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

  /** `limitBytes`: no more than these are collected. */
  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  get isFull(): boolean {
    return this.length >= this.#limitBytes;
  }

  clear(): void {
    this.length = 0;
    this.#simple = null;
  }

  /** Takes of `bytes[start, end)` what the limit leaves. Returns the offset after it. */
  add(bytes: Uint8Array, start: number, end: number): number {
    const fits = Math.min(end, start + this.#limitBytes - this.length);
    const needed = this.length + (fits - start);
    if (this.bytes.length < needed) {
      const grown = new Uint8Array(needed * 2);
      grown.set(this.bytes.subarray(0, this.length));
      this.bytes = grown;
    }
    this.bytes.set(bytes.subarray(start, fits), this.length);
    this.length = needed;
    return fits;
  }

  /** What the start line is by now; `before` bytes were there when it was judged last. */
  judge(before: number): Start {
    // Judging reads the line from its start: not again for every byte of a line that trickles in.
    if (before >= JUDGED_BYTES && !this.isFull && this.#lineFeed(before) < 0) return START.more;
    return judgeStart(this.bytes, 0, this.length, this.strictly);
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

  /** What was collected last is the end of a line, perhaps with the CR of the next one. */
  get endsLine(): boolean {
    let at = this.length;
    while (at > 0 && this.bytes[at - 1] === CR) at -= 1;
    return at > 0 && this.bytes[at - 1] === LF;
  }

  hasLine(): boolean {
    return this.#lineFeed(0) >= 0;
  }

  #lineFeed(from: number): number {
    return this.bytes.subarray(0, this.length).indexOf(LF, from);
  }

  /** A request of HTTP/0.9 has no empty line: its head is its one line. */
  #isSimple(): boolean | null {
    if (this.isResponse) return false;
    const lineFeed = this.#lineFeed(0);
    if (lineFeed < 0) return null;
    const end = String.fromCharCode(...this.bytes.subarray(Math.max(0, lineFeed - 12), lineFeed));
    return !/HTTP\/[\d.]+[ \t\r]*$/i.test(end);
  }
}
