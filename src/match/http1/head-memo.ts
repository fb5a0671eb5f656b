import type { HeadFacts } from './head-facts.ts';

const SLOTS = 1 << 12;
const SLOT_BYTES = 1024;

/**
 * Remembers the last head of each direction of the busiest connections, bytes and meaning. On a connection,
 * heads repeat: a client's header section hardly changes, and a server's only in its date. Comparing bytes is
 * several times as fast as reading them.
 *
 * One arena for the whole run. Slots are shared by number; a slot taken over by another connection only means
 * that the bytes differ.
 */
export class HeadMemo {
  readonly #bytes = new Uint8Array(SLOTS * SLOT_BYTES);
  /** Length of the head in each slot; 0: empty. */
  readonly #lengths = new Int32Array(SLOTS);
  /** Where the header section begins in the head. */
  readonly #fieldStarts = new Int32Array(SLOTS);
  readonly #facts = new Array<HeadFacts | null>(SLOTS).fill(null);

  /** The slot for a direction of a connection. */
  slotOf(connectionId: number, direction: number): number {
    return (connectionId * 2 + direction) & (SLOTS - 1);
  }

  /** The meaning of the head at `start`, if it is the remembered one, byte by byte. */
  whole(slot: number, bytes: Uint8Array, start: number, end: number): HeadFacts | null {
    const length = this.#lengths[slot];
    if (length === 0 || end - start < length) return null;
    const known = this.#bytes;
    const base = slot * SLOT_BYTES;
    for (let index = 0; index < length; index += 1) {
      if (known[base + index] !== bytes[start + index]) return null;
    }
    return this.#facts[slot];
  }

  lengthOf(slot: number): number {
    return this.#lengths[slot];
  }

  /**
   * Length of the header section at `start` if it is the remembered one, else -1. Its meaning is then
   * `factsOf(slot).fields`.
   */
  fieldsLength(slot: number, bytes: Uint8Array, start: number, end: number): number {
    const fieldStart = this.#fieldStarts[slot];
    const length = this.#lengths[slot] - fieldStart;
    if (length <= 0 || end - start < length) return -1;
    const known = this.#bytes;
    const base = slot * SLOT_BYTES + fieldStart;
    for (let index = 0; index < length; index += 1) {
      if (known[base + index] !== bytes[start + index]) return -1;
    }
    return length;
  }

  factsOf(slot: number): HeadFacts | null {
    return this.#facts[slot];
  }

  /** Remembers the head `bytes[start, end)`, whose header section begins at `fieldStart`. */
  remember(
    slot: number,
    bytes: Uint8Array,
    start: number,
    fieldStart: number,
    end: number,
    facts: HeadFacts,
  ): void {
    const length = end - start;
    if (length > SLOT_BYTES) return;
    const base = slot * SLOT_BYTES;
    const known = this.#bytes;
    for (let index = 0; index < length; index += 1) known[base + index] = bytes[start + index];
    this.#lengths[slot] = length;
    this.#fieldStarts[slot] = fieldStart - start;
    this.#facts[slot] = facts;
  }
}
