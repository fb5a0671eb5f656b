import type { Packet } from '../../model/packet.ts';

/**
 * Copies of packets between a driver that hands over one at a time and a reader that takes many: two halves, one
 * being filled while the other is read. Memory is bounded by the bytes it is made with; a packet for which there is
 * no room is refused, and whoever offers it counts it.
 */
export class PacketQueue {
  #filling: Half;
  #reading: Half;
  #next = 0;

  /** `bytes`: of both halves together. */
  constructor(bytes: number) {
    this.#filling = new Half(bytes >>> 1);
    this.#reading = new Half(bytes >>> 1);
  }

  /** Bytes of packets that were not read yet. */
  get usedBytes(): number {
    return this.#filling.used + this.#reading.used - this.#reading.startOf(this.#next);
  }

  get capacityBytes(): number {
    return this.#filling.bytes.length + this.#reading.bytes.length;
  }

  /** Packets that `read` gives only after `swap`. */
  get waiting(): number {
    return this.#filling.count;
  }

  /** Copies `bytes[0, length)`. False: there is no room. */
  offer(bytes: Uint8Array, length: number, originalBytes: number, timeNs: number, source: number): boolean {
    return this.#filling.add(bytes, length, originalBytes, timeNs, source);
  }

  /** What was read is forgotten, and what was filled since can be read. */
  swap(): void {
    const read = this.#reading;
    read.clear();
    this.#reading = this.#filling;
    this.#filling = read;
    this.#next = 0;
  }

  /** Fills in where the next packet lies, its lengths and its time. The number of its source; -1: none is left. */
  read(packet: Packet): number {
    const half = this.#reading;
    const at = this.#next;
    if (at >= half.count) return -1;
    this.#next = at + 1;
    packet.bytes = half.bytes;
    packet.start = half.startOf(at);
    packet.end = half.startOf(at + 1);
    packet.originalBytes = half.originals[at];
    packet.timeNs = half.times[at];
    return half.sources[at];
  }
}

/** Packets one after the other. The lists keep what they have grown to, as packets have 60 bytes and more. */
class Half {
  readonly bytes: Uint8Array;
  readonly originals: number[] = [];
  readonly times: number[] = [];
  readonly sources: number[] = [];
  readonly #ends: number[] = [];
  count = 0;
  used = 0;

  constructor(bytes: number) {
    this.bytes = new Uint8Array(bytes);
  }

  add(bytes: Uint8Array, length: number, originalBytes: number, timeNs: number, source: number): boolean {
    const end = this.used + length;
    // Every packet takes its share, so that empty ones do not fill the lists without end.
    if (end > this.bytes.length || this.count >= this.bytes.length >>> 5) return false;
    this.bytes.set(length === bytes.length ? bytes : bytes.subarray(0, length), this.used);
    const at = this.count;
    this.#ends[at] = end;
    this.originals[at] = originalBytes;
    this.times[at] = timeNs;
    this.sources[at] = source;
    this.used = end;
    this.count = at + 1;
    return true;
  }

  startOf(at: number): number {
    return at === 0 ? 0 : this.#ends[at - 1];
  }

  clear(): void {
    this.count = 0;
    this.used = 0;
  }
}
