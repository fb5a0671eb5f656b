import type { ServerClient } from '../../client/server-client.ts';
import { type AnswerRow, answerObject, answerRows, textOf } from './answer.ts';
import { ask, pathWith } from './asking.ts';
import type { Order } from './query-flags.ts';

/** Rows of one request; the server gives no more. */
const PAGE_ROWS = 2000;

export interface ListOptions {
  /** From selectionOf. */
  readonly selection: URLSearchParams;
  readonly order: Order;
  /** Names of the columns that are wanted; left out: all. */
  readonly columns?: readonly string[] | undefined;
  /** Most rows in all. */
  readonly limit: number;
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
}

/**
 * Pages of the list, one after the other, until `limit` rows have come or there are no more.
 *
 * @returns whether there are more rows than `limit`
 * @throws UserError
 */
export async function* pagesOf(
  client: ServerClient,
  { selection, order, columns, limit, signal }: ListOptions,
): AsyncGenerator<readonly AnswerRow[], boolean> {
  let left = limit;
  let cursor: string | null = null;
  while (left > 0) {
    const parameters = new URLSearchParams(selection);
    parameters.set('sort', order.sort);
    parameters.set('order', order.order);
    parameters.set('limit', String(Math.min(left, PAGE_ROWS)));
    if (columns !== undefined) parameters.set('columns', columns.join(','));
    if (cursor !== null) parameters.set('cursor', cursor);
    const answer = await ask(client, 'GET', pathWith('/api/v1/exchanges', parameters), { signal });
    const rows = answerRows(answer, 'exchanges').slice(0, left);
    left -= rows.length;
    const next = textOf(answerObject(answer), 'next');
    if (rows.length > 0) yield rows;
    // A page that brings nothing, or the same cursor again, must not be asked for for ever.
    if (next === null || next === cursor || rows.length === 0) return false;
    cursor = next;
  }
  return cursor !== null;
}
