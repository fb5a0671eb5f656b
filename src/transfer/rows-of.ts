import type { RowBatch } from '../model/row-batch.ts';
import type { BatchValue } from './batch-builder.ts';

/** The value of a column in one row, 0-based; null also where there is no such column. */
export function valueAt({ columns }: RowBatch, name: string, row: number): BatchValue {
  const column = Object.hasOwn(columns, name) ? columns[name] : undefined;
  if (column === undefined) return null;
  switch (column.form) {
    case 'all':
      return column.value;
    case 'codes':
      return column.texts[column.codes[row]] ?? null;
    case 'numbers':
      return column.nulls?.[row] === 1 ? null : column.values[row];
  }
}

/** All rows as objects, by column name: for who looks at few. */
export function rowsOf(batch: RowBatch): Record<string, BatchValue>[] {
  const names = Object.keys(batch.columns);
  return Array.from({ length: batch.rows }, (_, row) =>
    Object.fromEntries(names.map((name) => [name, valueAt(batch, name, row)])),
  );
}
