import { jsonText } from '../model/json-text.ts';

/** Bytes that a new buffer holds at least. */
const BUFFER_BYTES = 256 * 1024;
/** Room that is always left for names, numbers and punctuation between two strings. */
const SLACK_BYTES = 1024;

/** Strings kept encoded, and the characters of the longest; then the memory starts anew. */
const STRINGS_KNOWN = 16_384;
const LONGEST_KNOWN = 256;
/** Up to here a loop copies faster than a call does. */
const COPY_BYTES = 12;

const SMALL_A = 0x61;
const ZERO = 0x30;
const POINT = 0x2e;
const NULL = jsonPiece('null');

/** A constant piece of JSON in ASCII, to be written with `encoded`. */
export function jsonPiece(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'latin1'));
}

/** What Buffer has had since Node 0.x but its types leave out. */
interface Latin1Buffer extends Uint8Array {
  latin1Write(text: string, offset: number, length: number): number;
}

function newBuffer(bytes: number): Latin1Buffer {
  return Buffer.allocUnsafeSlow(bytes) as unknown as Latin1Buffer;
}

/**
 * JSON as bytes, written piece by piece into one buffer. Making strings first and encoding them afterwards costs
 * four times as much. Callers put the pieces together in the right order; strings are quoted here.
 */
export class JsonBytes {
  #bytes = newBuffer(BUFFER_BYTES);
  #length = 0;
  readonly #known = new Map<string, Uint8Array>();

  /** Bytes written since the last `take`. */
  get length(): number {
    return this.#length;
  }

  /** Everything written; the bytes then belong to the caller and a new buffer is begun. */
  take(): Uint8Array {
    const taken = this.#bytes.subarray(0, this.#length);
    this.#bytes = newBuffer(BUFFER_BYTES);
    this.#length = 0;
    return taken;
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes + SLACK_BYTES;
    if (needed <= this.#bytes.length) return;
    const larger = newBuffer(Math.max(needed, this.#bytes.length * 2));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }

  /** Bytes that are JSON already: names, punctuation, what was encoded before. */
  encoded(json: Uint8Array): void {
    const { length } = json;
    this.#reserve(length);
    if (length > COPY_BYTES) {
      this.#bytes.set(json, this.#length);
    } else {
      const bytes = this.#bytes;
      const at = this.#length;
      for (let index = 0; index < length; index += 1) bytes[at + index] = json[index];
    }
    this.#length += length;
  }

  /** Text of ASCII characters as it is. */
  ascii(text: string): void {
    const { length } = text;
    this.#reserve(length);
    this.#bytes.latin1Write(text, this.#length, length);
    this.#length += length;
  }

  /** A JSON string, or null. Lone surrogates and what a terminal could act on come out as escapes. */
  string(text: string | null): void {
    if (text === null) {
      this.encoded(NULL);
      return;
    }
    const known = this.#known.get(text);
    this.encoded(known ?? this.#quote(text));
  }

  /** Short strings come again and again: they are kept as they are written. */
  #quote(text: string): Uint8Array {
    const json = Buffer.from(jsonText(text));
    if (text.length > LONGEST_KNOWN) return json;
    if (this.#known.size >= STRINGS_KNOWN) this.#known.clear();
    // A copy of its own, so that it keeps no larger buffer alive.
    const kept = new Uint8Array(json);
    this.#known.set(text, kept);
    return kept;
  }

  /** A whole number. */
  integer(value: number): void {
    if (!(value >= 0 && value <= 0x7fff_ffff)) {
      this.ascii(String(value));
      return;
    }
    this.#reserve(10);
    let digits = 1;
    for (let limit = 10; digits < 10 && value >= limit; limit *= 10) digits += 1;
    this.#digits(value, digits);
  }

  /** A number of 32 bits as 8 hexadecimal digits in small letters, without quotes. */
  hexadecimal(value: number): void {
    this.#reserve(8);
    const bytes = this.#bytes;
    let rest = value | 0;
    for (let at = this.#length + 7; at >= this.#length; at -= 1) {
      const digit = rest & 15;
      bytes[at] = digit < 10 ? ZERO + digit : SMALL_A - 10 + digit;
      rest >>>= 4;
    }
    this.#length += 8;
  }

  /** `value` (below 2^31) with exactly `digits` digits. Room is reserved. */
  #digits(value: number, digits: number): void {
    const bytes = this.#bytes;
    let rest = value | 0;
    for (let at = this.#length + digits - 1; at >= this.#length; at -= 1) {
      const tenth = (rest / 10) | 0;
      bytes[at] = ZERO + rest - tenth * 10;
      rest = tenth;
    }
    this.#length += digits;
  }

  /** Nanoseconds as milliseconds with all their digits: 1234567 becomes `1.234567`; or null. */
  milliseconds(ns: number | null): void {
    if (ns === null) {
      this.encoded(NULL);
      return;
    }
    const whole = Math.floor(ns / 1e6);
    let fraction = ns - whole * 1e6;
    this.integer(whole);
    if (fraction === 0) return;
    let digits = 6;
    while (fraction % 10 === 0) {
      fraction /= 10;
      digits -= 1;
    }
    this.#reserve(8);
    this.#bytes[this.#length] = POINT;
    this.#length += 1;
    this.#digits(fraction, digits);
  }
}
