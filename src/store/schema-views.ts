import { ENDINGS, OUTCOMES, PAIRINGS } from './words.ts';

/** The views of the SQLite file: what people query. */

export interface ViewColumn {
  readonly name: string;
  /** SQL; left out in views whose text is written whole. */
  readonly sql?: string;
  readonly type: string;
  readonly about: string;
}

export interface View {
  readonly name: string;
  readonly about: string;
  readonly columns: readonly ViewColumn[];
  /** What comes after CREATE VIEW name AS. */
  readonly sql: string;
}

const column = (name: string, type: string, sql: string, about: string): ViewColumn => ({
  name,
  type,
  sql,
  about,
});
const stored = (name: string, type: string, about: string): ViewColumn =>
  column(name, type, `e.${name}`, about);
const milliseconds = (name: string, about: string): ViewColumn =>
  column(`${name}_ms`, 'REAL', `e.${name}_ns / 1e6`, about);

/** End of sending after the request's first byte; an early answer ends it, and so does one to a request without end. */
const SEND_END =
  'min(coalesce(e.request_span_ns, e.response_offset_ns), coalesce(e.response_offset_ns, e.request_span_ns))';

const EXCHANGE_COLUMNS: readonly ViewColumn[] = [
  stored('id', 'INTEGER', '1-based, in the order in which exchanges came to their end'),
  column('started', 'TEXT', `strftime('%Y-%m-%dT%H:%M:%S', e.started_us / 1000000, 'unixepoch') || printf('.%06dZ', e.started_us % 1000000)`, 'started_us as RFC 3339 in UTC, to read; filter by started_us'),
  stored('started_us', 'INTEGER', "request's first byte (response's for orphans), Unix time in µs, rounded down"),
  stored('started_ns', 'INTEGER', 'nanoseconds beyond started_us, 0 to 999; 0 in captures with µs'),
  stored('connection_id', 'INTEGER', 'connections.id'),
  stored('position', 'INTEGER', '1-based position on the connection, in the order of the requests'),
  column('client', 'TEXT', 'CASE WHEN e.reversed THEN c.server ELSE c.client END', 'address of who sent the request'),
  column('client_port', 'INTEGER', 'CASE WHEN e.reversed THEN c.server_port ELSE c.client_port END', 'TCP port'),
  column('server', 'TEXT', 'CASE WHEN e.reversed THEN c.client ELSE c.server END', 'address of who answers it'),
  column('server_port', 'INTEGER', 'CASE WHEN e.reversed THEN c.client_port ELSE c.server_port END', 'TCP port'),
  column('method', 'TEXT', 'method.text', 'as sent; NULL: the request is unknown'),
  column('host', 'TEXT', 'h.host', 'Host field as sent; NULL: none'),
  column('target', 'TEXT', 't.target', 'request target as sent, secrets in its query masked'),
  column('path', 'TEXT', 'coalesce(t.path, t.target)', 'target without scheme, authority and query'),
  column('route', 'TEXT', 'coalesce(t.route, t.path, t.target)', 'template of the path, guessed: /users/{id}'),
  column('http_version', 'TEXT', 'coalesce(request_version.text, response_version.text)', "the request's: 1.1, 1.0, 0.9; the response's for orphans"),
  column('response_http_version', 'TEXT', 'response_version.text', "the response's"),
  stored('status', 'INTEGER', 'status code; NULL: no response'),
  column('reason', 'TEXT', 'reason.text', 'reason phrase as sent; NULL: no response'),
  stored('outcome', 'TEXT', OUTCOMES.join(', ')),
  stored('ending', 'TEXT', `why it is not complete: ${ENDINGS.join(', ')}; NULL when it is`),
  stored('pairing', 'TEXT', `how sure it is that response and request belong together: ${PAIRINGS.join(', ')}`),
  milliseconds('connect', "SYN to the client's ACK; only on a connection's first exchange"),
  column('send_ms', 'REAL', `max(0, ${SEND_END}) / 1e6`, "request's first byte to its last; an early answer ends it"),
  column('wait_ms', 'REAL', `max(0, e.response_offset_ns - ${SEND_END}) / 1e6`, "end of the request to the response's first byte"),
  column('receive_ms', 'REAL', 'max(0, e.response_span_ns) / 1e6', "response's first byte to its last"),
  milliseconds('total', "request's first byte to the response's last; the handshake is not part of it"),
  stored('request_header_bytes', 'INTEGER', 'start line and header section with its empty line, as sent; NULL: no request'),
  stored('request_body_bytes', 'INTEGER', 'body on the wire, chunk framing included'),
  stored('response_header_bytes', 'INTEGER', 'start line and header section with its empty line, as sent; NULL: no response'),
  stored('response_body_bytes', 'INTEGER', 'body on the wire, chunk framing included'),
  column('request_media_type', 'TEXT', 'request_media_type.text', 'Content-Type without parameters; NULL: none'),
  column('response_media_type', 'TEXT', 'response_media_type.text', 'Content-Type without parameters; NULL: none'),
  column('user_agent', 'TEXT', 'user_agent.text', 'as sent; NULL: none'),
  column('request_headers', 'TEXT', 'request_headers.text', 'JSON array of [name, value], allow-listed fields in the order sent; NULL: none'),
  column('response_headers', 'TEXT', 'response_headers.text', 'JSON array of [name, value], allow-listed fields in the order sent; NULL: none'),
  column('interim', 'TEXT', 'interim.text', 'JSON array of the 1xx responses before the final one: {"status", "after_ns"}, ns since started; NULL: none'),
  stored('request_capture', 'INTEGER', 'captures.id of request_packet; NULL: no request'),
  stored('request_packet', 'INTEGER', "packet number of the request's first byte, as Wireshark counts"),
  stored('response_capture', 'INTEGER', 'captures.id of response_packet; NULL: no response'),
  stored('response_packet', 'INTEGER', "packet number of the response's first byte, as Wireshark counts"),
  stored('request_lost_bytes', 'INTEGER', 'bytes of the request that the capture does not hold'),
  stored('response_lost_bytes', 'INTEGER', 'bytes of the response that the capture does not hold'),
  stored('request_retransmissions', 'INTEGER', "segments from the client sent again between the exchange's first and last byte"),
  stored('response_retransmissions', 'INTEGER', 'the same from the server'),
  stored('request_out_of_order', 'INTEGER', 'segments from the client that came out of order'),
  stored('response_out_of_order', 'INTEGER', 'the same from the server'),
  stored('client_zero_windows', 'INTEGER', 'times the client said that its receive window is closed'),
  stored('server_zero_windows', 'INTEGER', 'the same from the server'),
  stored('anomaly_count', 'INTEGER', 'rows in anomalies'),
  column('places', 'INTEGER', 'coalesce(json_array_length(sightings.text), 1)', 'places at which it was seen; the view sightings has them'),
  column('uid', 'TEXT', "CASE WHEN e.uid_high + e.uid_low >= 0 THEN printf('%08x%08x', e.uid_high, e.uid_low) END", '16 hexadecimal digits made of TCP sequence numbers: the same wherever this exchange was seen; NULL: not known'),
]; // biome-ignore format: a table

