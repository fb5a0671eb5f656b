import type { Style } from '../../report/style.ts';
import { sanitise } from '../../report/terminal-text.ts';
import { type Column, type Row, renderTable } from '../../report/text-table.ts';
import { answerList, answerObject, textOf } from './answer.ts';

type Value = string | number | boolean | null;

export interface SqlAnswer {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly Value[])[];
  readonly truncated: boolean;
}

/** Reads what the server answers to SQL. @throws UserError when it is something else */
export function sqlAnswer(answer: unknown): SqlAnswer {
  const columns = answerList(answer, 'columns').map((column) => textOf(answerObject(column), 'name') ?? '');
  const rows = answerList(answer, 'rows').map((row) =>
    columns.map((_, index) => scalar(Array.isArray(row) ? (row[index] as unknown) : null)),
  );
  return { columns, rows, truncated: answerObject(answer).truncated === true };
}

function scalar(value: unknown): Value {
  if (value === null || value === undefined) return null;
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
  return JSON.stringify(value);
}

/** The rows as a table: texts to the left, numbers to the right. */
export function sqlLines(
  { columns: names, rows }: SqlAnswer,
  { width, style }: { width: number; style: Style },
): string[] {
  const columns = names.map((name, index): Column => {
    const isText = rows.some((row) => typeof row[index] === 'string');
    return { title: sanitise(name), align: isText ? 'left' : 'right', shrinkTo: 8, cut: 'middle' };
  });
  const cells = rows.map(
    (row): Row =>
      row.map((value) => (value === null ? { text: 'null', paint: style.dim } : valueText(value))),
  );
  return renderTable(columns, cells, width, style, '');
}

function valueText(value: Exclude<Value, null>): string {
  if (typeof value !== 'number' || Number.isInteger(value)) return sanitise(String(value));
  // Six digits are a nanosecond where the number is milliseconds; more is the noise of binary fractions.
  return String(Number(value.toFixed(6)));
}
