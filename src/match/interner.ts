const SLOTS = 1 << 14;
/** Longer values are rarely repeated and would hold too much memory. */
const MAX_BYTES = 256;

// Methods of Buffer that work on any Uint8Array, without making a Buffer of it.
const latin1Slice = Buffer.prototype.latin1Slice as (this: Uint8Array, start: number, end: number) => string;
const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * The text of `bytes[start, end)`: UTF-8 where it is valid, otherwise one character per byte, so that nothing
 * is lost.
 */
export function textOf(bytes: Uint8Array, start: number, end: number): string {
  for (let at = start; at < end; at += 1) {
    if (bytes[at] > 0x7f) {
      try {
        return utf8.decode(bytes.subarray(start, end));
      } catch {
        break;
      }
    }
  }
  return latin1Slice.call(bytes, start, end);
}

/**
 * Turns bytes into strings, and the same bytes into the same string: most header values and many targets
 * repeat. A direct-mapped table of fixed size; a newcomer takes the place of who had it before.
 */
export class Interner {
  readonly #texts = new Array<string>(SLOTS).fill('');
  readonly #hashes = new Int32Array(SLOTS);
  /** The bytes of each text, MAX_BYTES per slot, to compare with. */
  readonly #bytes = new Uint8Array(SLOTS * MAX_BYTES);
  readonly #lengths = new Int32Array(SLOTS).fill(-1);

  text(bytes: Uint8Array, start: number, end: number): string {
    const length = end - start;
    if (length === 0) return '';
    if (length > MAX_BYTES) return textOf(bytes, start, end);
    let hash = length;
    for (let at = start; at < end; at += 1) hash = Math.imul(hash ^ bytes[at], 0x01000193);
    hash ^= hash >>> 15;
    const slot = hash & (SLOTS - 1);
    const base = slot * MAX_BYTES;
    if (this.#hashes[slot] === hash && this.#lengths[slot] === length) {
      const known = this.#bytes;
      let at = 0;
      while (at < length && known[base + at] === bytes[start + at]) at += 1;
      if (at === length) return this.#texts[slot];
    }
    const text = textOf(bytes, start, end);
    this.#texts[slot] = text;
    this.#hashes[slot] = hash;
    this.#lengths[slot] = length;
    for (let at = 0; at < length; at += 1) this.#bytes[base + at] = bytes[start + at];
    return text;
  }
}
