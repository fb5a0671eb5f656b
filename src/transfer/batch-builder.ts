import { UserError } from '../model/errors.ts';
import type { BatchColumn, RowBatch } from '../model/row-batch.ts';
import { BATCH_COLUMNS, type BatchColumnFacts } from './batch-columns.ts';
import { NumberColumnBuilder, TextColumnBuilder } from './column-builder.ts';
import { checkText, numberMistake } from './value-rules.ts';

export type BatchValue = string | number | null;

/** Puts rows together to a batch, and refuses what no batch may hold. Columns not given are null. */
export class RowBatchBuilder {
  readonly #columns = BATCH_COLUMNS.map((facts) => ({
    facts,
    texts: facts.type === 'text' ? new TextColumnBuilder() : null,
    numbers: facts.type === 'text' ? null : new NumberColumnBuilder(),
  }));
  #rows = 0;

  get rows(): number {
    return this.#rows;
  }

  /** Adds a row, by column name. Throws UserError with the row's number and the column; then the builder is of no use. */
  add(row: Readonly<Record<string, BatchValue>>): void {
    const number = this.#rows + 1;
    for (const { facts, texts, numbers } of this.#columns) {
      const value = row[facts.name] ?? null;
      if (value === null && !facts.nullable) throw misplaced(number, facts, 'there is no value');
      if (texts !== null) {
        if (value === null) texts.addNull();
        else if (typeof value === 'string') texts.addCode(this.#code(texts, facts, value, number));
        else throw misplaced(number, facts, 'this is not a text');
      } else if (value === null) numbers?.add(null);
      else {
        const mistake = typeof value === 'number' ? numberMistake(facts, value) : 'not a number';
        if (mistake !== null) throw misplaced(number, facts, `this is ${mistake}`);
        numbers?.add(value as number);
      }
    }
    this.#rows = number;
  }

  #code(texts: TextColumnBuilder, facts: BatchColumnFacts, text: string, row: number): number {
    const known = texts.codeOf(text);
    if (known !== undefined) return known;
    return texts.learn(text, acceptedText(facts, text, row));
  }

  /** The rows so far, at least one; then it is empty. */
  take(): RowBatch {
    const rows = this.#rows;
    const columns: Record<string, BatchColumn> = {};
    for (const { facts, texts, numbers } of this.#columns) {
      const column = (texts ?? numbers)?.take(rows);
      if (column !== undefined) columns[facts.name] = column;
    }
    this.#rows = 0;
    return { rows, columns };
  }
}

/** The text as it is to be stored. Throws UserError. */
export function acceptedText(facts: BatchColumnFacts, text: string, row: number | null): string {
  let checked: ReturnType<typeof checkText>;
  try {
    checked = checkText(facts, text);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw misplaced(row, facts, error.message, error);
  }
  if (typeof checked === 'string') return checked;
  throw misplaced(row, facts, `this is ${checked.mistake}`);
}

/** What is wrong in a column. `row`: 1-based; null: in several. */
export function misplaced(
  row: number | null,
  { name }: Pick<BatchColumnFacts, 'name'>,
  what: string,
  cause?: unknown,
): UserError {
  return new UserError('bad-value', what, {
    place: row === null ? { column: name } : { row, column: name },
    cause,
  });
}
