import { LF } from './characters.ts';
import type { LineFacts } from './line-facts.ts';
import { KnownBytes } from './same-bytes.ts';

const SLOTS = 1 << 12;
const SLOT_BYTES = 256;

/**
 * Start lines that were read before, bytes and meaning: the same few targets and status codes make up most of
 * the traffic. Direct-mapped and of fixed size; a newcomer takes the place of who had it before.
 */
export class LineCache {
  readonly #known = new KnownBytes(SLOTS * SLOT_BYTES);
  /** Bytes of the line with its line feed; 0: empty. */
  readonly #lengths = new Int32Array(SLOTS);
  readonly #facts = new Array<LineFacts | null>(SLOTS).fill(null);
  /** Length with its line feed of the line that `find` was last asked for; 0: longer than is remembered. */
  length = 0;
  /** Where the line stands, or would stand, that `find` was last asked for. */
  slot = 0;

  /** The meaning of the line at `start`, if it is the one in `slot`: quicker than `find` where lines repeat. */
  findAt(slot: number, bytes: Uint8Array, start: number, end: number): LineFacts | null {
    const length = this.#lengths[slot];
    if (length === 0 || end - start < length) return null;
    if (!this.#known.equal(slot * SLOT_BYTES, bytes, start, length)) return null;
    this.length = length;
    return this.#facts[slot];
  }

  /** The meaning of the line at `start`, if it was read before. */
  find(bytes: Uint8Array, start: number, end: number): LineFacts | null {
    const limit = Math.min(end, start + SLOT_BYTES);
    let hash = 0;
    let at = start;
    while (at < limit) {
      const byte = bytes[at];
      at += 1;
      if (byte === LF) break;
      hash = Math.imul(hash, 31) + byte;
    }
    const length = at - start;
    if (at === start || bytes[at - 1] !== LF) {
      this.length = 0;
      return null;
    }
    this.length = length;
    const slot = (hash ^ (hash >>> 12)) & (SLOTS - 1);
    this.slot = slot;
    if (this.#lengths[slot] !== length) return null;
    return this.#known.equal(slot * SLOT_BYTES, bytes, start, length) ? this.#facts[slot] : null;
  }

  /** Remembers the meaning of the line at `start`, the one that `find` was last asked for. */
  remember(bytes: Uint8Array, start: number, facts: LineFacts): void {
    const { length } = this;
    if (length === 0) return;
    this.#known.put(this.slot * SLOT_BYTES, bytes, start, length);
    this.#lengths[this.slot] = length;
    this.#facts[this.slot] = facts;
  }
}