const STRING_JOINS = ['method', 'request_version', 'response_version', 'reason', 'request_media_type', 'response_media_type', 'user_agent', 'request_headers', 'response_headers', 'interim', 'sightings']; // biome-ignore format: a list

function exchangesSql(): string {
  const fields = EXCHANGE_COLUMNS.map(
    (one) => `  ${one.sql === `e.${one.name}` ? one.sql : `${one.sql} AS ${one.name}`}`,
  );
  const joins = STRING_JOINS.map((name) => `  LEFT JOIN strings ${name} ON ${name}.id = e.${name}_id`);
  return [
    'SELECT',
    fields.join(',\n'),
    'FROM exchange_rows e',
    '  LEFT JOIN connections c ON c.id = e.connection_id',
    '  LEFT JOIN hosts h ON h.id = e.host_id',
    '  LEFT JOIN targets t ON t.id = e.target_id',
    ...joins,
  ].join('\n');
}

/**
 * RED of groups, over requests (orphan responses have none). Percentiles are by nearest rank over the requests
 * that have a total: the ceil(p·n/100)-th smallest of n, a duration that was measured.
 *
 * Groups are numbered first and the many rows sorted by number: four times as quick as sorting by text.
 * `ids` are the columns of exchange_rows that decide the group, `names` what the group is called.
 */
