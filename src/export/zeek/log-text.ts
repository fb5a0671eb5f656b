import { jsonText } from '../../model/json-text.ts';

/** Zeek's types of log fields, as they stand in the `#types` line. */
export type ZeekType =
  | 'time' | 'interval' | 'string' | 'addr' | 'port' | 'count' | 'enum' | 'bool'
  | 'set[enum]' | 'set[string]' | 'vector[string]'; // biome-ignore format: a list

/**
 * A value of a field; null: unset. Of `time` and `interval` it is text, made by `seconds`; sets and vectors are
 * arrays of text.
 */
export type ZeekValue = string | number | readonly string[] | null;

export interface ZeekField {
  readonly name: string;
  readonly type: ZeekType;
}

const SEPARATOR = '\t';
const SET_SEPARATOR = ',';
const EMPTY = '(empty)';
const UNSET = '-';

/** Control, format, separator characters and half surrogates; and the backslash that begins an escape. */
const ESCAPED = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\\]/gu;
const ESCAPED_IN_SET = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\\,]/gu;

/** Most texts: nothing in them is escaped, in a set or outside, and they are neither `-` nor `(empty)`. */
const PLAIN = /^[\x20-\x27\x29-\x2b\x2e-\x5b\x5d-\x7e][\x20-\x2b\x2d-\x5b\x5d-\x7e]*$/;

function escapeCharacter(character: string): string {
  if (character === '\\') return '\\\\';
  let escaped = '';
  for (const byte of Buffer.from(character)) escaped += `\\x${byte.toString(16).padStart(2, '0')}`;
  return escaped;
}

/** A string as Zeek's ASCII writer shows it: `\x09` for a tab, `\\` for a backslash, `(empty)` for none. */
function tsvString(text: string, pattern: RegExp): string {
  if (PLAIN.test(text)) return text;
  if (text === '') return EMPTY;
  // So that the text is not taken for what stands for nothing.
  if (text === UNSET || text === EMPTY) return escapeFirst(text);
  return text.replace(pattern, escapeCharacter);
}

function escapeFirst(text: string): string {
  return `\\x${text.charCodeAt(0).toString(16)}${text.slice(1)}`;
}

function tsvValue(value: ZeekValue): string {
  if (value === null) return UNSET;
  if (typeof value === 'number') return String(value);
  if (typeof value === 'string') return tsvString(value, ESCAPED);
  if (value.length === 0) return EMPTY;
  return value.map((element) => tsvString(element, ESCAPED_IN_SET)).join(SET_SEPARATOR);
}

/** A row of a log in Zeek's tab-separated format, without its line feed. */
export function tsvLine(values: readonly ZeekValue[]): string {
  return values.map(tsvValue).join(SEPARATOR);
}

/** A row of a log as Zeek's JSON writer has it: unset fields are left out, times are numbers. */
export function jsonLine(fields: readonly ZeekField[], values: readonly ZeekValue[]): string {
  const members: string[] = [];
  fields.forEach(({ name, type }, index) => {
    const value = values[index];
    if (value === null) return;
    const isTime = type === 'time' || type === 'interval';
    members.push(`${JSON.stringify(name)}:${isTime ? jsonSeconds(String(value)) : jsonText(value)}`);
  });
  return `{${members.join(',')}}`;
}

/** 1.500000 becomes 1.5, and 1.000000 becomes 1.0. */
function jsonSeconds(text: string): string {
  return text.replace(/0+$/, '').replace(/\.$/, '.0');
}

/** The lines before the first row. `openedSeconds`: Unix time. */
export function tsvHeader(path: string, fields: readonly ZeekField[], openedSeconds: number): string {
  const line = (...parts: readonly string[]): string => `#${parts.join(SEPARATOR)}\n`;
  return (
    '#separator \\x09\n' +
    line('set_separator', SET_SEPARATOR) +
    line('empty_field', EMPTY) +
    line('unset_field', UNSET) +
    line('path', path) +
    line('open', calendar(openedSeconds)) +
    line('fields', ...fields.map(({ name }) => name)) +
    line('types', ...fields.map(({ type }) => type))
  );
}

/** The line after the last row. */
export function tsvFooter(closedSeconds: number): string {
  return `#close${SEPARATOR}${calendar(closedSeconds)}\n`;
}

/** `2026-11-21-07-42-00`, in UTC. */
function calendar(unixSeconds: number): string {
  const date = new Date(unixSeconds * 1000);
  const valid = Number.isNaN(date.getTime()) ? new Date(0) : date;
  return valid.toISOString().slice(0, 19).replace(/[T:]/g, '-');
}

/** Nanoseconds after a whole second as seconds with six digits, rounded: `1591367999.305988`, `0.066852`. */
export function seconds(wholeSeconds: number, ns: number): string {
  const us = Math.round(ns / 1000);
  const whole = Math.floor(us / 1e6);
  const total = wholeSeconds + whole;
  const fraction = us - whole * 1e6;
  if (total >= 0 || fraction === 0) return `${total}.${String(fraction).padStart(6, '0')}`;
  return `-${-total - 1}.${String(1e6 - fraction).padStart(6, '0')}`;
}
