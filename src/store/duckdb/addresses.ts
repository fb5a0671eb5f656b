import { parseNetwork } from '../../filter/address.ts';
import type { BatchColumn } from '../../model/row-batch.ts';
import type { Words64 } from './chunk-writer.ts';

/** An address as two numbers of 64 bits, in 32-bit words: high's low word first. IPv4 is held as the mapped address. */
export type AddressWords = readonly [number, number, number, number];

/** What stands before an IPv4 address in its mapped form, in the low number's high word. */
const MAPPED = 0xffff;
const FULL_STOP = 0x2e;
const ZERO = 0x30;

/** The 32 bits of an IPv4 address in decimal; -1: it is none. Written out, as most addresses are these. */
function ipv4Word(text: string): number {
  const { length } = text;
  let word = 0;
  let byte = 0;
  let digits = 0;
  let parts = 1;
  for (let at = 0; at < length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === FULL_STOP) {
      if (digits === 0 || parts === 4) return -1;
      word = word * 256 + byte;
      byte = 0;
      digits = 0;
      parts += 1;
      continue;
    }
    const digit = code - ZERO;
    // A leading zero could mean octal: parseNetwork refuses these, too.
    if (digit < 0 || digit > 9 || (digits > 0 && byte === 0)) return -1;
    byte = byte * 10 + digit;
    digits += 1;
    if (byte > 255) return -1;
  }
  return parts === 4 && digits > 0 ? word * 256 + byte : -1;
}

/** null: the text is no address. */
export function addressWords(text: string): AddressWords | null {
  const v4 = ipv4Word(text);
  if (v4 >= 0) return [0, 0, v4, MAPPED];
  const network = text.includes('/') ? null : parseNetwork(text);
  if (network === null) return null;
  const [a, b, c, d, e, f, g, h] = network.groups;
  return [c * 65_536 + d, a * 65_536 + b, g * 65_536 + h, e * 65_536 + f];
}

/** `high` and `low` as SQL numbers. */
export function addressNumbers(text: string): { readonly high: bigint; readonly low: bigint } | null {
  const words = addressWords(text);
  if (words === null) return null;
  const number = (low: number, high: number): bigint => (BigInt(high) << 32n) | BigInt(low);
  return { high: number(words[0], words[1]), low: number(words[2], words[3]) };
}

/** A text column, told by codes. */
export interface CodedTexts {
  readonly texts: readonly string[];
  /** null: all rows have the first text. */
  readonly codes: Int32Array | null;
}

/** A column of texts; null: it has none at all. */
export function codedTexts(column: BatchColumn): CodedTexts | null {
  if (column.form === 'codes') return column;
  if (column.form === 'all' && column.value !== null) return { texts: [String(column.value)], codes: null };
  return null;
}

/** The addresses of the texts of a column, one pair for each text. */
export function addressColumns(texts: readonly string[]): { readonly high: Words64; readonly low: Words64 } {
  const high = new Uint32Array(texts.length * 2);
  const low = new Uint32Array(texts.length * 2);
  const nulls = new Uint8Array(texts.length);
  texts.forEach((text, index) => {
    const words = addressWords(text);
    if (words === null) {
      nulls[index] = 1;
      return;
    }
    high[index * 2] = words[0];
    high[index * 2 + 1] = words[1];
    low[index * 2] = words[2];
    low[index * 2 + 1] = words[3];
  });
  return { high: { words: high, nulls }, low: { words: low, nulls } };
}

const UID_DIGITS = 16;

/** The 32 bits of eight hexadecimal digits from `at` on; -1: there are others. */
function hexWord(text: string, at: number): number {
  let word = 0;
  for (let index = at; index < at + 8; index += 1) {
    const code = text.charCodeAt(index);
    let digit = code - ZERO;
    if (digit < 0 || digit > 9) {
      // Letters differ from small ones by one bit.
      digit = (code | 0x20) - 0x61 + 10;
      if (digit < 10 || digit > 15) return -1;
    }
    word = word * 16 + digit;
  }
  return word;
}

/** A commit reads the uids of a batch more than once. */
const readUids = new WeakMap<readonly string[], Words64>();

/** The uids of texts, one number for each text; what is not 16 hexadecimal digits is null. */
export function uidColumn(texts: readonly string[]): Words64 {
  let uids = readUids.get(texts);
  if (uids === undefined) {
    uids = readUidColumn(texts);
    readUids.set(texts, uids);
  }
  return uids;
}

function readUidColumn(texts: readonly string[]): Words64 {
  const words = new Uint32Array(texts.length * 2);
  const nulls = new Uint8Array(texts.length);
  for (let index = 0; index < texts.length; index += 1) {
    const text = texts[index];
    const high = text.length === UID_DIGITS ? hexWord(text, 0) : -1;
    const low = high < 0 ? -1 : hexWord(text, 8);
    if (low < 0) {
      nulls[index] = 1;
      continue;
    }
    words[index * 2] = low;
    words[index * 2 + 1] = high;
  }
  return { words, nulls };
}
