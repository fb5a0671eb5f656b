import type { Exchange } from '../model/exchange.ts';
import type {
  BooleanField,
  ColumnSql,
  ListSql,
  NumberField,
  NumbersField,
  TextField,
  TextsField,
} from './field.ts';
import { durationText, sizeText, timeText } from './value-text.ts';

/** Makers of fields: what the fields of one type have in common. */

/** SQL of a column of the view, by its name there. */
export const column =
  (name: string): ColumnSql =>
  (exchanges) =>
    `${exchanges}.${name}`;

export function numberField(
  name: string,
  about: string,
  example: string,
  sql: ColumnSql,
  value: (exchange: Exchange) => number | null,
  more: { hasClasses?: boolean; groupable?: boolean } = {},
): NumberField {
  return {
    name,
    type: 'number',
    unit: null,
    about,
    example,
    groupable: more.groupable ?? true,
    words: null,
    hasClasses: more.hasClasses ?? false,
    sql,
    value,
    text: (exchange) => numberText(value(exchange)),
  };
}

export function durationField(
  name: string,
  about: string,
  example: string,
  sql: ColumnSql,
  value: (exchange: Exchange) => number | null,
): NumberField {
  const text = (exchange: Exchange): string | null => {
    const ns = value(exchange);
    return ns === null ? null : durationText(ns);
  };
  return { name, type: 'duration', unit: 'ns', about, example, groupable: false, words: null, hasClasses: false, sql, value, text }; // biome-ignore format: one line reads better
}

export function bytesField(
  name: string,
  about: string,
  example: string,
  sql: ColumnSql,
  value: (exchange: Exchange) => number | null,
): NumberField {
  const text = (exchange: Exchange): string | null => {
    const bytes = value(exchange);
    return bytes === null ? null : sizeText(bytes);
  };
  return { name, type: 'bytes', unit: 'B', about, example, groupable: true, words: null, hasClasses: false, sql, value, text }; // biome-ignore format: one line reads better
}

export function timeField(
  name: string,
  about: string,
  example: string,
  value: (exchange: Exchange) => number,
): NumberField {
  return {
    name,
    type: 'time',
    unit: 'ns since the epoch',
    about,
    example,
    groupable: false,
    words: null,
    hasClasses: false,
    sql: column('started_us'),
    value,
    text: (exchange, clock) => timeText(value(exchange), clock),
  };
}

export function textField(
  type: 'text' | 'address',
  name: string,
  about: string,
  example: string,
  sql: ColumnSql,
  value: (exchange: Exchange) => string | null,
): TextField {
  return { name, type, unit: null, about, example, groupable: true, words: null, sql, value, text: value };
}

export function wordField(
  name: string,
  words: readonly string[],
  about: string,
  example: string,
  sql: ColumnSql,
  value: (exchange: Exchange) => string | null,
): TextField {
  return { name, type: 'word', unit: null, about, example, groupable: true, words, sql, value, text: value };
}

export function booleanField(
  name: string,
  about: string,
  example: string,
  sql: ColumnSql,
  value: (exchange: Exchange) => boolean,
): BooleanField {
  const text = (exchange: Exchange): string => (value(exchange) ? 'yes' : 'no');
  return {
    name,
    type: 'boolean',
    unit: null,
    about,
    example,
    groupable: true,
    words: null,
    sql,
    value,
    text,
  };
}

export function numbersField(
  name: string,
  about: string,
  example: string,
  sql: ListSql,
  value: (exchange: Exchange) => readonly number[],
): NumbersField {
  const text = (exchange: Exchange): string | null => listText(value(exchange), ',');
  return {
    name,
    type: 'numbers',
    unit: null,
    about,
    example,
    groupable: true,
    words: null,
    sql,
    value,
    text,
  };
}

export function wordsField(
  name: string,
  words: readonly string[],
  about: string,
  example: string,
  sql: ListSql,
  value: (exchange: Exchange) => readonly string[],
): TextsField {
  return {
    name,
    type: 'words',
    unit: null,
    about,
    example,
    groupable: true,
    words,
    sql,
    header: null,
    value,
    text: (exchange) => listText(value(exchange), ','),
  };
}

export function textsField(
  name: string,
  header: string | null,
  about: string,
  example: string,
  sql: ListSql,
  value: (exchange: Exchange) => readonly string[],
): TextsField {
  return {
    name,
    type: 'texts',
    unit: null,
    about,
    example,
    groupable: true,
    words: null,
    sql,
    header,
    value,
    // Several fields of one name mean the same as one with a list (RFC 9110 §5.3).
    text: (exchange) => listText(value(exchange), ', '),
  };
}

function numberText(value: number | null): string | null {
  return value === null ? null : String(value);
}

function listText(values: readonly (string | number)[], separator: string): string | null {
  if (values.length === 0) return null;
  return values.length === 1 ? String(values[0]) : values.join(separator);
}
