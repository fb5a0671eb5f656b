import { parseNetwork } from '../../filter/address.ts';
import type { BatchColumn } from '../../model/row-batch.ts';
import type { Words64 } from './chunk-writer.ts';

/** An address as two numbers of 64 bits, in 32-bit words: high's low word first. IPv4 is held as the mapped address. */
export type AddressWords = readonly [number, number, number, number];

/** null: the text is no address. */
export function addressWords(text: string): AddressWords | null {
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
    high.set([words[0], words[1]], index * 2);
    low.set([words[2], words[3]], index * 2);
  });
  return { high: { words: high, nulls }, low: { words: low, nulls } };
}

const UID = /^[0-9a-f]{16}$/i;

/** The uids of texts, one number for each text; what is not 16 hexadecimal digits is null. */
export function uidColumn(texts: readonly string[]): Words64 {
  const words = new Uint32Array(texts.length * 2);
  const nulls = new Uint8Array(texts.length);
  texts.forEach((text, index) => {
    if (!UID.test(text)) {
      nulls[index] = 1;
      return;
    }
    words[index * 2] = Number.parseInt(text.slice(8), 16);
    words[index * 2 + 1] = Number.parseInt(text.slice(0, 8), 16);
  });
  return { words, nulls };
}
