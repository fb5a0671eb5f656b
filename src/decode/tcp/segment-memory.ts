import type { Frame } from '../frame.ts';
import { type OptionSignature, readSignature } from './handshake-signature.ts';
import type { TcpConnection } from './tcp-connection.ts';

/** What a segment on unknown addresses was found to be. */
export interface Recognised {
  readonly connection: TcpConnection;
  /** Its sender is the connection's A. */
  readonly sentByA: boolean;
}

/**
 * Segments and what address translation leaves of them, to be found again on other addresses. Columns of numbers and
 * of fixed size: remembering makes nothing, as every connection has a segment here. A newcomer takes the place of who
 * had it before.
 */
export class SegmentMemory {
  readonly #withinNs: number;
  readonly #connections: (TcpConnection | null)[];
  readonly #sentByA: Uint8Array;
  readonly #timesNs: Float64Array;
  readonly #seqs: Int32Array;
  readonly #acks: Int32Array;
  readonly #hasStamps: Uint8Array;
  readonly #stamps: Int32Array;
  readonly #echoes: Int32Array;
  readonly #others: Int32Array;
  readonly #windows: Int32Array;
  readonly #flags: Int32Array;
  readonly #clientPorts: Int32Array;
  readonly #ipIds: Int32Array;
  readonly #wireBytes: Float64Array;

  /** `slots`: how many are remembered. `withinMs`: capture time within which a segment is found again. */
  constructor(slots: number, withinMs: number) {
    this.#withinNs = withinMs * 1e6;
    this.#connections = new Array<TcpConnection | null>(slots).fill(null);
    this.#sentByA = new Uint8Array(slots);
    this.#timesNs = new Float64Array(slots);
    this.#seqs = new Int32Array(slots);
    this.#acks = new Int32Array(slots);
    this.#hasStamps = new Uint8Array(slots);
    this.#stamps = new Int32Array(slots);
    this.#echoes = new Int32Array(slots);
    this.#others = new Int32Array(slots);
    this.#windows = new Int32Array(slots);
    this.#flags = new Int32Array(slots);
    this.#clientPorts = new Int32Array(slots);
    this.#ipIds = new Int32Array(slots);
    this.#wireBytes = new Float64Array(slots);
  }

  /** Remembers the segment at which `frame` stands. */
  put(slot: number, frame: Frame, connection: TcpConnection, sentByA: boolean): void {
    const { hasTimestamps, stamp, echo, others } = readSignature(frame);
    this.#connections[slot] = connection;
    this.#sentByA[slot] = sentByA ? 1 : 0;
    this.#timesNs[slot] = frame.timeNs;
    this.#seqs[slot] = frame.seq;
    this.#acks[slot] = frame.ack;
    this.#hasStamps[slot] = hasTimestamps ? 1 : 0;
    this.#stamps[slot] = stamp;
    this.#echoes[slot] = echo;
    this.#others[slot] = others;
    this.#windows[slot] = frame.window;
    this.#flags[slot] = frame.flags;
    this.#clientPorts[slot] = frame.srcPort;
    this.#ipIds[slot] = frame.ipId;
    this.#wireBytes[slot] = frame.wireEnd - frame.offset;
  }

  /** The open connection whose SYN stands in `slot`, if the one at which `frame` stands may be the same; else null. */
  syn(slot: number, frame: Frame): Recognised | null {
    const signature = readSignature(frame);
    const connection = this.#alike(slot, frame, signature);
    if (connection === null || this.#others[slot] !== signature.others) return null;
    const isOne =
      signature.hasTimestamps ||
      (this.#clientPorts[slot] === frame.srcPort && this.#ipIds[slot] === frame.ipId && frame.ipId !== 0);
    return isOne ? { connection, sentByA: this.#sentByA[slot] === 1 } : null;
  }

  /** The same for a segment in mid-stream. */
  segment(slot: number, frame: Frame): Recognised | null {
    const signature = readSignature(frame);
    const connection = this.#alike(slot, frame, signature);
    const isOne =
      connection !== null &&
      this.#acks[slot] === frame.ack &&
      this.#echoes[slot] === signature.echo &&
      this.#wireBytes[slot] === frame.wireEnd - frame.offset;
    return isOne ? { connection, sentByA: this.#sentByA[slot] === 1 } : null;
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
      this.#seqs[slot] === frame.seq &&
      this.#stamps[slot] === signature.stamp &&
      (this.#hasStamps[slot] === 1) === signature.hasTimestamps &&
      this.#windows[slot] === frame.window &&
      this.#flags[slot] === frame.flags &&
      Math.abs(this.#timesNs[slot] - frame.timeNs) <= this.#withinNs;
    return isAlike ? connection : null;
  }
}
