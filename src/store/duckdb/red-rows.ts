import type { DuckDBConnection } from '@duckdb/node-api';
import type { RedGroup, RedRow } from '../exchange-store.ts';
import { type Cell, readRows } from './row-reading.ts';
import { RED_AGGREGATES, RED_SPAN } from './schema.ts';
import { addObserved, Conditions, observationTimes, type SelectionSql } from './selection-sql.ts';

export interface RedTask {
  readonly selection: SelectionSql;
  readonly fromUs: number | null;
  readonly toUs: number | null;
  readonly by: readonly RedGroup[];
  readonly bucketSeconds: number | null;
  readonly limit: number;
}

/** Columns that decide a group. */
const GROUP_COLUMNS: Readonly<Record<RedGroup, readonly string[]>> = {
  route: ['route'],
  method: ['method'],
  host: ['host'],
  server: ['server', 'server_port'],
  client: ['client'],
  node: ['node'],
  agent: ['agent'],
  status: ['status'],
};

/** Over requests, as the views red_by_…: answers whose request is unknown are no part of it. */
export async function redRows(
  connection: DuckDBConnection,
  task: RedTask,
  { furtherRows }: { readonly furtherRows: number },
): Promise<readonly RedRow[]> {
  const { selection, fromUs, toUs, by, bucketSeconds, limit } = task;
  const groups = [...new Set(by)];
  const columns = groups.flatMap((group) => GROUP_COLUMNS[group]);
  const conditions = new Conditions().add('e.of_id IS NULL').add('e.method IS NOT NULL');
  if (fromUs !== null) conditions.add('e.started_us >= ?', BigInt(fromUs));
  if (toUs !== null) conditions.add('e.started_us < ?', BigInt(toUs));
  conditions.add(selection.text, ...selection.parameters);
  addObserved(conditions, selection.observed, furtherRows > 0, fromUs, toUs);
  const observers = OBSERVERS.filter((group) => groups.includes(group));
  const byObserver = observers.length > 0 && furtherRows > 0;
  const keys = columns.map((name) =>
    byObserver && OBSERVERS.some((group) => group === name) ? `s.${name} AS ${name}` : `e.${name} AS ${name}`,
  );
  if (bucketSeconds !== null) {
    const width = `${Math.round(bucketSeconds * 1e6)}`;
    keys.push(`e.started_us - ((e.started_us % ${width}) + ${width}) % ${width} AS bucket_us`);
  }
  const grouping = keys.length === 0 ? '' : `GROUP BY ${keys.map((_, index) => index + 1).join(', ')}`;
  const ties = keys.map((_, index) => `${index + 1} NULLS LAST`);
  const seen = byObserver ? `JOIN (${observersSql(observers, fromUs, toUs)}) s ON s.exchange_id = e.id` : '';
  const { rows } = await readRows(
    connection,
    `SELECT ${[...keys, RED_AGGREGATES, RED_SPAN].join(', ')} FROM store.exchange_rows e ${seen} WHERE ${conditions.text} ${grouping}
     HAVING count(*) > 0 ORDER BY ${['requests DESC', ...ties].join(', ')} LIMIT ${limit}`,
    conditions.parameters,
  );
  return rows.map((row) => redRow(row, task, groups, columns));
}

/** Groups that an exchange is in several of: whoever observed it. */
const OBSERVERS = ['node', 'agent'] as const;

/** One row for each exchange and observer; with two agents on one node the node counts once. */
function observersSql(observers: readonly RedGroup[], fromUs: number | null, toUs: number | null): string {
  return `SELECT DISTINCT coalesce(e.of_id, e.id) AS exchange_id, ${observers.map((name) => `e.${name}`).join(', ')}
    FROM store.exchange_rows e WHERE ${observationTimes(fromUs, toUs)}`;
}

function redRow(
  row: Cell[],
  { fromUs, toUs, bucketSeconds }: RedTask,
  groups: readonly RedGroup[],
  columns: readonly string[],
): RedRow {
  const value = (name: string): string | number | null =>
    row[columns.indexOf(name)] as string | number | null;
  const group: Partial<Record<RedGroup, string | number | null>> = {};
  for (const name of groups) {
    group[name] = name === 'server' ? endpointText(value('server'), value('server_port')) : value(name);
  }
  const hasBucket = bucketSeconds !== null;
  const measures = row.slice(columns.length + (hasBucket ? 1 : 0));
  const [requests, clientErrors, serverErrors, unanswered] = measures as number[];
  const percentiles = measures[4] as readonly (number | null)[] | null;
  const [maxMs, firstUs, lastUs] = measures.slice(5) as [number | null, number, number];
  const spanUs = hasBucket ? bucketSeconds * 1e6 : (toUs ?? lastUs) - (fromUs ?? firstUs);
  return {
    group,
    bucketUs: hasBucket ? (row[columns.length] as number) : null,
    requests,
    requestsPerS: spanUs > 0 ? requests / (spanUs / 1e6) : null,
    clientErrors,
    serverErrors,
    unanswered,
    errorRatio: (serverErrors + unanswered) / requests,
    p50Ms: percentiles?.[0] ?? null,
    p90Ms: percentiles?.[1] ?? null,
    p99Ms: percentiles?.[2] ?? null,
    maxMs,
  };
}

/** A server is an address and a port. */
function endpointText(address: string | number | null, port: string | number | null): string {
  return String(address).includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}
