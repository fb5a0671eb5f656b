import type { DuckDBConnection } from '@duckdb/node-api';
import type { ExchangeDetail, ExchangeRow, Observation, TimeApart } from '../exchange-store.ts';
import { readRows, type Table } from './row-reading.ts';
import { OBSERVATION_COLUMNS, selectList } from './storage-columns.ts';
import { STORE_LIMITS } from './store-limits.ts';

const ROW_ID = /^\d{1,15}$/;
const UID = /^[0-9a-f]{16}$/i;

/** `key`: a row id (also of a further observation) or a uid, of which the newest exchange is taken. */
export async function exchangeDetail(
  connection: DuckDBConnection,
  key: string,
): Promise<ExchangeDetail | null> {
  const id = await exchangeId(connection, key);
  if (id === null) return null;
  const ids = [id, ...(await furtherIds(connection, id))];
  // The range first: a list of ids alone makes DuckDB read every row of the row groups that hold them.
  const table = await readRows(
    connection,
    `SELECT ${selectList(OBSERVATION_COLUMNS)} FROM store.exchange_rows e
     WHERE e.id BETWEEN ${id} AND ${Math.max(...ids)} AND e.id IN (${ids.join(', ')}) ORDER BY e.id`,
  );
  const rows = objects(table);
  const own = rows.find((row) => row.id === id);
  if (own === undefined) return null;
  const { exchange_id: _, ...exchange } = own;
  const observations = nearestClientFirst(rows);
  return { exchange, observations, apart: timeApart(observations) };
}

/** Of the further observations, in the order in which they came; no more than are shown. */
async function furtherIds(connection: DuckDBConnection, id: number): Promise<number[]> {
  const { rows } = await readRows(
    connection,
    `SELECT e.id FROM store.exchange_rows e WHERE e.of_id = ? ORDER BY e.id LIMIT ${STORE_LIMITS.observationsShown - 1}`,
    [BigInt(id)],
  );
  return rows.map(([one]) => one as number);
}

async function exchangeId(connection: DuckDBConnection, key: string): Promise<number | null> {
  if (ROW_ID.test(key)) {
    const { rows } = await readRows(
      connection,
      'SELECT coalesce(of_id, id) FROM store.exchange_rows WHERE id = ?',
      [BigInt(key)],
    );
    return (rows[0]?.[0] as number | undefined) ?? null;
  }
  if (!UID.test(key)) return null;
  const { rows } = await readRows(
    connection,
    `SELECT coalesce(of_id, id) FROM store.exchange_rows WHERE uid = ${BigInt(`0x${key}`)}::UBIGINT ORDER BY id DESC LIMIT 1`,
  );
  return (rows[0]?.[0] as number | undefined) ?? null;
}

export function objects({ names, rows }: Table): ExchangeRow[] {
  return rows.map((row) => Object.fromEntries(names.map((name, index) => [name, row[index]])) as ExchangeRow);
}

/** First byte of the request to first byte of the response, ms; null: one of them was not seen. */
function answerMs(row: ExchangeRow): number | null {
  return typeof row.send_ms === 'number' && typeof row.wait_ms === 'number'
    ? row.send_ms + row.wait_ms
    : null;
}

/** Who is nearer to the client waits longer for the answer. */
export function nearestClientFirst(rows: readonly ExchangeRow[]): Observation[] {
  return [...rows].sort(
    (one, other) => (answerMs(other) ?? -1) - (answerMs(one) ?? -1) || Number(one.id) - Number(other.id),
  );
}

/** Less is what sums of milliseconds are wrong by. */
const NS_IN_MS = 0.5e-6;

/** What both say is one node and one pod. Without a node nothing is known. */
function samePlace(one: Observation, other: Observation): boolean {
  return one.node !== null && one.node === other.node && one.pod === other.pod;
}

/**
 * Between the observation nearest to the client and the one nearest to the server, the two that lie furthest apart in time
 * and are of different places. null: there are none such. Two that waited equally long saw the same packets, or differ by
 * less than their time stamps are exact: between them is no network to be told.
 */
export function timeApart(observations: readonly Observation[]): TimeApart | null {
  const timed = observations.filter((row) => answerMs(row) !== null);
  let widest: TimeApart | null = null;
  timed.forEach((first, index) => {
    for (const last of timed.slice(index + 1)) {
      if (samePlace(first, last)) continue;
      const apart = between(first, last);
      if (apart.networkMs >= NS_IN_MS && apart.networkMs > (widest?.networkMs ?? 0)) widest = apart;
    }
  });
  return widest;
}

function between(first: Observation, last: Observation): TimeApart {
  const clientSideMs = answerMs(first) as number;
  const serverSideMs = answerMs(last) as number;
  // Differences of whole µs first: Unix times in ms with fractions would lose the nanoseconds.
  const beganMs =
    (Number(last.started_us) - Number(first.started_us)) / 1e3 +
    (Number(last.started_ns) - Number(first.started_ns)) / 1e6;
  return {
    clientSideMs,
    serverSideMs,
    networkMs: clientSideMs - serverSideMs,
    clockOffsetMs: beganMs + (serverSideMs - clientSideMs) / 2,
  };
}
