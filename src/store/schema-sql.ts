import type { Table } from './schema.ts';

/** The comments survive in sqlite_schema, so `.schema` explains itself. */
export function createTableSql(table: Table): string {
  const lines = table.columns.map((one, index) => {
    const comma = index === table.columns.length - 1 ? '' : ',';
    return `  ${one.name} ${one.type}${comma} -- ${one.about}`;
  });
  return `CREATE TABLE ${table.name} ( -- ${table.about}\n${lines.join('\n')}\n)`;
}

export function createIndexSql(index: { name: string; on: string }): string {
  return `CREATE INDEX ${index.name} ON ${index.on}`;
}

/** `INSERT` of `rows` rows at once into all columns. */
export function insertSql(table: Table, rows = 1): string {
  const row = `(${table.columns.map(() => '?').join(',')})`;
  return `INSERT INTO ${table.name} VALUES ${Array.from({ length: rows }, () => row).join(',')}`;
}