function redSql(ids: readonly string[], names: Readonly<Record<string, string>>, joins: string): string {
  const known = (id: string): string => `coalesce(e.${id}, 0)`;
  const keys = Object.keys(names);
  const texts = Object.entries(names).map(([name, sql]) => `${sql} AS ${name}`);
  const rank = (percent: number): string =>
    `max(CASE WHEN r.place - c.before = (c.timed * ${percent} + 99) / 100 THEN r.total_ns END) / 1e6`;
  return `WITH shapes AS MATERIALIZED (
  SELECT DISTINCT ${ids.map((id) => `${known(id)} AS ${id}`).join(', ')} FROM exchange_rows e WHERE e.method_id IS NOT NULL
), named AS MATERIALIZED (
  SELECT ${ids.map((id) => `s.${id}`).join(', ')}, ${texts.join(', ')},
    dense_rank() OVER (ORDER BY ${Object.values(names).join(', ')}) AS number
  FROM shapes s ${joins}
), one AS MATERIALIZED (
  SELECT n.number, e.total_ns, e.started_us, e.status
  FROM exchange_rows e JOIN named n ON ${ids.map((id) => `n.${id} = ${known(id)}`).join(' AND ')}
  WHERE e.method_id IS NOT NULL
), counts AS (
  SELECT number, count(*) AS requests, count(total_ns) AS timed,
    count(CASE WHEN status BETWEEN 400 AND 499 THEN 1 END) AS client_errors,
    count(CASE WHEN status BETWEEN 500 AND 599 THEN 1 END) AS server_errors,
    count(*) - count(status) AS unanswered,
    (SELECT max(started_us) - min(started_us) FROM one) / 1e6 AS span_s
  FROM one GROUP BY number
), counted AS MATERIALIZED (
  SELECT *, sum(timed) OVER (ORDER BY number) - timed AS before FROM counts
), ranked AS (
  SELECT number, total_ns, row_number() OVER (ORDER BY number, total_ns) AS place FROM one WHERE total_ns IS NOT NULL
), percentiles AS (
  SELECT c.number, ${rank(50)} AS p50_ms, ${rank(90)} AS p90_ms, ${rank(99)} AS p99_ms, max(r.total_ns) / 1e6 AS max_ms
  FROM ranked r JOIN counted c ON c.number = r.number GROUP BY c.number
), called AS (
  SELECT DISTINCT number, ${keys.join(', ')} FROM named
)
SELECT ${keys.join(', ')}, requests, requests / nullif(span_s, 0) AS requests_per_s, client_errors, server_errors, unanswered,
  (server_errors + unanswered) * 1.0 / requests AS error_ratio, p50_ms, p90_ms, p99_ms, max_ms
FROM counted JOIN called USING (number) LEFT JOIN percentiles USING (number)
ORDER BY requests DESC, number`;
}

const plain = (name: string, type: string, about: string): ViewColumn => ({ name, type, about });
const RED_COLUMNS: readonly ViewColumn[] = [
  plain('requests', 'INTEGER', 'requests seen'),
  plain(
    'requests_per_s',
    'REAL',
    'rate between the first and the last request of all groups, so that rates add up; NULL when all began together',
  ),
  plain('client_errors', 'INTEGER', 'status 400 to 499'),
  plain('server_errors', 'INTEGER', 'status 500 to 599'),
  plain('unanswered', 'INTEGER', 'no response at all'),
  plain('error_ratio', 'REAL', '(server_errors + unanswered) / requests, 0 to 1'),
  plain('p50_ms', 'REAL', 'median of total_ms, by nearest rank; NULL: no request of the group has a total'),
  plain('p90_ms', 'REAL', '90th percentile of total_ms'),
  plain('p99_ms', 'REAL', '99th percentile of total_ms'),
  plain('max_ms', 'REAL', 'longest total_ms'),
];

/** Rows in `slowest`. */
const SLOWEST_ROWS = 1000;

