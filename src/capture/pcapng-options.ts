/** Option header of draft-ietf-opsawg-pcapng §3.5: code, length, then the value, padded to 32 bits. */
const OPTION_HEADER_BYTES = 4;
const END_OF_OPTIONS = 0;

/**
 * Walks over the options of a block: `reset`, then `next` until it is false. Stops at the end marker and at an
 * option that does not fit; never reads beyond `end`. Reused, so that a packet with options allocates nothing.
 */
export class OptionWalk {
  code = 0;
  /** Value: `bytes[start, start + length)` of the block's bytes. */
  start = 0;
  length = 0;
  #view: DataView = new DataView(new ArrayBuffer(0));
  #little = true;
  #at = 0;
  #end = 0;

  reset(view: DataView, little: boolean, start: number, end: number): void {
    this.#view = view;
    this.#little = little;
    this.#at = start;
    this.#end = end;
  }

  next(): boolean {
    const at = this.#at;
    if (at + OPTION_HEADER_BYTES > this.#end) return false;
    this.code = this.#view.getUint16(at, this.#little);
    this.length = this.#view.getUint16(at + 2, this.#little);
    this.start = at + OPTION_HEADER_BYTES;
    if (this.code === END_OF_OPTIONS || this.start + this.length > this.#end) return false;
    this.#at = this.start + ((this.length + 3) & ~3);
    return true;
  }

  unsigned64(): bigint {
    const first = this.#view.getUint32(this.start, this.#little);
    const second = this.#view.getUint32(this.start + 4, this.#little);
    return this.#little ? (BigInt(second) << 32n) | BigInt(first) : (BigInt(first) << 32n) | BigInt(second);
  }

  signed64(): bigint {
    return BigInt.asIntN(64, this.unsigned64());
  }
}
