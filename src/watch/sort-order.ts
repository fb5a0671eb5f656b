import type { Exchange } from '../model/exchange.ts';
import { startNs, waitNs } from '../model/phases.ts';
import { waitedNs } from '../report/why.ts';
import { slownessNs } from './kept-exchanges.ts';

export const COLUMN_NAMES = [
  'time', 'method', 'status', 'total', 'wait', 'bytes', 'client', 'server', 'request',
] as const; // biome-ignore format: the number keys, in order
/** A column that can be sorted by; its number key is its place in COLUMN_NAMES, from 1. */
export type ColumnName = (typeof COLUMN_NAMES)[number];

export interface SortOrder {
  readonly column: ColumnName;
  readonly descending: boolean;
}

/** What is looked for first: the newest, the slowest, the worst; texts from A to Z. */
export function naturalOrder(column: ColumnName): SortOrder {
  return { column, descending: !(column in TEXTS) };
}

/** Bytes of the response as seen: head and body; -1 without a response. */
export function responseBytes({ response }: Exchange): number {
  return response === null ? -1 : response.headerBytes + response.bodyBytes;
}

/** Time to the first byte of the answer; for a request without one how long it was seen waiting; -1: not known. */
export function waitingNs(exchange: Exchange): number {
  return waitNs(exchange) ?? (exchange.response === null ? waitedNs(exchange, null) : null) ?? -1;
}

const NUMBERS: Partial<Record<ColumnName, (exchange: Exchange) => number>> = {
  time: startNs,
  // No answer is worse than any answer.
  status: ({ response }) => (response === null ? 1000 : (response.status ?? 0)),
  total: slownessNs,
  wait: waitingNs,
  bytes: responseBytes,
};

const TEXTS: Partial<Record<ColumnName, (exchange: Exchange) => string>> = {
  method: ({ request }) => request?.method ?? '',
  client: ({ client }) => client.text,
  server: ({ server }) => server.text,
  request: ({ request }) => (request === null ? '' : (request.host ?? '') + request.target),
};

/** The same exchanges in another order; equal ones stay in the order given. */
export function sorted(exchanges: readonly Exchange[], { column, descending }: SortOrder): Exchange[] {
  const sign = descending ? -1 : 1;
  const order = exchanges.map((_, index) => index);
  const number = NUMBERS[column];
  if (number !== undefined) {
    const keys = Float64Array.from(exchanges, number);
    order.sort((a, b) => sign * (keys[a] - keys[b]) || a - b);
  } else {
    const keys = exchanges.map(TEXTS[column] as (exchange: Exchange) => string);
    order.sort((a, b) => (keys[a] < keys[b] ? -sign : keys[a] > keys[b] ? sign : a - b));
  }
  return order.map((index) => exchanges[index]);
}
