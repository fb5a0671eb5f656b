const LF = 10;
const CR = 13;
const SEMICOLON = 59;
const SPACE = 32;
const TAB = 9;
/** More significant digits than a chunk size can have; such a size is broken. */
const MAX_SIZE_DIGITS = 13;

/** What a run of bytes in a chunked body is. */
export type ChunkPart = 'framing' | 'extension' | 'data' | 'trailer' | 'broken';

type State = 'size' | 'extension' | 'size-end' | 'data' | 'data-end' | 'trailers' | 'broken' | 'over';

/**
 * Follows the framing of a chunked body (RFC 9112 §7.1) as the parser in src/match does, and tells what its bytes
 * are: framing must stay, everything else must not.
 */
export class ChunkWalk {
  #state: State = 'size';
  #remaining = 0;
  #digits = 0;
  #lineBytes = 0;

  /** The body is over, or its framing is broken. */
  get done(): boolean {
    return this.#state === 'over' || this.#state === 'broken';
  }

  /** Tells the parts of `bytes[start, end)` in order, as half-open ranges; stops where the body ends. */
  take(
    bytes: Uint8Array,
    start: number,
    end: number,
    part: (kind: ChunkPart, start: number, end: number) => void,
  ): void {
    let at = start;
    while (at < end) {
      if (this.#state === 'over') return;
      if (this.#state === 'broken') {
        part('broken', at, end);
        return;
      }
      if (this.#state === 'data') {
        const count = Math.min(this.#remaining, end - at);
        part('data', at, at + count);
        this.skip(count);
        at += count;
        continue;
      }
      part(this.#frame(bytes[at]!), at, at + 1);
      at += 1;
    }
  }

  /** `length` bytes are missing. False: framing is among them, and what follows cannot be told. */
  skip(length: number): boolean {
    if (this.#state !== 'data' || length > this.#remaining) {
      this.#state = 'broken';
      return false;
    }
    this.#remaining -= length;
    if (this.#remaining === 0) this.#state = 'data-end';
    return true;
  }

  #frame(byte: number): ChunkPart {
    switch (this.#state) {
      case 'size':
        return this.#size(byte);
      case 'extension':
      case 'size-end':
        if (byte === LF) this.#sizeDone();
        return byte === LF || byte === CR ? 'framing' : 'extension';
      case 'data-end':
        if (byte === LF) this.#toSize();
        else if (byte !== CR) this.#state = 'broken';
        return byte === LF || byte === CR ? 'framing' : 'broken';
      default:
        return this.#trailer(byte);
    }
  }

  #toSize(): void {
    this.#state = 'size';
    this.#remaining = 0;
    this.#digits = 0;
  }

  #size(byte: number): ChunkPart {
    const digit = hexValue(byte);
    if (digit >= 0) {
      this.#remaining = this.#remaining * 16 + digit;
      if (this.#remaining > 0 || this.#digits === 0) this.#digits += 1;
      if (this.#digits > MAX_SIZE_DIGITS) this.#state = 'broken';
    } else if (this.#digits === 0) this.#state = 'broken';
    else if (byte === LF) this.#sizeDone();
    else if (byte === SEMICOLON) this.#state = 'extension';
    else if (byte === CR) this.#state = 'size-end';
    else if (byte !== SPACE && byte !== TAB) this.#state = 'broken';
    return this.#state === 'broken' && digit < 0 ? 'broken' : 'framing';
  }

  #sizeDone(): void {
    this.#lineBytes = 0;
    this.#state = this.#remaining === 0 ? 'trailers' : 'data';
  }

  #trailer(byte: number): ChunkPart {
    if (byte === LF) {
      if (this.#lineBytes === 0) this.#state = 'over';
      this.#lineBytes = 0;
    } else if (byte !== CR) this.#lineBytes += 1;
    return 'trailer';
  }
}

function hexValue(byte: number): number {
  if (byte >= 48 && byte <= 57) return byte - 48;
  const lower = byte | 0x20;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}
