import type { StoredRecord } from '../../src/store/exchange-record.ts';
import { runSql } from '../../src/store/query.ts';

/** All rows of a query as objects by column name. */
export async function query(path: string, sql: string): Promise<StoredRecord[]> {
  const result = await runSql(path, sql);
  return [...result.rows].map(
    (row) => Object.fromEntries(row.map((value, index) => [result.columns[index], value])) as StoredRecord,
  );
}
