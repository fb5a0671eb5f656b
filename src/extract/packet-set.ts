/** Bytes that a capture's bits begin with; they double as needed. */
const FIRST_BYTES = 4096;

/** A set of packets, one bit for each packet of a capture: 12.5 MB for 100 million. */
export class PacketSet {
  readonly #bits: Uint8Array[] = [];
  #size = 0;

  /** Packets in the set. */
  get size(): number {
    return this.#size;
  }

  /** `number` is 1-based, as Packet.number. */
  add(capture: number, number: number): void {
    const at = number >> 3;
    let bits = this.#bits[capture] ?? new Uint8Array(FIRST_BYTES);
    if (at >= bits.length) {
      const larger = new Uint8Array(Math.max(at + 1, bits.length * 2));
      larger.set(bits);
      bits = larger;
    }
    this.#bits[capture] = bits;
    const bit = 1 << (number & 7);
    if ((bits[at] & bit) !== 0) return;
    bits[at] |= bit;
    this.#size += 1;
  }

  has(capture: number, number: number): boolean {
    const bits = this.#bits[capture];
    return bits !== undefined && ((bits[number >> 3] ?? 0) & (1 << (number & 7))) !== 0;
  }
}
