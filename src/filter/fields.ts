import { ANOMALY_NAMES } from '../model/anomaly.ts';
import { type Ending, type Exchange, type Outcome, type Pairing, TUNNEL_KINDS } from '../model/exchange.ts';
import { connectNs, receiveNs, sendNs, startNs, totalNs, waitNs } from '../model/phases.ts';
import type { DuckDbList, Field, FieldType, ListSql } from './field.ts';
import { booleanField, column, durationField, numberField, numbersField, textField, timeField, wordField, wordsField } from './field-kinds.ts'; // biome-ignore format: a list
import { HEADER_WORDS, type HeaderSide, headerField, isHeaderName } from './header-fields.ts';
import { messageFields } from './message-fields.ts';
import { pathOfTarget, routeOfTarget } from './route-memory.ts';

export type { Field, FieldType, FieldValue } from './field.ts';

/** Closed lists; a word that the model gains or loses does not compile here. */
const words = <Word extends string>(of: Record<Word, true>): readonly Word[] => Object.keys(of) as Word[];
const OUTCOMES = words<Outcome>({
  complete: true,
  'no-response': true,
  reset: true,
  truncated: true,
  'orphan-response': true,
});
const ENDINGS = words<Ending>({
  'reset-by-client': true,
  'reset-by-server': true,
  'closed-by-client': true,
  'closed-by-server': true,
  'capture-ended': true,
  'lost-in-capture': true,
  'broken-framing': true,
  evicted: true,
});
const PAIRINGS = words<Pairing>({ exact: true, inferred: true, ambiguous: true });

/** 0 in the SQLite file stands for an answer of HTTP/0.9, which has no status. */
function statusOf({ response }: Exchange): number | null {
  return response === null || response.status === 0 ? null : response.status;
}

/** Server errors and requests without any answer: the errors of the summary and of the views red_by_…. */
function isError({ response }: Exchange): boolean {
  if (response === null) return true;
  const status = response.status ?? 0;
  return status >= 500 && status <= 599;
}

const connectionList = (name: string, element: string, duckdb: DuckDbList): ListSql => ({
  rows: (view) =>
    `json_each((SELECT c.${name} FROM connections c WHERE c.id = ${view}.connection_id)) one WHERE 1`,
  element,
  duckdb,
});

/** The list in a column with JSON, of elements of a type (or of objects with a member of it). */
const jsonList = (name: string, type: 'VARCHAR' | 'BIGINT', member: string | null = null): DuckDbList => ({
  lists: (view) => [
    `from_json(${view}.${name}, '${member === null ? `["${type}"]` : `[{"${member}":"${type}"}]`}')`,
  ],
  element: (item) => (member === null ? item : `${item}.${member}`),
});

