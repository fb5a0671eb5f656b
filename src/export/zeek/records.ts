import type { Connection, ConnectionProtocol, Endpoint, Exchange, Message } from '../../model/exchange.ts';
import { startNs } from '../../model/phases.ts';
import { connState } from './conn-state.ts';
import { seconds, type ZeekField, type ZeekType, type ZeekValue } from './log-text.ts';

/** Fields and rows of http.log and conn.log as Zeek 8.0 writes them by default; docs/formats.md says what differs. */

const fields = (text: string): ZeekField[] =>
  text
    .trim()
    .split(/\s+/)
    .map((one) => {
      const [name, type] = one.split(':');
      return { name, type: type as ZeekType };
    });

export const HTTP_FIELDS: readonly ZeekField[] = fields(`
  ts:time uid:string id.orig_h:addr id.orig_p:port id.resp_h:addr id.resp_p:port trans_depth:count
  method:string host:string uri:string referrer:string version:string user_agent:string origin:string
  request_body_len:count response_body_len:count status_code:count status_msg:string
  info_code:count info_msg:string tags:set[enum] username:string password:string proxied:set[string]
  orig_fuids:vector[string] orig_filenames:vector[string] orig_mime_types:vector[string]
  resp_fuids:vector[string] resp_filenames:vector[string] resp_mime_types:vector[string]`);

export const CONN_FIELDS: readonly ZeekField[] = fields(`
  ts:time uid:string id.orig_h:addr id.orig_p:port id.resp_h:addr id.resp_p:port proto:enum service:string
  duration:interval orig_bytes:count resp_bytes:count conn_state:string local_orig:bool local_resp:bool
  missed_bytes:count history:string orig_pkts:count orig_ip_bytes:count resp_pkts:count resp_ip_bytes:count
  tunnel_parents:set[string] ip_proto:count`);

/** Header fields that say that a request came through a proxy. */
const PROXY_FIELDS = new Set(
  'forwarded x-forwarded-for x-forwarded-from client-ip via xroxy-connection proxy-connection'.split(' '),
);
const IP_PROTO_TCP = 6;
const NO_TAGS: readonly string[] = [];

const SERVICES: Readonly<Record<ConnectionProtocol, string | null>> = {
  http: 'http',
  websocket: 'http,websocket',
  tls: 'ssl',
  http2: null,
  other: null,
  none: null,
};

const ends = (client: Endpoint, server: Endpoint): ZeekValue[] => [
  client.address,
  client.port,
  server.address,
  server.port,
];

function fieldOf(message: Message | null, name: string): string | null {
  return message?.headers.find((field) => field.name === name)?.value ?? null;
}

function proxied({ request }: Exchange): readonly string[] | null {
  const found = new Set<string>();
  for (const { name, value } of request?.headers ?? [])
    if (PROXY_FIELDS.has(name)) found.add(`${name.toUpperCase()} -> ${value}`);
  return found.size === 0 ? null : [...found];
}

/** The declared type of a body; an empty one would read back as an empty vector. */
function mediaTypes(message: Message | null): readonly string[] | null {
  if (message === null || message.bodyBytes === 0) return null;
  return message.mediaType === null || message.mediaType === '' ? null : [message.mediaType];
}

/** The last 1xx answer: its code, and its message where that was kept. */
function informational({ interim, response }: Exchange): [number | null, string | null] {
  if (response?.status === 101) return [101, response.reason];
  return [interim.length === 0 ? null : interim[interim.length - 1].status, null];
}

/** A row of http.log, one value for each of HTTP_FIELDS. */
export function httpRow(exchange: Exchange, uid: string, epochSeconds: number | null): ZeekValue[] {
  const { request, response } = exchange;
  return [
    seconds(epochSeconds ?? 0, startNs(exchange)),
    uid,
    ...ends(exchange.client, exchange.server),
    exchange.position,
    request?.method ?? null,
    request?.host ?? null,
    request?.target ?? null,
    fieldOf(request, 'referer'),
    response?.version ?? null,
    request?.userAgent ?? null,
    fieldOf(request, 'origin'),
    request?.bodyBytes ?? 0,
    response?.bodyBytes ?? 0,
    response?.status ?? null,
    response?.reason ?? null,
    ...informational(exchange),
    NO_TAGS,
    null,
    null,
    proxied(exchange),
    null,
    null,
    mediaTypes(request),
    null,
    null,
    mediaTypes(response),
  ];
}

/** A row of conn.log, one value for each of CONN_FIELDS. */
export function connRow(connection: Connection, uid: string, epochSeconds: number | null): ZeekValue[] {
  const { fromClient, fromServer, firstNs, lastNs, history } = connection;
  // Zeek knows neither duration nor bytes of a connection that is a single packet.
  const lasted = lastNs > firstNs;
  return [
    seconds(epochSeconds ?? 0, firstNs),
    uid,
    ...ends(connection.client, connection.server),
    'tcp',
    SERVICES[connection.protocol],
    lasted ? seconds(0, lastNs - firstNs) : null,
    lasted ? fromClient.payloadBytes : null,
    lasted ? fromServer.payloadBytes : null,
    connState(connection),
    null,
    null,
    fromClient.gapBytes + fromServer.gapBytes,
    history === '' ? null : history,
    fromClient.packets,
    fromClient.ipBytes,
    fromServer.packets,
    fromServer.ipBytes,
    null,
    IP_PROTO_TCP,
  ];
}
