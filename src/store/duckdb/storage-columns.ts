import { BATCH_COLUMNS } from '../../transfer/batch-columns.ts';

/** The columns of the table in which a server keeps exchanges, and of the relations that are made of it. */

export type StoredType = 'BIGINT' | 'UBIGINT' | 'DOUBLE' | 'VARCHAR';

export interface StoredColumn {
  readonly name: string;
  readonly type: StoredType;
}

const TYPES = { integer: 'BIGINT', real: 'DOUBLE', text: 'VARCHAR' } as const;
const column = (name: string, type: StoredType): StoredColumn => ({ name, type });

/** The uid is kept as a number, so it is not among the batch's columns here. */
const FROM_BATCH: readonly StoredColumn[] = BATCH_COLUMNS.filter(({ name }) => name !== 'uid').map(
  ({ name, type }) => column(name, TYPES[type]),
);

/**
 * One row for each observation. `of_id`: the row that the exchange is told by, when another agent saw it first; NULL:
 * it is that row. Addresses are also numbers, IPv4 as the mapped IPv6 address.
 */
export const STORED_COLUMNS: readonly StoredColumn[] = [
  column('id', 'BIGINT'),
  column('of_id', 'BIGINT'),
  column('received_us', 'BIGINT'),
  column('agent', 'VARCHAR'),
  column('node', 'VARCHAR'),
  column('pod', 'VARCHAR'),
  column('namespace', 'VARCHAR'),
  column('uid', 'UBIGINT'),
  column('client_high', 'UBIGINT'),
  column('client_low', 'UBIGINT'),
  column('server_high', 'UBIGINT'),
  column('server_low', 'UBIGINT'),
  ...FROM_BATCH,
];

/** A column of a relation that people see. */
export interface ShownColumn {
  readonly name: string;
  /** Over the table, as `e`. */
  readonly sql: string;
}

const shown = (name: string, sql = `e.${name}`): ShownColumn => ({ name, sql });
/** What a SQLite file keeps in tables of their own; here JSON, behind all others. */
const SURROUNDINGS = ['anomalies', 'vlans', 'tunnels', 'sightings'];

const UID = shown('uid', "format('{:016x}', e.uid)");
const SEEN_BY: readonly ShownColumn[] = ['agent', 'node', 'pod', 'namespace', 'received_us'].map((name) =>
  shown(name),
);

/** The relation `exchanges`: as in a SQLite file, then what only a server knows. */
export const EXCHANGE_COLUMNS: readonly ShownColumn[] = [
  shown('id'),
  shown('started', "strftime(make_timestamp(e.started_us), '%Y-%m-%dT%H:%M:%S.%fZ')"),
  ...FROM_BATCH.filter(({ name }) => !SURROUNDINGS.includes(name)).map(({ name }) => shown(name)),
  UID,
  ...SEEN_BY,
  ...SURROUNDINGS.map((name) => shown(name)),
];

/** The relation `observations`: every row, those of `exchanges` too. */
export const OBSERVATION_COLUMNS: readonly ShownColumn[] = [
  shown('id'),
  shown('exchange_id', 'coalesce(e.of_id, e.id)'),
  ...EXCHANGE_COLUMNS.filter(({ name }) => name !== 'id'),
];

export function selectList(columns: readonly ShownColumn[]): string {
  return columns.map(({ name, sql }) => (sql === `e.${name}` ? sql : `${sql} AS ${name}`)).join(', ');
}
