import type { BatchColumn, RowBatch } from '../../model/row-batch.ts';
import type { Found } from './observation-finder.ts';
import type { RowsToWrite } from './row-writer.ts';

/** The rows of a batch that are to be written: without those that are stored already. Each keeps the id it was to get. */
export function rowsLeft(rows: RowsToWrite, { ofIds, repeats }: Found): RowsToWrite {
  if (repeats === null) return { ...rows, ofIds };
  const { batch, firstId } = rows;
  const kept: number[] = [];
  for (let row = 0; row < batch.rows; row += 1) if (repeats[row] === 0) kept.push(row);
  return {
    ...rows,
    batch: selected(batch, kept),
    ids: Float64Array.from(kept, (row) => firstId + row),
    ofIds: ofIds === null ? null : Float64Array.from(kept, (row) => ofIds[row]),
  };
}

function selected({ columns }: RowBatch, kept: readonly number[]): RowBatch {
  const chosen: Record<string, BatchColumn> = {};
  for (const [name, column] of Object.entries(columns)) chosen[name] = selectedOf(column, kept);
  return { rows: kept.length, columns: chosen };
}

function selectedOf(column: BatchColumn, kept: readonly number[]): BatchColumn {
  if (column.form === 'all') return column;
  if (column.form === 'codes') return { ...column, codes: Int32Array.from(kept, (row) => column.codes[row]) };
  const { nulls, values } = column;
  return {
    form: 'numbers',
    values: Float64Array.from(kept, (row) => values[row]),
    nulls: nulls === null ? null : Uint8Array.from(kept, (row) => nulls[row]),
  };
}