/** Every field but those of headers, in the order of the reference. */
export const FIELDS: readonly Field[] = [
  numberField('id', 'number of the exchange, from 1, in the order in which exchanges came to their end', 'id == 17', column('id'), ({ id }) => id, { groupable: false }),
  timeField('time', "when the first byte of the request was captured (of the response, when the request is unknown)", 'time >= 2026-11-21T10:00:00Z', startNs),
  numberField('connection', 'number of the TCP connection, from 1', 'connection == 3', column('connection_id'), ({ connection }) => connection.id),
  numberField('position', 'place on its connection, from 1; above 1: the connection was used again', 'position > 1', column('position'), ({ position }) => position),
  numberField('capture', 'index of the capture file that holds its first byte, from 0, in the order given', 'capture == 0', (view) => `coalesce(${view}.request_capture, ${view}.response_capture)`, ({ request, response }) => (request ?? response)?.capture ?? null),
  textField('address', 'client', 'address of who sent the request', 'client in 10.0.0.0/8', column('client'), ({ client }) => client.address),
  numberField('client.port', 'TCP port of who sent the request', 'client.port in 49152..65535', column('client_port'), ({ client }) => client.port),
  textField('address', 'server', 'address of who answers', 'server in {10.0.0.2, 2001:db8::/32}', column('server'), ({ server }) => server.address),
  numberField('server.port', 'TCP port of who answers', 'server.port == 8080', column('server_port'), ({ server }) => server.port),
  textField('text', 'method', 'method as sent; missing when the request is unknown', 'method in {"POST", "PUT"}', column('method'), ({ request }) => request?.method ?? null),
  textField('text', 'host', 'Host field as sent; missing without one', 'host ~* "(^|\\.)example\\.org$"', column('host'), ({ request }) => request?.host ?? null),
  textField('text', 'target', 'request target as sent, secrets in its query masked; missing when the request is unknown', 'target contains "?page="', column('target'), ({ request }) => request?.target ?? null),
  textField('text', 'path', 'target without scheme, authority and query; missing when the request is unknown', 'path startsWith "/api/"', column('path'), ({ request }) => (request === null ? null : pathOfTarget(request.target))),
  textField('text', 'query', 'what follows the first ? of the target, secrets masked; missing without one', 'query contains "page="', querySql, ({ request }) => queryOf(request?.target ?? '')),
  textField('text', 'route', 'template of the path, guessed: numbers, UUIDs and the like become {id}; missing when the request is unknown', 'route == "/users/{id}"', column('route'), ({ request }) => (request === null ? null : routeOfTarget(request.target))),
  textField('text', 'version', "HTTP version of the request (of the response, when the request is unknown), as sent", 'version == "1.0"', column('http_version'), ({ request, response }) => (request ?? response)?.version ?? null),
  textField('text', 'user_agent', 'User-Agent field as sent; missing without one', 'user_agent contains "curl"', column('user_agent'), ({ request }) => request?.userAgent ?? null),
  numberField('status', 'status code; missing without a response, and in HTTP/0.9', 'status >= 500', column('status'), statusOf, { hasClasses: true }),
  textField('text', 'reason', 'reason phrase as sent; missing without a response', 'reason == "Not Found"', column('reason'), ({ response }) => response?.reason ?? null),
  booleanField('error', 'status 500 to 599, or no response at all', 'error', (view) => `(${view}.response_packet IS NULL OR ${view}.status BETWEEN 500 AND 599)`, isError),
  wordField('outcome', OUTCOMES, 'what became of it', 'outcome == no-response', column('outcome'), ({ outcome }) => outcome),
  wordField('ending', ENDINGS, 'why it is not complete; missing when it is', 'ending in {reset-by-client, reset-by-server}', column('ending'), ({ ending }) => ending),
  wordField('pairing', PAIRINGS, 'how sure it is that response and request belong together', 'pairing != exact', column('pairing'), ({ pairing }) => pairing),
  wordsField('anomaly', ANOMALY_NAMES, 'what was odd about it, by code', 'anomaly == "pipelined"', { rows: (view) => `anomalies one WHERE one.exchange_id = ${view}.id`, element: 'one.code', duckdb: jsonList('anomalies', 'VARCHAR') }, ({ anomalies }) => anomalies),
  durationField('connect', "SYN to the client's ACK; only on a connection's first exchange", 'connect > 20ms', column('connect_ms'), connectNs),
  durationField('send', "first to last byte of the request; an early answer ends it", 'send > 100ms', column('send_ms'), sendNs),
  durationField('wait', 'end of the request to the first byte of the response', 'wait > 200ms', column('wait_ms'), waitNs),
  durationField('receive', 'first to last byte of the response', 'receive in 1s..10s', column('receive_ms'), receiveNs),
  durationField('total', 'first byte of the request to the last of the response; the handshake is not part of it', 'total >= 1.5s', column('total_ms'), totalNs),
  ...messageFields('request'),
  ...messageFields('response'),
  numbersField('interim', 'status codes of the 1xx responses before the final one', 'interim == 103', { rows: (view) => `json_each(${view}.interim) one WHERE 1`, element: "one.value ->> 'status'", duckdb: jsonList('interim', 'BIGINT', 'status') }, ({ interim }) => interim.map(({ status }) => status)),
  numberField('tcp.retransmissions', 'segments of request and response that were sent again', 'tcp.retransmissions > 0', (view) => `(${view}.request_retransmissions + ${view}.response_retransmissions)`, ({ tcp }) => tcp.requestRetransmissions + tcp.responseRetransmissions),
  numberField('tcp.out_of_order', 'segments of request and response that came out of order', 'tcp.out_of_order > 0', (view) => `(${view}.request_out_of_order + ${view}.response_out_of_order)`, ({ tcp }) => tcp.requestOutOfOrder + tcp.responseOutOfOrder),
  numberField('client.zero_windows', 'times the client said that its receive window is closed', 'client.zero_windows > 0', column('client_zero_windows'), ({ tcp }) => tcp.clientZeroWindows),
  numberField('server.zero_windows', 'times the server said that its receive window is closed', 'server.zero_windows > 0', column('server_zero_windows'), ({ tcp }) => tcp.serverZeroWindows),
  numbersField('vlan', "VLAN ids around the connection's packets, outermost first", 'vlan == 100', connectionList('vlans', 'one.value', jsonList('vlans', 'BIGINT')), ({ connection }) => connection.vlans),
  wordsField('tunnel', TUNNEL_KINDS, "tunnels around the connection's packets, outermost first", 'tunnel == vxlan', connectionList('tunnels', "one.value ->> 'kind'", jsonList('tunnels', 'VARCHAR', 'kind')), ({ connection }) => connection.tunnels.map(({ kind }) => kind)),
]; // biome-ignore format: a table

