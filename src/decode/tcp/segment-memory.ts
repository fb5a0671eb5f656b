import type { Frame } from '../frame.ts';
import { type OptionSignature, readSignature } from './handshake-signature.ts';
import type { TcpConnection } from './tcp-connection.ts';

/** What a segment on unknown addresses was found to be. */
export interface Recognised {
  readonly connection: TcpConnection;
  /** Its sender is the connection's A. */
  readonly sentByA: boolean;
}

/** One record a slot, in one line of the processor's cache: the time as a double, then these words. */
const SLOT_WORDS = 16;
const SLOT_DOUBLES = SLOT_WORDS / 2;
const WORD = {
  seq: 2,
  ack: 3,
  hasTimestamps: 4,
  stamp: 5,
  echo: 6,
  others: 7,
  window: 8,
  flags: 9,
  clientPort: 10,
  ipId: 11,
  wireBytes: 12,
  sentByA: 13,
} as const;

/**
 * Segments and what address translation leaves of them, to be found again on other addresses. Numbers in an array of
 * fixed size: remembering makes nothing, as every connection has a segment here. A newcomer takes the place of who
 * had it before.
 */
export class SegmentMemory {
  readonly #withinNs: number;
  readonly #connections: (TcpConnection | null)[];
  readonly #words: Int32Array;
  readonly #timesNs: Float64Array;

  /** `slots`: how many are remembered. `withinMs`: capture time within which a segment is found again. */
  constructor(slots: number, withinMs: number) {
    this.#withinNs = withinMs * 1e6;
    this.#connections = new Array<TcpConnection | null>(slots).fill(null);
    const records = new ArrayBuffer(slots * SLOT_WORDS * Int32Array.BYTES_PER_ELEMENT);
    this.#words = new Int32Array(records);
    this.#timesNs = new Float64Array(records);
  }

  /** Remembers the segment at which `frame` stands. */
  put(slot: number, frame: Frame, connection: TcpConnection, sentByA: boolean): void {
    const { hasTimestamps, stamp, echo, others } = readSignature(frame);
    this.#connections[slot] = connection;
    this.#timesNs[slot * SLOT_DOUBLES] = frame.timeNs;
    const words = this.#words;
    const at = slot * SLOT_WORDS;
    words[at + WORD.seq] = frame.seq;
    words[at + WORD.ack] = frame.ack;
    words[at + WORD.hasTimestamps] = hasTimestamps ? 1 : 0;
    words[at + WORD.stamp] = stamp;
    words[at + WORD.echo] = echo;
    words[at + WORD.others] = others;
    words[at + WORD.window] = frame.window;
    words[at + WORD.flags] = frame.flags;
    words[at + WORD.clientPort] = frame.srcPort;
    words[at + WORD.ipId] = frame.ipId;
    words[at + WORD.wireBytes] = frame.wireEnd - frame.offset;
    words[at + WORD.sentByA] = sentByA ? 1 : 0;
  }

  /** The open connection whose SYN stands in `slot`, if the one at which `frame` stands may be the same; else null. */
  syn(slot: number, frame: Frame): Recognised | null {
    const signature = readSignature(frame);
    const connection = this.#alike(slot, frame, signature);
    if (connection === null || this.#word(slot, WORD.others) !== signature.others) return null;
    const isOne =
      signature.hasTimestamps ||
      (this.#word(slot, WORD.clientPort) === frame.srcPort &&
        this.#word(slot, WORD.ipId) === frame.ipId &&
        frame.ipId !== 0);
    return isOne ? { connection, sentByA: this.#word(slot, WORD.sentByA) === 1 } : null;
  }

  /** The same for a segment in mid-stream. */
  segment(slot: number, frame: Frame): Recognised | null {
    const signature = readSignature(frame);
    const connection = this.#alike(slot, frame, signature);
    const isOne =
      connection !== null &&
      this.#word(slot, WORD.ack) === frame.ack &&
      this.#word(slot, WORD.echo) === signature.echo &&
      this.#word(slot, WORD.wireBytes) === frame.wireEnd - frame.offset;
    return isOne ? { connection, sentByA: this.#word(slot, WORD.sentByA) === 1 } : null;
  }

  /** What stands in `slot` is not remembered any more, if it is of `connection`. */
  forget(slot: number, connection: TcpConnection): void {
    if (this.#connections[slot] === connection) this.#connections[slot] = null;
  }

  #alike(slot: number, frame: Frame, signature: OptionSignature): TcpConnection | null {
    const connection = this.#connections[slot];
    const isAlike =
      connection !== null &&
      !connection.finished &&
      this.#word(slot, WORD.seq) === frame.seq &&
      this.#word(slot, WORD.stamp) === signature.stamp &&
      (this.#word(slot, WORD.hasTimestamps) === 1) === signature.hasTimestamps &&
      this.#word(slot, WORD.window) === frame.window &&
      this.#word(slot, WORD.flags) === frame.flags &&
      Math.abs(this.#timesNs[slot * SLOT_DOUBLES] - frame.timeNs) <= this.#withinNs;
    return isAlike ? connection : null;
  }

  #word(slot: number, word: number): number {
    return this.#words[slot * SLOT_WORDS + word];
  }
}
