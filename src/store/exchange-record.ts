import type { Connection, Exchange } from '../model/exchange.ts';
import { exchangeUid } from '../model/exchange-uid.ts';
import { phasesOf, startNs } from '../model/phases.ts';
import { pathOf, routeOf } from '../model/route.ts';
import { placesText } from './sighting-text.ts';
import { headersText, interimText } from './texts.ts';

/** A row of the view `exchanges` (or of `connections`), by column name. */
export type StoredRecord = Readonly<Record<string, string | number | null>>;

const MS_PER_NS = 1e6;
const toMs = (ns: number | null): number | null => (ns === null ? null : ns / MS_PER_NS);
const between = (from: number | null, to: number | null): number | null =>
  from === null || to === null ? null : Math.max(0, to - from);
const since = (fromNs: number, ns: number | null): number | null => (ns === null ? null : ns - fromNs);

/** What the view `exchanges` shows of an exchange, worked out the plain way: what every store must give back. */
export function exchangeRecord(exchange: Exchange, epochSeconds: number): StoredRecord {
  const { request, response, connection, tcp } = exchange;
  const phases = phasesOf(exchange);
  const beganNs = startNs(exchange);
  const beganUs = Math.floor(beganNs / 1000);
  const startedUs = epochSeconds * 1e6 + beganUs;
  return {
    id: exchange.id,
    started: `${new Date(Math.floor(startedUs / 1e6) * 1000).toISOString().slice(0, 19)}.${String(startedUs % 1e6).padStart(6, '0')}Z`,
    started_us: startedUs,
    started_ns: beganNs - beganUs * 1000,
    connection_id: connection.id,
    position: exchange.position,
    client: exchange.client.address,
    client_port: exchange.client.port,
    server: exchange.server.address,
    server_port: exchange.server.port,
    method: request?.method ?? null,
    host: request?.host ?? null,
    target: request?.target ?? null,
    path: request === null ? null : pathOf(request.target),
    route: request === null ? null : routeOf(request.target),
    http_version: request?.version ?? response?.version ?? null,
    response_http_version: response?.version ?? null,
    status: response === null ? null : (response.status ?? 0),
    reason: response?.reason ?? null,
    outcome: exchange.outcome,
    ending: exchange.ending,
    pairing: exchange.pairing,
    connect_ms: toMs(phases.connectNs),
    send_ms: toMs(phases.sendNs),
    wait_ms: toMs(phases.waitNs),
    receive_ms: toMs(phases.receiveNs),
    total_ms: toMs(phases.totalNs),
    request_header_bytes: request?.headerBytes ?? null,
    request_body_bytes: request?.bodyBytes ?? null,
    response_header_bytes: response?.headerBytes ?? null,
    response_body_bytes: response?.bodyBytes ?? null,
    request_media_type: request?.mediaType ?? null,
    response_media_type: response?.mediaType ?? null,
    user_agent: request?.userAgent ?? null,
    request_headers: request === null || request.headers.length === 0 ? null : headersText(request.headers),
    response_headers:
      response === null || response.headers.length === 0 ? null : headersText(response.headers),
    interim: exchange.interim.length === 0 ? null : interimText(exchange.interim, beganNs),
    request_capture: request?.capture ?? null,
    request_packet: request?.packet ?? null,
    response_capture: response?.capture ?? null,
    response_packet: response?.packet ?? null,
    request_lost_bytes: request?.lostBytes ?? null,
    response_lost_bytes: response?.lostBytes ?? null,
    request_retransmissions: tcp.requestRetransmissions,
    response_retransmissions: tcp.responseRetransmissions,
    request_out_of_order: tcp.requestOutOfOrder,
    response_out_of_order: tcp.responseOutOfOrder,
    client_zero_windows: tcp.clientZeroWindows,
    server_zero_windows: tcp.serverZeroWindows,
    anomaly_count: exchange.anomalies.length,
    places: Math.max(1, exchange.sightings.length),
    uid: exchangeUid(exchange),
  };
}

/** What the table `connections` shows of a connection. */
export function connectionRecord(connection: Connection, epochSeconds: number): StoredRecord {
  const firstUs = Math.floor(connection.firstNs / 1000);
  const lastUs = Math.floor(connection.lastNs / 1000);
  const record: Record<string, string | number | null> = {
    id: connection.id,
    client: connection.client.address,
    client_port: connection.client.port,
    server: connection.server.address,
    server_port: connection.server.port,
    protocol: connection.protocol,
    opening: connection.opening,
    end: connection.end,
    history: connection.history === '' ? null : connection.history,
    exchanges: connection.exchanges,
    first_us: epochSeconds * 1e6 + firstUs,
    first_ns: connection.firstNs - firstUs * 1000,
    last_us: epochSeconds * 1e6 + lastUs,
    last_ns: connection.lastNs - lastUs * 1000,
    handshake_ms: toMs(between(connection.synNs, connection.ackNs)),
    syn_ack_ms: toMs(between(connection.synNs, connection.synAckNs)),
    syn_retransmissions: connection.synRetransmissions,
    vlans: connection.vlans.length === 0 ? null : JSON.stringify(connection.vlans),
    tunnels: connection.tunnels.length === 0 ? null : JSON.stringify(connection.tunnels),
    places: placesText(connection) === '' ? null : placesText(connection),
    packets_elsewhere: connection.packetsElsewhere,
    capture: connection.capture,
    interface: connection.interfaceNumber,
    syn_offset_ns: since(connection.firstNs, connection.synNs),
    syn_ack_offset_ns: since(connection.firstNs, connection.synAckNs),
    ack_offset_ns: since(connection.firstNs, connection.ackNs),
    continues: 0,
  };
  for (const [side, from] of [
    ['client', connection.fromClient],
    ['server', connection.fromServer],
  ] as const) {
    record[`${side}_packets`] = from.packets;
    record[`${side}_ip_bytes`] = from.ipBytes;
    record[`${side}_payload_bytes`] = from.payloadBytes;
    record[`${side}_retransmissions`] = from.retransmissions;
    record[`${side}_out_of_order`] = from.outOfOrder;
    record[`${side}_zero_windows`] = from.zeroWindows;
    record[`${side}_keep_alives`] = from.keepAlives;
    record[`${side}_gaps`] = from.gaps;
    record[`${side}_gap_bytes`] = from.gapBytes;
  }
  return record;
}