export const VIEWS: readonly View[] = [
  {
    name: 'exchanges',
    about: 'One row per exchange, with readable text: the relation that most questions are asked of.',
    columns: EXCHANGE_COLUMNS,
    sql: exchangesSql(),
  },
  {
    name: 'red_by_server',
    about: 'Rate, errors, duration by server address and port.',
    columns: [
      plain('server', 'TEXT', 'address'),
      plain('server_port', 'INTEGER', 'TCP port'),
      ...RED_COLUMNS,
    ],
    sql: redSql(
      ['connection_id', 'reversed'],
      {
        server: 'CASE WHEN s.reversed THEN c.client ELSE c.server END',
        server_port: 'CASE WHEN s.reversed THEN c.client_port ELSE c.server_port END',
      },
      'LEFT JOIN connections c ON c.id = s.connection_id',
    ),
  },
  {
    name: 'red_by_route',
    about: 'Rate, errors, duration by method, host and route.',
    columns: [
      plain('method', 'TEXT', 'as sent'),
      plain('host', 'TEXT', 'Host field'),
      plain('route', 'TEXT', 'template of the path'),
      ...RED_COLUMNS,
    ],
    sql: redSql(
      ['method_id', 'host_id', 'target_id'],
      { method: 'm.text', host: 'h.host', route: 'coalesce(t.route, t.path, t.target)' },
      'LEFT JOIN strings m ON m.id = s.method_id LEFT JOIN hosts h ON h.id = s.host_id LEFT JOIN targets t ON t.id = s.target_id',
    ),
  },
  {
    name: 'slowest',
    about: `The ${SLOWEST_ROWS} exchanges with the longest total_ms, longest first; columns as in exchanges.`,
    columns: [],
    sql: `SELECT * FROM exchanges WHERE id IN (
  SELECT id FROM exchange_rows WHERE total_ns IS NOT NULL ORDER BY total_ns DESC, id LIMIT ${SLOWEST_ROWS}
) ORDER BY total_ms DESC, id`,
  },
  {
    name: 'unanswered',
    about:
      'Requests that got no response at all, in the order of their start; columns as in exchanges, ending says why.',
    columns: [],
    sql: `SELECT * FROM exchanges WHERE status IS NULL ORDER BY started_us, started_ns, id`,
  },
  {
    name: 'sightings',
    about:
      'Where and when exchanges were seen that were seen at several places: one row per exchange and place, the own one first.',
    columns: [
      plain('exchange_id', 'INTEGER', 'exchanges.id'),
      plain('connection_id', 'INTEGER', 'connections.id'),
      plain(
        'place',
        'INTEGER',
        'position in connections.places; 0: the own one, by whose clock exchanges are timed',
      ),
      plain('capture', 'INTEGER', 'captures.id'),
      plain('interface', 'INTEGER', 'number in captures.interfaces'),
      plain('interface_name', 'TEXT', 'name of that interface; NULL: the capture does not say'),
      plain(
        'interface_index',
        'INTEGER',
        "the kernel's interface index, where packets carry it (Linux cooked v2)",
      ),
      plain('client', 'TEXT', 'address as seen there'),
      plain('client_port', 'INTEGER', 'TCP port'),
      plain('server', 'TEXT', 'address as seen there'),
      plain('server_port', 'INTEGER', 'TCP port'),
      plain(
        'request_ms',
        'REAL',
        "packet with the request's first byte, after exchanges.started; NULL: not seen there",
      ),
      plain('response_ms', 'REAL', 'the same of the response'),
    ],
    sql: `SELECT e.id AS exchange_id, e.connection_id, s.value ->> 'place' AS place, p.value ->> 'capture' AS capture,
  p.value ->> 'interface' AS interface,
  (SELECT i.value ->> 'name' FROM captures f, json_each(f.interfaces) i
    WHERE f.id = p.value ->> 'capture' AND i.value ->> 'number' = p.value ->> 'interface') AS interface_name,
  p.value ->> 'interface_index' AS interface_index,
  p.value ->> 'client' AS client, p.value ->> 'client_port' AS client_port,
  p.value ->> 'server' AS server, p.value ->> 'server_port' AS server_port,
  (s.value ->> 'request_ns') / 1e6 AS request_ms, (s.value ->> 'response_ns') / 1e6 AS response_ms
FROM exchange_rows e
  JOIN strings t ON t.id = e.sightings_id
  JOIN json_each(t.text) s
  JOIN connections c ON c.id = e.connection_id
  JOIN json_each(c.places) p ON p.key = s.value ->> 'place'
ORDER BY e.id, place`,
  },
  {
    name: 'anomalies_explained',
    about: 'Anomalies with their sentence.',
    columns: [
      plain('exchange_id', 'INTEGER', 'exchanges.id'),
      plain('code', 'TEXT', 'stable name'),
      plain('meaning', 'TEXT', 'one sentence'),
    ],
    sql: 'SELECT a.exchange_id, a.code, m.meaning FROM anomalies a LEFT JOIN anomaly_codes m ON m.code = a.code',
  },
];

export function createViewSql(view: View): string {
  return `CREATE VIEW ${view.name} AS -- ${view.about}\n${view.sql}`;
}
