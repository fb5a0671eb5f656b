import { ANOMALIES } from '../../model/anomaly.ts';
import { EXCHANGE_COLUMNS, OBSERVATION_COLUMNS, STORED_COLUMNS, selectList } from './storage-columns.ts';

/** Tables and relations of a server's database. Tables are in the schema `store`, relations for people in `main`. */

/** Raised when a file that an older version wrote can no longer be read by adding columns. */
export const SCHEMA_VERSION = 1;

export const TABLES: readonly string[] = [
  'CREATE SCHEMA IF NOT EXISTS store',
  'CREATE TABLE IF NOT EXISTS store.meta (name VARCHAR, value BIGINT)',
  `CREATE TABLE IF NOT EXISTS store.exchange_rows (${STORED_COLUMNS.map(({ name, type }) => `${name} ${type}`).join(', ')})`,
  'CREATE TABLE IF NOT EXISTS store.batch_ranges (stream VARCHAR, first_number BIGINT, last_number BIGINT, received_us BIGINT)',
  `CREATE TABLE IF NOT EXISTS store.agent_reports (agent VARCHAR, node VARCHAR, pod VARCHAR, namespace VARCHAR,
     version VARCHAR, started_us BIGINT, interfaces VARCHAR, packets BIGINT, packets_dropped BIGINT, exchanges BIGINT,
     exchanges_sent BIGINT, exchanges_dropped BIGINT, backlog_batches BIGINT, backlog_bytes BIGINT, rss_bytes BIGINT,
     cpu_seconds DOUBLE, problem VARCHAR, first_seen_us BIGINT, last_seen_us BIGINT)`,
];

const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** Columns of RED, over requests; percentiles by nearest rank over those that have a total. */
export const RED_AGGREGATES = `count(*) AS requests,
  count(*) FILTER (e.status BETWEEN 400 AND 499) AS client_errors,
  count(*) FILTER (e.status BETWEEN 500 AND 599) AS server_errors,
  count(*) - count(e.status) AS unanswered,
  quantile_disc(e.total_ms, [0.5, 0.9, 0.99]) AS percentiles,
  max(e.total_ms) AS max_ms`;

/** Of all groups together, µs; behind RED_AGGREGATES, in the same SELECT. */
export const RED_SPAN =
  'min(min(e.started_us)) OVER () AS first_us, max(max(e.started_us)) OVER () AS last_us';

function redView(name: string, keys: string): string {
  return `CREATE OR REPLACE VIEW main.${name} AS
SELECT ${keys}, requests, requests / nullif((last_us - first_us) / 1e6, 0) AS requests_per_s, client_errors, server_errors,
  unanswered, (server_errors + unanswered) / requests AS error_ratio, percentiles[1] AS p50_ms, percentiles[2] AS p90_ms,
  percentiles[3] AS p99_ms, max_ms
FROM (SELECT ${keys}, ${RED_AGGREGATES}, ${RED_SPAN} FROM store.exchange_rows e WHERE e.of_id IS NULL AND e.method IS NOT NULL GROUP BY ${keys})
ORDER BY requests DESC, ${keys}`;
}

/** Rows in `slowest`, as in a SQLite file. */
const SLOWEST_ROWS = 1000;

/** Name and SQL of each relation that people may read. */
const RELATION_SQL: Readonly<Record<string, string>> = {
  exchanges: `SELECT ${selectList(EXCHANGE_COLUMNS)} FROM store.exchange_rows e WHERE e.of_id IS NULL`,
  observations: `SELECT ${selectList(OBSERVATION_COLUMNS)} FROM store.exchange_rows e`,
  slowest: `SELECT * FROM main.exchanges WHERE total_ms IS NOT NULL ORDER BY total_ms DESC, id LIMIT ${SLOWEST_ROWS}`,
  unanswered: 'SELECT * FROM main.exchanges WHERE status IS NULL ORDER BY started_us, started_ns, id',
  anomalies: `SELECT e.id AS exchange_id, unnest(from_json(e.anomalies, '["VARCHAR"]')) AS code
    FROM store.exchange_rows e WHERE e.anomalies IS NOT NULL AND e.of_id IS NULL`,
  anomaly_codes: `SELECT * FROM (VALUES ${Object.entries(ANOMALIES)
    .map(([code, meaning]) => `(${quoted(code)}, ${quoted(meaning)})`)
    .join(', ')}) AS codes(code, meaning)`,
  anomalies_explained:
    'SELECT a.exchange_id, a.code, m.meaning FROM main.anomalies a LEFT JOIN main.anomaly_codes m ON m.code = a.code',
  agents: 'SELECT * FROM store.agent_reports',
  batches: 'SELECT stream, first_number, last_number, received_us FROM store.batch_ranges',
};

export const VIEWS: readonly string[] = [
  ...Object.entries(RELATION_SQL).map(([name, sql]) => `CREATE OR REPLACE VIEW main.${name} AS ${sql}`),
  redView('red_by_server', 'server, server_port'),
  redView('red_by_route', 'method, host, route'),
];

/** What SQL of people may read. */
export const RELATIONS: readonly string[] = [...Object.keys(RELATION_SQL), 'red_by_server', 'red_by_route'];
