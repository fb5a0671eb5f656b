import type { DuckDBConnection, DuckDBType, DuckDBValue } from '@duckdb/node-api';
import { BIGINT, DOUBLE, VARCHAR } from '@duckdb/node-api';
import type { DuckDbParameter } from '../../filter/duckdb-sql.ts';

/** Running our own SQL. Numbers of 64 bits become numbers: ids, times and counts are below 2^53. */

export type Cell = string | number | null | readonly (number | null)[];

export interface Table {
  readonly names: readonly string[];
  readonly rows: Cell[][];
}

export async function readRows(
  connection: DuckDBConnection,
  sql: string,
  parameters: readonly DuckDbParameter[] = [],
): Promise<Table> {
  const result = await connection.run(sql, parameters.slice() as DuckDBValue[], parameters.map(typeOf));
  const names = result.columnNames();
  const rows: Cell[][] = [];
  for (;;) {
    const chunk = await result.fetchChunk();
    if (chunk === null || chunk.rowCount === 0) break;
    const columns = names.map((_, index) => chunk.getColumnValues(index));
    for (let row = 0; row < chunk.rowCount; row += 1) rows.push(columns.map((column) => cellOf(column[row])));
  }
  return { names, rows };
}

function typeOf(parameter: DuckDbParameter): DuckDBType {
  if (typeof parameter === 'string') return VARCHAR;
  return typeof parameter === 'bigint' ? BIGINT : DOUBLE;
}

function cellOf(value: DuckDBValue): Cell {
  if (value === null || typeof value === 'number' || typeof value === 'string') return value;
  if (typeof value === 'bigint') return Number(value);
  if (typeof value === 'boolean') return value ? 1 : 0;
  const items = (value as { items?: readonly DuckDBValue[] }).items;
  if (items !== undefined) return items.map((item) => (item === null ? null : Number(item)));
  return String(value);
}
