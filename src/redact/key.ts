import { createHash, createHmac, randomBytes } from 'node:crypto';

/** Bytes of a key that is made for one run. */
const RANDOM_KEY_BYTES = 32;

/**
 * Where all pseudonyms come from: HMAC-SHA256 (RFC 2104) under a key that is never written, drawn out with SHAKE256
 * (FIPS 202) where more bytes are needed. The same key gives the same pseudonyms in every run.
 */
export class RedactionKey {
  readonly #secret: Uint8Array;

  /** `secret`: any number of bytes, at least one. */
  constructor(secret: Uint8Array) {
    this.#secret = secret.slice();
  }

  /** A key that nobody else has, and nobody will have again. */
  static random(): RedactionKey {
    return new RedactionKey(randomBytes(RANDOM_KEY_BYTES));
  }

  /** `count` pseudo-random bytes that depend on `purpose` and `value`, a string of bytes (latin1). */
  bytes(purpose: string, value: string, count: number): Uint8Array {
    const digest = createHmac('sha256', this.#secret)
      .update(`${purpose}\0`, 'latin1')
      .update(value, 'latin1')
      .digest();
    if (count <= digest.length) return digest.subarray(0, count);
    return createHash('shake256', { outputLength: count }).update(digest).digest();
  }

  /**
   * A permutation of 0 … `count` - 1 that depends on `purpose` and `value`; `count` up to 256. Fisher-Yates, with
   * 32 bits for every step, so that the bias is below 2^-24.
   */
  permutation(purpose: string, value: string, count: number): Uint8Array {
    const order = Uint8Array.from({ length: count }, (_, index) => index);
    const random = this.bytes(purpose, value, count * 4);
    const view = new DataView(random.buffer, random.byteOffset);
    for (let index = count - 1; index > 0; index -= 1) {
      const other = view.getUint32(index * 4) % (index + 1);
      const kept = order[index]!;
      order[index] = order[other]!;
      order[other] = kept;
    }
    return order;
  }
}
