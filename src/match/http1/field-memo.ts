import type { FieldFacts } from './field-facts.ts';
import { KnownBytes } from './same-bytes.ts';

const SLOTS = 1 << 12;
const SLOT_BYTES = 1024;

/**
 * The last header section of each direction of the busiest connections, bytes and meaning. On a connection
 * header sections repeat: a client's hardly changes, and a server's only in its date. Comparing bytes is several
 * times as fast as reading them.
 *
 * One arena for the whole run. Slots are shared by number; a slot taken over by another connection only means
 * that the bytes differ.
 */
export class FieldMemo {
  readonly #known = new KnownBytes(SLOTS * SLOT_BYTES);
  /** Length of the section in each slot with its empty line; 0: empty. */
  readonly #lengths = new Int32Array(SLOTS);
  /** The same fields mean other things in requests and responses. */
  readonly #ofResponses = new Uint8Array(SLOTS);
  readonly #facts = new Array<FieldFacts | null>(SLOTS).fill(null);

  /** The slot for a direction of a connection. */
  slotOf(connectionId: number, direction: number): number {
    return (connectionId * 2 + direction) & (SLOTS - 1);
  }

  /** The meaning of the header section at `start`, if it is the remembered one, byte by byte. */
  find(slot: number, isResponse: boolean, bytes: Uint8Array, start: number, end: number): FieldFacts | null {
    const length = this.#lengths[slot];
    if (length === 0 || end - start < length || this.#ofResponses[slot] !== (isResponse ? 1 : 0)) return null;
    return this.#known.equal(slot * SLOT_BYTES, bytes, start, length) ? this.#facts[slot] : null;
  }

  lengthOf(slot: number): number {
    return this.#lengths[slot];
  }

  /** Remembers the header section `bytes[start, end)`. */
  remember(
    slot: number,
    isResponse: boolean,
    bytes: Uint8Array,
    start: number,
    end: number,
    facts: FieldFacts,
  ): void {
    const length = end - start;
    if (length > SLOT_BYTES) return;
    this.#known.put(slot * SLOT_BYTES, bytes, start, length);
    this.#lengths[slot] = length;
    this.#ofResponses[slot] = isResponse ? 1 : 0;
    this.#facts[slot] = facts;
  }
}
