import type { Exchange } from '../model/exchange.ts';
import type { RunClock } from '../model/packet.ts';

/** What a field's value is, and so which comparisons it takes. The last three are lists: a condition means any of them. */
export type FieldType =
  | 'number'
  | 'duration'
  | 'bytes'
  | 'time'
  | 'text'
  | 'address'
  | 'word'
  | 'boolean'
  | 'numbers'
  | 'words'
  | 'texts';

/** Unit of `value`: ns for durations, ns since the run's epoch for times, B for sizes; null: none. */
export type Unit = 'ns' | 'ns since the epoch' | 'B' | null;

/** null: the exchange does not have it. Lists are never null, but may be empty. */
export type FieldValue = number | string | boolean | readonly number[] | readonly string[] | null;

interface FieldFacts {
  /** As written in an expression: lower case, parts separated by dots, `header["x-request-id"]`. */
  readonly name: string;
  readonly unit: Unit;
  /** One sentence: meaning, and when it is missing. */
  readonly about: string;
  /** One condition with this field, valid in the language. */
  readonly example: string;
  /** Whether it makes sense to group by its exact values: not for times, durations and ids. */
  readonly groupable: boolean;
  /** Closed list of values of `word` and `words`; null for all others. */
  readonly words: readonly string[] | null;
  /** The value as stable text, for grouping and tables; null: missing, or an empty list. Not sanitised. */
  text(exchange: Exchange, clock: RunClock): string | null;
}

/** SQL of the value; `exchanges` is the name or alias of the view `exchanges` there. */
export type ColumnSql = (exchanges: string) => string;

/** SQL of a list: what follows FROM (with its WHERE) for one row per element, and the element in it. */
export interface ListSql {
  rows(exchanges: string): string;
  readonly element: string;
  /** Values of the `?` in `rows`, in order. */
  readonly parameters?: readonly string[];
  readonly duckdb: DuckDbList;
}

/** The same list for DuckDB. */
export interface DuckDbList {
  /** Expressions of type LIST whose elements together are those of the list; NULL: empty. */
  lists(exchanges: string): readonly string[];
  /** The value of an element of these; NULL: it has none. */
  element(item: string): string;
  /** Which elements belong to it, and the values of its `?`; left out: all. */
  guard?(item: string): string;
  readonly parameters?: readonly string[];
}

export interface NumberField extends FieldFacts {
  readonly type: 'number' | 'duration' | 'bytes' | 'time';
  /** In `unit`; whole. */
  value(exchange: Exchange, clock: RunClock): number | null;
  /** Durations: in ms, as the view has them. Times: unused, they are two columns. */
  readonly sql: ColumnSql;
  /** Whether `5xx` stands for 500 to 599. */
  readonly hasClasses: boolean;
}

export interface TextField extends FieldFacts {
  readonly type: 'text' | 'address' | 'word';
  value(exchange: Exchange, clock: RunClock): string | null;
  readonly sql: ColumnSql;
}

export interface BooleanField extends FieldFacts {
  readonly type: 'boolean';
  value(exchange: Exchange, clock: RunClock): boolean;
  /** Never NULL. */
  readonly sql: ColumnSql;
}

export interface NumbersField extends FieldFacts {
  readonly type: 'numbers';
  value(exchange: Exchange, clock: RunClock): readonly number[];
  readonly sql: ListSql;
}

export interface TextsField extends FieldFacts {
  readonly type: 'words' | 'texts';
  value(exchange: Exchange, clock: RunClock): readonly string[];
  readonly sql: ListSql;
  /** Lower-case name of the header field that must be kept for it; null: none beyond what an exchange always has. */
  readonly header: string | null;
}

export type Field = NumberField | TextField | BooleanField | NumbersField | TextsField;

/** Fields with any number of values. */
export function isList(field: Field): field is NumbersField | TextsField {
  return field.type === 'numbers' || field.type === 'words' || field.type === 'texts';
}

export function isTextList(field: TextField | TextsField): field is TextsField {
  return isList(field);
}

/** How a type is called in help, reference and errors. */
export const TYPE_NAMES: Readonly<Record<FieldType, string>> = {
  number: 'number',
  duration: 'duration',
  bytes: 'size',
  time: 'time',
  text: 'text',
  address: 'address',
  word: 'word',
  boolean: 'yes or no',
  numbers: 'numbers',
  words: 'words',
  texts: 'texts',
};

/** What literals of a type look like; for the reference. */
export const UNIT_NAMES: Readonly<Record<FieldType, string>> = {
  number: '',
  duration: 'ns us ms s min h',
  bytes: 'B kB MB GB KiB MiB GiB',
  time: 'RFC 3339',
  text: '',
  address: 'address or network',
  word: '',
  boolean: '',
  numbers: '',
  words: '',
  texts: '',
};
