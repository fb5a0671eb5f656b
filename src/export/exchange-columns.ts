import type { Exchange, HeaderField, InterimResponse } from '../model/exchange.ts';
import { exchangeUid } from '../model/exchange-uid.ts';
import { connectNs, receiveNs, sendNs, startNs, totalNs, waitNs } from '../model/phases.ts';
import { pathOf, routeOf } from '../model/route.ts';
import { rfc3339 } from '../model/time-text.ts';

export type ColumnType = 'integer' | 'real' | 'text';
export type ColumnValue = string | number | null;

/** One column of an exchange in a table: CSV, Parquet. */
export interface ExchangeColumn {
  readonly name: string;
  readonly type: ColumnType;
  /** `epochSeconds`: the run's epoch, see RunClock. */
  value(exchange: Exchange, epochSeconds: number): ColumnValue;
}

type ValueOf = (exchange: Exchange, epochSeconds: number) => ColumnValue;

const column =
  (type: ColumnType) =>
  (name: string, value: ValueOf): ExchangeColumn => ({ name, type, value });
const integer = column('integer');
const real = column('real');
const text = column('text');

const milliseconds = (ns: number | null): number | null => (ns === null ? null : ns / 1e6);
const microseconds = (exchange: Exchange): number => Math.floor(startNs(exchange) / 1000);

/** What a target says of where it leads. */
interface Place {
  readonly path: string;
  readonly route: string;
}

/**
 * Places by path: the same few come again and again, with ever other queries. And the place of the last target, which
 * is asked for twice.
 */
const PLACES_KEPT = 4096;
/** A path that is kept may keep the target alive that it was cut from. */
const LONGEST_TARGET_KEPT = 1024;
const places = new Map<string, Place>();
let lastTarget = '/';
let lastPlace: Place = { path: pathOf(lastTarget), route: routeOf(lastTarget) };
function placeOf(target: string): Place {
  if (target === lastTarget) return lastPlace;
  const path = pathOf(target);
  let place = places.get(path);
  if (place === undefined) {
    // What comes before and behind the path does not count for the route.
    place = { path, route: routeOf(path) };
    if (places.size >= PLACES_KEPT) places.clear();
    if (target.length <= LONGEST_TARGET_KEPT) places.set(path, place);
  }
  lastTarget = target;
  lastPlace = place;
  return place;
}

/** JSON array of [name, value]; null: no fields. */
function headersText(headers: readonly HeaderField[] | undefined): string | null {
  if (headers === undefined || headers.length === 0) return null;
  return JSON.stringify(headers.map(({ name, value }) => [name, value]));
}

/** JSON array of objects; times in ns since the exchange began. */
function interimText(interim: readonly InterimResponse[], beganNs: number): string | null {
  if (interim.length === 0) return null;
  return JSON.stringify(interim.map(({ status, timeNs }) => ({ status, after_ns: timeNs - beganNs })));
}

/** The columns of the view `exchanges` of the SQLite file, in its order and with its values; docs/sqlite-schema.md. */
export const EXCHANGE_COLUMNS: readonly ExchangeColumn[] = [
  integer('id', ({ id }) => id),
  text('started', (exchange, epoch) => rfc3339(epoch, microseconds(exchange) * 1000, 6)),
  integer('started_us', (exchange, epoch) => epoch * 1e6 + microseconds(exchange)),
  integer('started_ns', (exchange) => startNs(exchange) - microseconds(exchange) * 1000),
  integer('connection_id', ({ connection }) => connection.id),
  integer('position', ({ position }) => position),
  text('client', ({ client }) => client.address),
  integer('client_port', ({ client }) => client.port),
  text('server', ({ server }) => server.address),
  integer('server_port', ({ server }) => server.port),
  text('method', ({ request }) => request?.method ?? null),
  text('host', ({ request }) => request?.host ?? null),
  text('target', ({ request }) => request?.target ?? null),
  text('path', ({ request }) => (request === null ? null : placeOf(request.target).path)),
  text('route', ({ request }) => (request === null ? null : placeOf(request.target).route)),
  text('http_version', ({ request, response }) => request?.version ?? response?.version ?? null),
  text('response_http_version', ({ response }) => response?.version ?? null),
  integer('status', ({ response }) => (response === null ? null : (response.status ?? 0))),
  text('reason', ({ response }) => response?.reason ?? null),
  text('outcome', ({ outcome }) => outcome),
  text('ending', ({ ending }) => ending),
  text('pairing', ({ pairing }) => pairing),
  real('connect_ms', (exchange) => milliseconds(connectNs(exchange))),
  real('send_ms', (exchange) => milliseconds(sendNs(exchange))),
  real('wait_ms', (exchange) => milliseconds(waitNs(exchange))),
  real('receive_ms', (exchange) => milliseconds(receiveNs(exchange))),
  real('total_ms', (exchange) => milliseconds(totalNs(exchange))),
  integer('request_header_bytes', ({ request }) => request?.headerBytes ?? null),
  integer('request_body_bytes', ({ request }) => request?.bodyBytes ?? null),
  integer('response_header_bytes', ({ response }) => response?.headerBytes ?? null),
  integer('response_body_bytes', ({ response }) => response?.bodyBytes ?? null),
  text('request_media_type', ({ request }) => request?.mediaType ?? null),
  text('response_media_type', ({ response }) => response?.mediaType ?? null),
  text('user_agent', ({ request }) => request?.userAgent ?? null),
  text('request_headers', ({ request }) => headersText(request?.headers)),
  text('response_headers', ({ response }) => headersText(response?.headers)),
  text('interim', (exchange) => interimText(exchange.interim, startNs(exchange))),
  integer('request_capture', ({ request }) => request?.capture ?? null),
  integer('request_packet', ({ request }) => request?.packet ?? null),
  integer('response_capture', ({ response }) => response?.capture ?? null),
  integer('response_packet', ({ response }) => response?.packet ?? null),
  integer('request_lost_bytes', ({ request }) => request?.lostBytes ?? null),
  integer('response_lost_bytes', ({ response }) => response?.lostBytes ?? null),
  integer('request_retransmissions', ({ tcp }) => tcp.requestRetransmissions),
  integer('response_retransmissions', ({ tcp }) => tcp.responseRetransmissions),
  integer('request_out_of_order', ({ tcp }) => tcp.requestOutOfOrder),
  integer('response_out_of_order', ({ tcp }) => tcp.responseOutOfOrder),
  integer('client_zero_windows', ({ tcp }) => tcp.clientZeroWindows),
  integer('server_zero_windows', ({ tcp }) => tcp.serverZeroWindows),
  integer('anomaly_count', ({ anomalies }) => anomalies.length),
  integer('places', ({ sightings }) => Math.max(1, sightings.length)),
  text('uid', exchangeUid),
];
