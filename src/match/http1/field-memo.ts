import type { FieldFacts } from './field-facts.ts';
import { KnownBytes } from './same-bytes.ts';

const SLOTS = 1 << 12;
const SLOT_BYTES = 1024;
/** Sections remembered last, of requests and of responses, that are looked at for every connection. */
const LATEST = 4;

/**
 * The last header section of each direction of the busiest connections, bytes and meaning. On a connection
 * header sections repeat: a client's hardly changes, and a server's only in its date. Comparing bytes is several
 * times as fast as reading them. A new connection mostly says what others said just before it, so that the sections
 * remembered last are compared as well.
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
  /** Slots written last: LATEST of requests, then LATEST of responses, each in turn. */
  readonly #latest = new Int32Array(2 * LATEST);
  #latestRequest = 0;
  #latestResponse = 0;
  /** Where the section stands that `find` gave last, and its length with its empty line. */
  slot = 0;
  length = 0;

  /** The slot for a direction of a connection. */
  slotOf(connectionId: number, direction: number): number {
    return (connectionId * 2 + direction) & (SLOTS - 1);
  }

  /**
   * The meaning of the header section at `start`, if it is the one in `slot` or one of those remembered last, byte by
   * byte; `slot` and `length` then tell of it.
   */
  find(slot: number, isResponse: boolean, bytes: Uint8Array, start: number, end: number): FieldFacts | null {
    const expected = this.#findAt(slot, isResponse, bytes, start, end);
    if (expected !== null) return expected;
    const first = isResponse ? LATEST : 0;
    for (let index = first; index < first + LATEST; index += 1) {
      const facts = this.#findAt(this.#latest[index], isResponse, bytes, start, end);
      if (facts !== null) return facts;
    }
    return null;
  }

  #findAt(
    slot: number,
    isResponse: boolean,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): FieldFacts | null {
    const length = this.#lengths[slot];
    if (length === 0 || end - start < length || this.#ofResponses[slot] !== (isResponse ? 1 : 0)) return null;
    if (!this.#known.equal(slot * SLOT_BYTES, bytes, start, length)) return null;
    this.slot = slot;
    this.length = length;
    return this.#facts[slot];
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
    if (isResponse) {
      this.#latestResponse = (this.#latestResponse + 1) % LATEST;
      this.#latest[LATEST + this.#latestResponse] = slot;
    } else {
      this.#latestRequest = (this.#latestRequest + 1) % LATEST;
      this.#latest[this.#latestRequest] = slot;
    }
  }
}
