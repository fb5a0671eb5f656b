import type { ListTask } from './list-rows.ts';

/** What is known of the table without asking it. */
export interface Extent {
  /** All rows, and those of them that are further observations of an exchange. */
  readonly rows: number;
  readonly furtherRows: number;
  readonly lastId: number;
  readonly oldestUs: number | null;
  readonly newestUs: number | null;
}

/** Of the sort key, both ends included. */
export interface Window {
  readonly low: number;
  readonly high: number;
}

/** Rows that the first window should hold, if they lie evenly; each further window is so many times as wide. */
const FIRST_WINDOW_ROWS = 60_000;
/** The same where an address, agent or node is asked for: rows of others cost little, a second query costs more. */
const FIRST_WINDOW_ROWS_OF_SOME = 480_000;
/** The same where every row belongs to the page, as a multiple of the page. */
const FIRST_WINDOW_PAGES_OF_ALL = 8;
const WINDOW_GROWTH = 8;

/** Windows of the sort key in the order of the page; a single null: one window that holds everything. */
export function* windows(task: ListTask, extent: Extent): Generator<Window | null> {
  const bounds = boundsOf(task, extent);
  if (bounds === 'none') return;
  if (bounds === null) {
    yield null;
    return;
  }
  const { low, high } = bounds;
  let width = Math.max(1, Math.ceil(keysPerRow(task, extent) * firstWindowRows(task)));
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

function firstWindowRows({ selection, limit }: ListTask): number {
  if (selection.observed.length > 0) return FIRST_WINDOW_ROWS_OF_SOME;
  return selection.selectsAll ? FIRST_WINDOW_PAGES_OF_ALL * limit : FIRST_WINDOW_ROWS;
}

/** Of all rows: how far apart they lie, also where the page is looked for in a part of them. */
function keysPerRow({ sort }: ListTask, { rows, oldestUs, newestUs }: Extent): number {
  if (sort === 'id' || oldestUs === null || newestUs === null) return 1;
  return (newestUs - oldestUs + 1) / Math.max(1, rows);
}

function boundsOf(task: ListTask, { rows, lastId, oldestUs, newestUs }: Extent): Window | null | 'none' {
  if (rows === 0 || oldestUs === null || newestUs === null) return 'none';
  const { sort, descending, after, afterId, fromUs, toUs } = task;
  let low: number;
  let high: number;
  if (sort === 'id') {
    low = Math.max(1, (afterId ?? 0) + 1);
    high = lastId;
    const key = after?.key ?? null;
    if (key !== null && descending) high = Math.min(high, key);
    if (key !== null && !descending) low = Math.max(low, key);
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
