import { jsonText } from '../model/json-text.ts';

/** A value as a query gives it: text, number, null, or bytes. Integers beyond 2^53 may come as bigint. */
export type RowValue = string | number | bigint | null | Uint8Array;

/** One row as a JSON object on one line. Bytes become hexadecimal text, numbers that JSON lacks become null. */
export function jsonRow(columns: readonly string[], row: readonly RowValue[]): string {
  const fields = columns.map((column, index) => `${jsonText(column)}:${jsonValue(row[index])}`);
  return `{${fields.join(',')}}`;
}

function jsonValue(value: RowValue): string {
  if (value === null) return 'null';
  if (typeof value === 'bigint') return String(value);
  if (value instanceof Uint8Array) return `"${hexadecimal(value)}"`;
  return jsonText(value);
}

/** One record of comma-separated values (RFC 4180), without its CR LF. null is an empty field. */
export function csvRow(row: readonly RowValue[]): string {
  return row.map(csvField).join(',');
}

function csvField(value: RowValue): string {
  if (value === null) return '';
  const text = value instanceof Uint8Array ? hexadecimal(value) : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function hexadecimal(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}
