import type { DuckDBConnection } from '@duckdb/node-api';
import type { Sort } from '../exchange-store.ts';
import type { Position } from './cursor.ts';
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

/** What is known of the table without asking it. */
export interface Extent {
  readonly rows: number;
  readonly lastId: number;
  readonly oldestUs: number | null;
  readonly newestUs: number | null;
}

export interface ListedRows {
  readonly names: readonly string[];
  readonly rows: readonly Cell[][];
  /** Where the page ended; null: there are no more. */
  readonly next: Position | null;
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

/** Rows that the first window should hold, if they lie evenly; each further window is so many times as wide. */
const FIRST_WINDOW_ROWS = 60_000;
const WINDOW_GROWTH = 8;

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
  // Both steps see the same rows.
  await connection.run('BEGIN TRANSACTION READ ONLY');
  try {
    const found = await findRows(connection, task, extent);
    const page = found.slice(0, task.limit);
    const { names, rows } = await readPage(connection, task.columns, page);
    return { names, rows, next: found.length > task.limit ? (page.at(-1) ?? null) : null };
  } finally {
    await connection.run('ROLLBACK').catch(() => {});
  }
}

/** Where the rows of the page stand, and one more if there is one. */
async function findRows(connection: DuckDBConnection, task: ListTask, extent: Extent): Promise<Position[]> {
  const found: Position[] = [];
  const wanted = task.limit + 1;
  for (const window of windows(task, extent)) {
    const { rows } = await readWindow(connection, task, window, wanted - found.length);
    for (const [id, key] of rows) found.push({ id: id as number, key: key as number | null });
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

async function readWindow(
  connection: DuckDBConnection,
  { selection, fromUs, toUs, sort, descending, after, afterId }: ListTask,
  window: Window | null,
  limit: number,
): Promise<Table> {
  const key = KEYS[sort];
  const conditions = new Conditions();
  if (window !== null) conditions.add(`${key} BETWEEN ? AND ?`, BigInt(window.low), BigInt(window.high));
  if (fromUs !== null) conditions.add('e.started_us >= ?', BigInt(fromUs));
  if (toUs !== null) conditions.add('e.started_us < ?', BigInt(toUs));
  if (afterId !== null) conditions.add('e.id > ?', BigInt(afterId));
  if (after !== null) addAfter(conditions, key, sort, after, descending);
  conditions.add(selection.text, ...selection.parameters);
  const timed = sort === 'started' ? window : null;
  addObserved(conditions, selection, later(timed?.low ?? null, fromUs), earlier(timed?.high ?? null, toUs));
  const order = descending ? 'DESC' : 'ASC';
  return readRows(
    connection,
    `SELECT e.id, ${key} AS sort_key FROM store.exchange_rows e WHERE ${conditions.text}
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
  if (sort === 'id') {
    conditions.add(`e.id ${sign} ?`, id);
  } else if (after.key === null) {
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

interface Window {
  readonly low: number;
  readonly high: number;
}

/** Windows of the sort key in the order of the page; a single null: one window that holds everything. */
function* windows(task: ListTask, extent: Extent): Generator<Window | null> {
  const bounds = boundsOf(task, extent);
  if (bounds === 'none') return;
  if (bounds === null) {
    yield null;
    return;
  }
  const { low, high } = bounds;
  let width = Math.max(1, Math.ceil(((high - low + 1) * FIRST_WINDOW_ROWS) / Math.max(1, extent.rows)));
  if (task.descending) {
    for (let top = high; top >= low; width *= WINDOW_GROWTH) {
      const bottom = Math.max(low, top - width + 1);
      yield { low: bottom, high: top };
      top = bottom - 1;
    }
  } else {
    for (let bottom = low; bottom <= high; width *= WINDOW_GROWTH) {
      const top = Math.min(high, bottom + width - 1);
      yield { low: bottom, high: top };
      bottom = top + 1;
    }
  }
}

function boundsOf(task: ListTask, { rows, lastId, oldestUs, newestUs }: Extent): Window | null | 'none' {
  if (rows === 0 || oldestUs === null || newestUs === null) return 'none';
  const { sort, descending, after, afterId, fromUs, toUs } = task;
  let low: number;
  let high: number;
  if (sort === 'id') {
    low = Math.max(1, (afterId ?? 0) + 1);
    high = lastId;
    if (after !== null && descending) high = Math.min(high, after.id);
    if (after !== null && !descending) low = Math.max(low, after.id);
  } else if (sort === 'started') {
    // Behind a row id there is little: no windows are needed to find it.
    if (afterId !== null) return null;
    low = Math.max(oldestUs, fromUs ?? oldestUs);
    high = Math.min(newestUs, toUs === null ? newestUs : toUs - 1);
    const key = after?.key ?? null;
    if (key !== null && descending) high = Math.min(high, key);
    if (key !== null && !descending) low = Math.max(low, key);
  } else return null;
  return low > high ? 'none' : { low, high };
}
