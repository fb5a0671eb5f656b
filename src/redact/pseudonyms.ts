import type { AddressMap } from './addresses.ts';
import type { RedactionKey } from './key.ts';

/** Values remembered with their pseudonyms. */
const CACHED_VALUES = 50_000;
/** Longer values are not remembered. */
const CACHED_LENGTH = 512;
const HEX = /^(?=.*\d)[0-9a-f-]{8,}$/i;
/** Stays what it is inside a value, so that its shape does. */
const KEPT = new Set([...'-._~:/@+ ,;=|\t\r\n\0'].map((character) => character.charCodeAt(0)));
const PERCENT = 37;
const OTHER = 42;
const HEX_DIGITS = '0123456789abcdef';
const DIGIT = /\d/;

/** Bytes as a string of the same length, and back (ISO 8859-1): heads and bodies are edited in this form. */
export function textOf(bytes: Uint8Array, start = 0, end = bytes.length): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, Math.max(0, end - start)).toString('latin1');
}

export function bytesOf(text: string): Uint8Array {
  return Buffer.from(text, 'latin1');
}

/**
 * Pseudonyms of texts: of equal length, digit for digit, letter for letter of the same case, the same for the same
 * value wherever it stands, and not to be turned back without the key. Hexadecimal stays hexadecimal, percent
 * escapes stay valid, punctuation that values are made of stays.
 */
export class Pseudonyms {
  readonly #key: RedactionKey;
  readonly #addresses: AddressMap;
  readonly #known = new Map<string, string>();

  constructor(key: RedactionKey, addresses: AddressMap) {
    this.#key = key;
    this.#addresses = addresses;
  }

  /** The pseudonym of `value`, a string of bytes; an address becomes that of the address. */
  of(value: string): string {
    if (value === '') return '';
    if (value.length > CACHED_LENGTH) return this.#make(value);
    let pseudonym = this.#known.get(value);
    if (pseudonym === undefined) {
      pseudonym = this.#addresses.text(value) ?? this.#make(value);
      if (this.#known.size >= CACHED_VALUES) this.#known.clear();
      this.#known.set(value, pseudonym);
    }
    return pseudonym;
  }

  #make(value: string): string {
    const random = this.#key.bytes('text', value, value.length);
    const isHex = HEX.test(value);
    const result = Buffer.alloc(value.length);
    let leading = true;
    for (let at = 0; at < value.length; at += 1) {
      const code = value.charCodeAt(at);
      if (code === PERCENT && /^[0-9a-f]{2}$/i.test(value.slice(at + 1, at + 3))) {
        result[at] = PERCENT;
        result[at + 1] = 52 + (random[at + 1]! % 3);
        result[at + 2] = HEX_DIGITS.charCodeAt(1 + (random[at + 2]! % 10));
        at += 2;
        leading = true;
        continue;
      }
      result[at] = like(code, random[at]!, isHex, leading);
      leading = !DIGIT.test(value[at]!);
    }
    return result.toString('latin1');
  }
}

/** A character of the class of `code`; `leading`: a digit that begins a number and was not 0 stays so. */
function like(code: number, random: number, isHex: boolean, leading: boolean): number {
  if (code >= 48 && code <= 57) return leading && code !== 48 ? 49 + (random % 9) : 48 + (random % 10);
  const letters = isHex ? 6 : 26;
  if (code >= 97 && code <= 122) return 97 + (random % letters);
  if (code >= 65 && code <= 90) return 65 + (random % letters);
  if (code >= 128) return 97 + (random % 26);
  return KEPT.has(code) ? code : OTHER;
}
