import type { DuckDBConnection } from '@duckdb/node-api';
import type { DuckDbParameter } from '../../filter/duckdb-sql.ts';
import type { Sort } from '../exchange-store.ts';
import { arrivalsSql } from './arrivals.ts';
import type { Position } from './cursor.ts';
import type { FilledColumns } from './filled-columns.ts';
import { type Extent, type Window, windows } from './page-windows.ts';
import { readPage } from './read-page.ts';
import { type Cell, readRows, type Table } from './row-reading.ts';
import { addObserved, Conditions, observationTimes, type SelectionSql, type Sql } from './selection-sql.ts';

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
export interface Found extends Position {
  readonly arrival: number;
  /** Which part of the first condition on observations its own row fulfils; null: not known, or none. */
  readonly part: number | null;
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
  filled: FilledColumns,
): Promise<ListedRows> {
  // All steps see the same rows.
  await connection.run('BEGIN TRANSACTION READ ONLY');
  try {
    const found = await findRows(connection, task, extent);
    const page = found.slice(0, task.limit);
    const { names, rows } = await readPage(connection, task, KEYS[task.sort], page, filled);
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
    for (const [id, key, arrival, part] of rows as (number | null)[][])
      found.push({ id: id as number, key, arrival: arrival as number, part });
    if (found.length >= wanted) break;
  }
  return found;
}

const NONE: Table = { names: [], rows: [] };

/** `id, sort_key, arrival, part` of the first rows of a window. */
async function readWindow(
  connection: DuckDBConnection,
  task: ListTask,
  extent: Extent,
  window: Window | null,
  limit: number,
): Promise<Table> {
  const { selection, descending, afterId } = task;
  const candidates =
    afterId !== null && extent.furtherRows > 0 && selection.observed.length > 0
      ? await arriving(connection, task, extent, window, afterId)
      : fulfilling(task, extent, window);
  if (candidates === null) return NONE;
  const order = descending ? 'DESC' : 'ASC';
  return readRows(
    connection,
    `${candidates.text} ORDER BY sort_key ${order} NULLS LAST, id ${order} LIMIT ${limit}`,
    candidates.parameters,
  );
}

/** For followers, where an observation may make an exchange fulfil what is asked long after its own row came. */
async function arriving(
  connection: DuckDBConnection,
  task: ListTask,
  { lastId }: Extent,
  window: Window | null,
  afterId: number,
): Promise<Sql | null> {
  const { sort, selection } = task;
  const range = sort === 'id' && window !== null ? window : { low: afterId + 1, high: lastId };
  const arrivals = await arrivalsSql(connection, selection.observed, range);
  if (arrivals === null) return null;
  const key = sort === 'id' ? 'a.arrival' : KEYS[sort];
  const conditions = new Conditions();
  addOwn(conditions, task, key, window);
  return {
    text: `SELECT e.id AS id, ${key} AS sort_key, a.arrival AS arrival, NULL AS part
      FROM store.exchange_rows e JOIN (${arrivals.text}) a ON a.exchange_id = e.id WHERE ${conditions.text}`,
    parameters: [...arrivals.parameters, ...conditions.parameters],
  };
}

/**
 * One SELECT for each part of the first condition on observations that an exchange's own row can fulfil, and one for
 * exchanges that only a further observation makes fulfil it.
 */
function fulfilling(task: ListTask, { furtherRows }: Extent, window: Window | null): Sql {
  const { selection, fromUs, toUs, sort, afterId } = task;
  const [first, ...others] = selection.observed;
  const timed = sort === 'started' ? window : null;
  const [begunUs, endedUs] = [later(timed?.low ?? null, fromUs), earlier(timed?.high ?? null, toUs)];
  const selects: string[] = [];
  const parameters: DuckDbParameter[] = [];
  const select = (part: number | null, narrow: (conditions: Conditions) => void): void => {
    const conditions = new Conditions();
    narrow(conditions);
    addOwn(conditions, task, KEYS[sort], window);
    if (afterId !== null) conditions.add('e.id > ?', BigInt(afterId));
    addObserved(conditions, others, furtherRows > 0, begunUs, endedUs);
    selects.push(
      `SELECT e.id AS id, ${KEYS[sort]} AS sort_key, e.id AS arrival, ${part ?? 'NULL'} AS part
       FROM store.exchange_rows e WHERE ${conditions.text}`,
    );
    parameters.push(...conditions.parameters);
  };
  if (first === undefined) select(null, () => {});
  else {
    first.parts.forEach((text, part) => {
      select(part, (conditions) => conditions.add(text, ...first.parameters));
    });
    if (furtherRows > 0)
      select(null, (conditions) => {
        const when = observationTimes(begunUs, endedUs);
        const ids = first.parts.map(
          (part) =>
            `SELECT e.of_id FROM store.exchange_rows e WHERE e.of_id IS NOT NULL AND ${part} AND ${when}`,
        );
        conditions.add(
          `e.id IN (${ids.join(' UNION ALL ')})`,
          ...first.parts.flatMap(() => first.parameters),
        );
        conditions.add(`(${first.text}) IS NOT TRUE`, ...first.parameters);
      });
  }
  return { text: selects.join(' UNION ALL '), parameters };
}

/** What the exchange itself must fulfil. */
function addOwn(
  conditions: Conditions,
  { selection, fromUs, toUs, sort, descending, after }: ListTask,
  key: string,
  window: Window | null,
): void {
  conditions.add('e.of_id IS NULL');
  if (window !== null) conditions.add(`${key} BETWEEN ? AND ?`, BigInt(window.low), BigInt(window.high));
  if (fromUs !== null) conditions.add('e.started_us >= ?', BigInt(fromUs));
  if (toUs !== null) conditions.add('e.started_us < ?', BigInt(toUs));
  if (after !== null) addAfter(conditions, key, sort, after, descending);
  conditions.add(selection.text, ...selection.parameters);
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
