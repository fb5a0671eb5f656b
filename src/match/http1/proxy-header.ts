import { LF } from './characters.ts';

/**
 * The header that load balancers put before the first request of a connection to say whose it is: the PROXY protocol
 * (HAProxy's proxy-protocol.txt), version 1 a line of text, version 2 in bytes. It is passed over.
 */

const LINE_BEGIN = Buffer.from('PROXY ');
/** proxy-protocol.txt §2.1: with CR LF. */
const LONGEST_LINE = 107;

/**
 * Bytes of the line of version 1 that begins with the `heldBytes` first bytes of `held` and goes on at `start`, counted from
 * `start`; 0: it is none, or its end is not there.
 */
export function proxyLineRest(
  held: Uint8Array,
  heldBytes: number,
  bytes: Uint8Array,
  start: number,
  end: number,
): number {
  for (let index = 0; index < LINE_BEGIN.length; index += 1) {
    const at = start + index - heldBytes;
    const byte = index < heldBytes ? held[index] : at < end ? bytes[at] : -1;
    if (byte !== LINE_BEGIN[index]) return 0;
  }
  const longest = Math.min(end - start, LONGEST_LINE - heldBytes);
  for (let at = start; at < start + longest; at += 1) if (bytes[at] === LF) return at + 1 - start;
  return 0;
}

/** What stands behind the CR LF CR LF with which version 2 begins (§2.2). */
const SIGNATURE = Buffer.from('\0\r\nQUIT\n', 'latin1');
/** Version and command, family and protocol, and the length of what follows in two bytes. */
const FIXED_BYTES = SIGNATURE.length + 4;

/** Whether the bytes at `at`, which follow empty lines, may be a header of version 2. */
export function mayBeProxyHeader(bytes: Uint8Array, at: number): boolean {
  return bytes[at] === SIGNATURE[0];
}

/** Passes over a header of version 2, from behind its CR LF CR LF, in whatever pieces it comes. */
export class ProxyHeader {
  #taken = 0;
  #bytes = FIXED_BYTES;
  /** Its end was reached. */
  done = false;
  /** It is none. */
  broken = false;

  /** Gives the place after the bytes that belong to it. */
  take(bytes: Uint8Array, from: number, end: number): number {
    let at = from;
    for (; at < end && this.#taken < FIXED_BYTES; at += 1, this.#taken += 1) {
      if (this.#taken < SIGNATURE.length && bytes[at] !== SIGNATURE[this.#taken]) {
        this.broken = true;
        return at;
      }
      if (this.#taken === FIXED_BYTES - 2) this.#bytes += bytes[at] * 256;
      else if (this.#taken === FIXED_BYTES - 1) this.#bytes += bytes[at];
    }
    if (this.#taken >= FIXED_BYTES) {
      const rest = Math.min(end - at, this.#bytes - this.#taken);
      at += rest;
      this.#taken += rest;
      this.done = this.#taken === this.#bytes;
    }
    return at;
  }
}
