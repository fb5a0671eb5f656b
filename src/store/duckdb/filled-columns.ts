import type { DuckDBConnection } from '@duckdb/node-api';
import type { BatchOrigin, RowBatch } from '../../model/row-batch.ts';
import { BATCH_COLUMNS } from '../../transfer/batch-columns.ts';
import { readRows } from './row-reading.ts';

/** Columns of what the sender says of itself that may be null. */
const OF_ORIGIN = ['node', 'pod', 'namespace'] as const;

/** Columns in which a whole database may have no value: headers where agents record none, VLANs where there are none. */
const MAY_BE_EMPTY: readonly string[] = [
  ...OF_ORIGIN,
  ...BATCH_COLUMNS.filter(({ nullable }) => nullable).map(({ name }) => name),
];

/**
 * Which columns of the table hold anything. One that holds nothing need not be read to be shown: DuckDB takes longer over a text that
 * is NULL than over one that is there, and with ten of them a page of rows that lie far apart took half as long again.
 *
 * A column that held something once counts as filled until the database is opened anew, also when its rows expired.
 */
export class FilledColumns {
  readonly #empty: Set<string>;

  private constructor(empty: Set<string>) {
    this.#empty = empty;
  }

  /** Looks for the first value of each column; a column without any is known by its row groups' facts, and not read. */
  static async read(connection: DuckDBConnection): Promise<FilledColumns> {
    const asked = MAY_BE_EMPTY.map(
      (name) => `(SELECT 1 FROM store.exchange_rows e WHERE e.${name} IS NOT NULL LIMIT 1)`,
    );
    const { rows } = await readRows(connection, `SELECT ${asked.join(', ')}`);
    return new FilledColumns(new Set(MAY_BE_EMPTY.filter((_, index) => rows[0][index] === null)));
  }

  /** To be told of each batch before its rows can be read. */
  note({ columns }: RowBatch, origin: BatchOrigin): void {
    for (const name of this.#empty) {
      const column = columns[name];
      const value =
        column === undefined
          ? origin[name as (typeof OF_ORIGIN)[number]]
          : column.form === 'all'
            ? column.value
            : column;
      if (value !== null) this.#empty.delete(name);
    }
  }

  has(name: string): boolean {
    return !this.#empty.has(name);
  }
}
