import { CR, HTAB, hexValue, LF, SP } from './characters.ts';

/** Where a body stands after bytes were taken. */
export const BODY = { more: 0, end: 1, broken: 2 } as const;
export type BodyOutcome = (typeof BODY)[keyof typeof BODY];

/** In the order of RFC 9112 §7.1. */
const STATE = { size: 0, extension: 1, sizeEnd: 2, data: 3, dataEnd: 4, trailers: 5 } as const;
type State = (typeof STATE)[keyof typeof STATE];

/** A chunk size with more significant digits than this is no size: 2^52 has 13. */
const MAX_SIZE_DIGITS = 13;

/**
 * Follows the framing of a chunked body (RFC 9112 §7.1), whatever pieces it comes in. Chunk data is skipped by
 * arithmetic; nothing is stored.
 */
export class ChunkedBody {
  outcome: BodyOutcome = BODY.more;
  hasExtension = false;
  hasTrailers = false;
  /** A chunk size ended with LF alone. */
  hasBareLineFeed = false;
  #state: State = STATE.size;
  /** The chunk size as far as it is read, then the bytes of the chunk still to come. */
  #remaining = 0;
  #digits = 0;
  /** Bytes of the trailer line so far. */
  #lineBytes = 0;

  begin(): void {
    this.outcome = BODY.more;
    this.hasExtension = false;
    this.hasTrailers = false;
    this.hasBareLineFeed = false;
    this.#toSize();
  }

  /** Takes bytes of the body; returns the offset after the last one used, and sets `outcome`. */
  take(bytes: Uint8Array, start: number, end: number): number {
    let at = start;
    while (at < end && this.outcome === BODY.more) {
      if (this.#state === STATE.data) at = this.#skipData(at, end);
      else {
        this.#frame(bytes[at]);
        at += 1;
      }
    }
    return at;
  }

  /** `length` bytes are missing. True: they all lie in the chunk's data, and the framing goes on after them. */
  skip(length: number): boolean {
    if (this.#state !== STATE.data || length > this.#remaining) return false;
    this.#remaining -= length;
    if (this.#remaining === 0) this.#state = STATE.dataEnd;
    return true;
  }

  #toSize(): void {
    this.#state = STATE.size;
    this.#remaining = 0;
    this.#digits = 0;
  }

  #skipData(at: number, end: number): number {
    const count = Math.min(this.#remaining, end - at);
    this.#remaining -= count;
    if (this.#remaining === 0) this.#state = STATE.dataEnd;
    return at + count;
  }

  #frame(byte: number): void {
    switch (this.#state) {
      case STATE.size:
        this.#size(byte);
        return;
      case STATE.extension:
      case STATE.sizeEnd:
        if (byte === LF) this.#sizeDone();
        return;
      case STATE.dataEnd:
        if (byte === LF) this.#toSize();
        else if (byte !== CR) this.outcome = BODY.broken;
        return;
      default:
        this.#trailer(byte);
    }
  }

  #size(byte: number): void {
    const digit = hexValue(byte);
    if (digit >= 0) {
      this.#remaining = this.#remaining * 16 + digit;
      // Leading zeros are no significant digits.
      if (this.#remaining > 0 || this.#digits === 0) this.#digits += 1;
      if (this.#digits > MAX_SIZE_DIGITS) this.outcome = BODY.broken;
    } else if (this.#digits === 0) this.outcome = BODY.broken;
    else if (byte === LF) {
      this.hasBareLineFeed = true;
      this.#sizeDone();
    } else if (byte === 59) {
      this.hasExtension = true;
      this.#state = STATE.extension;
    } else if (byte === CR) this.#state = STATE.sizeEnd;
    else if (byte !== SP && byte !== HTAB) this.outcome = BODY.broken;
  }

  #sizeDone(): void {
    this.#lineBytes = 0;
    this.#state = this.#remaining === 0 ? STATE.trailers : STATE.data;
  }

  #trailer(byte: number): void {
    if (byte === LF) {
      if (this.#lineBytes === 0) this.outcome = BODY.end;
      else this.hasTrailers = true;
      this.#lineBytes = 0;
    } else if (byte !== CR) this.#lineBytes += 1;
  }
}