/** The families of header fields, as the reference names them. */
export const HEADER_FAMILIES: readonly Pick<Field, 'name' | 'type' | 'about' | 'example'>[] = [
  {
    name: 'header["NAME"]',
    type: 'texts',
    about: 'values of a header field of the request and of the response',
    example: 'header["content-type"] ~ "json"',
  },
  {
    name: 'request.header["NAME"]',
    type: 'texts',
    about: 'values of a header field of the request',
    example: 'request.header["x-request-id"] == "7f3a"',
  },
  {
    name: 'response.header["NAME"]',
    type: 'texts',
    about: 'values of a header field of the response',
    example: 'response.header["retry-after"]',
  },
];

/** In bytes, because SQLite's functions for text stop at a NUL. */
function querySql(view: string): string {
  const bytes = `CAST(${view}.target AS BLOB)`;
  const mark = `instr(${bytes}, x'3f')`;
  return `CASE WHEN ${mark} > 0 THEN CAST(substr(${bytes}, ${mark} + 1) AS TEXT) END`;
}

function queryOf(target: string): string | null {
  const at = target.indexOf('?');
  return at < 0 ? null : target.slice(at + 1);
}

const BY_NAME: ReadonlyMap<string, Field> = new Map(FIELDS.map((field) => [field.name, field]));

/** Names for completion: fields, and the beginning of each family of header fields. */
export const FIELD_NAMES: readonly string[] = [
  ...FIELDS.map(({ name }) => name),
  ...Object.values(HEADER_WORDS).map((word) => `${word}["`),
];

const HEADER_NAME =
  /^(header|request\.header|response\.header)\[\s*(?:"([^"\\]+)"|'([^'\\]+)'|([^"'\]\s]+))\s*\]$/;

/** The field of that name, header fields in brackets included (quotes may be left out); undefined: there is none. */
export function findField(name: string): Field | undefined {
  const known = BY_NAME.get(name);
  if (known !== undefined) return known;
  const header = HEADER_NAME.exec(name);
  if (header === null) return undefined;
  const wanted = (header[2] ?? header[3] ?? header[4]).toLowerCase();
  if (!isHeaderName(wanted)) return undefined;
  const side = (Object.keys(HEADER_WORDS) as HeaderSide[]).find((one) => HEADER_WORDS[one] === header[1]);
  return side === undefined ? undefined : headerField(side, wanted);
}

/** Types whose values have an order. */
export function isOrdered(type: FieldType): boolean {
  return (
    type === 'number' || type === 'duration' || type === 'bytes' || type === 'time' || type === 'numbers'
  );
}
