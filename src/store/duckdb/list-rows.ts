import type { DuckDBConnection } from '@duckdb/node-api';
import type { Sort } from '../exchange-store.ts';
import { arrivalsSql } from './arrivals.ts';
import type { Position } from './cursor.ts';
import { type Extent, type Window, windows } from './page-windows.ts';
import { type Cell, readRows, type Table } from './row-reading.ts';
import { addObserved, Conditions, type SelectionSql } from './selection-sql.ts';
import { EXCHANGE_COLUMNS, selectList } from './storage-columns.ts';

/** A page of exchanges, asked of the table. */
export interface ListTask {
  readonly selection: SelectionSql;
  readonly fromUs: number | null;
  readonly toUs: number | null;
  readonly sort: Sort;
  readonly descending: boolean;
  readonly limit: number;
  readonly after: Position | null;
  readonly afterId: number | null;
  /** Names of the columns that are wanted; null: all. */
  readonly columns: readonly string[] | null;
}

export interface ListedRows {
  readonly names: readonly string[];
  readonly rows: readonly Cell[][];
  /** Where the page ended; null: there are no more. */
  readonly next: Position | null;
  /** As in ExchangePage. */
  readonly arrivals: readonly number[];
  readonly lastId: number;
}

/** A row of the page before it is read: where it stands, and with which row it arrived. */
interface Found extends Position {
  readonly arrival: number;
}

const KEYS: Readonly<Record<Sort, string>> = {
  started: 'e.started_us',
  total: 'e.total_ms',
  wait: 'e.wait_ms',
  status: 'e.status',
  request_bytes: '(e.request_header_bytes + e.request_body_bytes)',
  response_bytes: '(e.response_header_bytes + e.response_body_bytes)',
  id: 'e.id',
};

/**
 * Sorted by time or id, the page is looked for in windows that begin at its end and grow: row groups outside of a
 * window are skipped by their smallest and largest value, so the usual page reads two of them. Each window is looked
 * through once. Other orders need all rows.
 */
export async function listRows(
  connection: DuckDBConnection,
  task: ListTask,
  extent: Extent,
): Promise<ListedRows> {
  // All steps see the same rows.
  await connection.run('BEGIN TRANSACTION READ ONLY');
  try {
    const found = await findRows(connection, task, extent);
    const page = found.slice(0, task.limit);
    const { names, rows } = await readPage(connection, task.columns, page);
    const next = found.length > task.limit ? (page.at(-1) ?? null) : null;
    return { names, rows, next, arrivals: page.map(({ arrival }) => arrival), lastId: reached() };

    function reached(): number {
      const last = page.at(-1)?.arrival ?? 0;
      const inArrival = task.sort === 'id' && !task.descending;
      return inArrival && next !== null ? last : Math.max(last, extent.lastId);
    }
  } finally {
    await connection.run('ROLLBACK').catch(() => {});
  }
}

/** The rows of the page, and one more if there is one. */
async function findRows(connection: DuckDBConnection, task: ListTask, extent: Extent): Promise<Found[]> {
  const found: Found[] = [];
  const wanted = task.limit + 1;
  for (const window of windows(task, extent)) {
    const { rows } = await readWindow(connection, task, extent, window, wanted - found.length);
    for (const [id, key, arrival] of rows as (number | null)[][])
      found.push({ id: id as number, key, arrival: arrival as number });
    if (found.length >= wanted) break;
  }
  return found;
}

/**
 * The rows with these ids, in their order. Asked for by a list of ids, DuckDB reads only the vectors that hold them; a join,
 * and even its own row ids, made it read whole row groups (seconds instead of milliseconds, measured with 10 million rows).
 */
async function readPage(
  connection: DuckDBConnection,
  columns: readonly string[] | null,
  page: readonly Position[],
): Promise<Table> {
  const shown =
    columns === null ? EXCHANGE_COLUMNS : EXCHANGE_COLUMNS.filter(({ name }) => columns.includes(name));
  const names = shown.map(({ name }) => name);
  if (page.length === 0) return { names, rows: [] };
  const { rows } = await readRows(
    connection,
    `SELECT ${['e.id', selectList(shown)].filter((part) => part !== '').join(', ')} FROM store.exchange_rows e
     WHERE e.id IN (${page.map(({ id }) => id).join(', ')})`,
  );
  const byId = new Map(rows.map(([id, ...values]) => [id as number, values]));
  return { names, rows: page.map(({ id }) => byId.get(id) ?? []) };
}

const NONE: Table = { names: [], rows: [] };

/** `id, sort_key, arrival` of the first rows of a window. */
async function readWindow(
  connection: DuckDBConnection,
  { selection, fromUs, toUs, sort, descending, after, afterId }: ListTask,
  { furtherRows, lastId }: Extent,
  window: Window | null,
  limit: number,
): Promise<Table> {
  const conditions = new Conditions().add('e.of_id IS NULL');
  let from = 'store.exchange_rows e';
  let key = KEYS[sort];
  let arrival = 'e.id';
  if (afterId !== null && furtherRows > 0 && selection.observed.length > 0) {
    const range = sort === 'id' && window !== null ? window : { low: afterId + 1, high: lastId };
    const arrivals = await arrivalsSql(connection, selection.observed, range);
    if (arrivals === null) return NONE;
    from += ` JOIN (${arrivals.text}) a ON a.exchange_id = e.id`;
    conditions.parameters.push(...arrivals.parameters);
    arrival = 'a.arrival';
    if (sort === 'id') key = arrival;
  } else {
    if (afterId !== null) conditions.add('e.id > ?', BigInt(afterId));
    const timed = sort === 'started' ? window : null;
    const begun = later(timed?.low ?? null, fromUs);
    addObserved(conditions, selection.observed, furtherRows > 0, begun, earlier(timed?.high ?? null, toUs));
  }
  if (window !== null) conditions.add(`${key} BETWEEN ? AND ?`, BigInt(window.low), BigInt(window.high));
  if (fromUs !== null) conditions.add('e.started_us >= ?', BigInt(fromUs));
  if (toUs !== null) conditions.add('e.started_us < ?', BigInt(toUs));
  if (after !== null) addAfter(conditions, key, sort, after, descending);
  conditions.add(selection.text, ...selection.parameters);
  const order = descending ? 'DESC' : 'ASC';
  return readRows(
    connection,
    `SELECT e.id, ${key} AS sort_key, ${arrival} AS arrival FROM ${from} WHERE ${conditions.text}
     ORDER BY sort_key ${order} NULLS LAST, e.id ${order} LIMIT ${limit}`,
    conditions.parameters,
  );
}

function later(one: number | null, other: number | null): number | null {
  return one === null || other === null ? (one ?? other) : Math.max(one, other);
}

function earlier(one: number | null, other: number | null): number | null {
  return one === null || other === null ? (one ?? other) : Math.min(one, other);
}

/** Rows behind a position, those without a key last. */
function addAfter(
  conditions: Conditions,
  key: string,
  sort: Sort,
  after: Position,
  descending: boolean,
): void {
  const sign = descending ? '<' : '>';
  const id = BigInt(after.id);
  if (after.key === null) {
    conditions.add(`${key} IS NULL AND e.id ${sign} ?`, id);
  } else {
    const value = Number.isInteger(after.key) && !sort.match(/total|wait/) ? BigInt(after.key) : after.key;
    conditions.add(
      `(${key} ${sign} ? OR (${key} = ? AND e.id ${sign} ?) OR ${key} IS NULL)`,
      value,
      value,
      id,
    );
  }
}
