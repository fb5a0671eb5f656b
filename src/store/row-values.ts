import type { Database, Statement } from './database.ts';
import type { Engine } from './engine.ts';
import { damagedStore } from './store-file.ts';

/** SQLite's type number of NULL. */
const NULL_TYPE = 5;

/**
 * Values of a statement's current row, read without an object per row. What is of another type than the schema
 * says becomes what SQLite converts it to; numbers that make no sense throw UserError.
 */
export class RowValues {
  readonly statement: Statement;
  readonly #engine: Engine;
  readonly #handle: number;
  readonly #path: string;

  constructor(database: Database, statement: Statement, path: string) {
    this.statement = statement;
    this.#engine = database.engine;
    this.#handle = statement.handle;
    this.#path = path;
  }

  /** A count, number or id: 0 and up, exact. NULL: 0. */
  count(column: number): number {
    const value = this.#engine.module._sqlite3_column_double(this.#handle, column);
    if (value >= 0 && Number.isSafeInteger(value)) return value;
    throw this.#odd(value);
  }

  countOrNull(column: number): number | null {
    const value = this.count(column);
    return value === 0 && this.isNull(column) ? null : value;
  }

  /** A difference of times in ns, or a time in µs: exact, may be negative. NULL: 0. */
  whole(column: number): number {
    const value = this.#engine.module._sqlite3_column_double(this.#handle, column);
    if (Number.isSafeInteger(value)) return value;
    throw this.#odd(value);
  }

  wholeOrNull(column: number): number | null {
    const value = this.whole(column);
    return value === 0 && this.isNull(column) ? null : value;
  }

  isNull(column: number): boolean {
    return this.#engine.module._sqlite3_column_type(this.#handle, column) === NULL_TYPE;
  }

  /** NULL: the empty text. */
  text(column: number): string {
    const { module } = this.#engine;
    const pointer = module._sqlite3_column_text(this.#handle, column);
    const bytes = module._sqlite3_column_bytes(this.#handle, column);
    return bytes === 0 ? '' : this.#engine.text(pointer, bytes);
  }

  textOrNull(column: number): string | null {
    return this.isNull(column) ? null : this.text(column);
  }

  /** A word's place in the list that `wordPlaceSql` was made of; -1: NULL. */
  word(column: number): number {
    const place = this.#engine.module._sqlite3_column_double(this.#handle, column);
    if (place !== UNKNOWN_WORD) return place;
    throw damagedStore(this.#path, 'a word that is in none of its lists');
  }

  #odd(value: number): Error {
    return damagedStore(this.#path, `the number ${value} makes no sense where it stands`);
  }
}

const UNKNOWN_WORD = -2;

/** SQL for the place of a column's word in its list: -1 for NULL. Quicker than handing over the text. */
export function wordPlaceSql(column: string, words: readonly string[]): string {
  const cases = words.map((word, index) => `WHEN '${word}' THEN ${index}`).join(' ');
  return `CASE WHEN ${column} IS NULL THEN -1 ELSE CASE ${column} ${cases} ELSE ${UNKNOWN_WORD} END END`;
}
