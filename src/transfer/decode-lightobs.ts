import { isIP } from 'node:net';
import { UserError } from '../model/errors.ts';
import { routeOf } from '../model/route.ts';
import type { RowBatch } from '../model/row-batch.ts';
import { RowBatchBuilder } from './batch-builder.ts';
import { canonicalAddress } from './canonical-address.ts';
import { parseInstant } from './instant.ts';

const LARGEST_PORT = 65_535;
const LARGEST_STATUS = 999;
/** Headers and body are one figure there. */
const NO_HEADER_BYTES = 0;

/**
 * The record of a LightObs agent, one parsed JSON object: `timestamp`, `src_ip`, `src_port`, `dst_ip`, `dst_port`, `pid`,
 * `http_method`, `http_path`, `status_code`, `latency_ms`, `packet_size`. Members that are missing have the zero of
 * their type, as Go reads them, and others are passed over; a missing `timestamp` is `receivedUs`, Unix time in µs.
 * `packet_size` goes to the response's body, `latency_ms` to wait and total; the process is not kept.
 *
 * Throws UserError for what LightObs answers with 400: an address that is none, a port out of 1 to 65535, no method, no
 * path, no status.
 */
export function decodeLightObs(record: unknown, receivedUs: number): RowBatch {
  if (typeof record !== 'object' || record === null || Array.isArray(record))
    throw mistake('a record is a JSON object');
  const from = record as Readonly<Record<string, unknown>>;
  const startedUs = started(text(from, 'timestamp'), receivedUs);
  const client = address(from, 'src_ip');
  const server = address(from, 'dst_ip');
  const clientPort = port(from, 'src_port');
  const serverPort = port(from, 'dst_port');
  whole(from, 'pid');
  const method = text(from, 'http_method');
  const path = text(from, 'http_path');
  const status = whole(from, 'status_code');
  if (method === '') throw mistake('http_method is missing');
  if (path === '') throw mistake('http_path is missing');
  if (status < 1 || status > LARGEST_STATUS)
    throw mistake(`status_code is not a number from 1 to ${LARGEST_STATUS}`);
  const latencyMs = Math.max(0, whole(from, 'latency_ms'));
  const row = {
    started_us: startedUs.us,
    started_ns: startedUs.ns,
    connection_id: 0,
    position: 1,
    client,
    client_port: clientPort,
    server,
    server_port: serverPort,
    method,
    target: path,
    path,
    route: routeOf(path),
    status,
    outcome: 'complete',
    pairing: 'inferred',
    wait_ms: latencyMs,
    total_ms: latencyMs,
    response_header_bytes: NO_HEADER_BYTES,
    response_body_bytes: Math.max(0, whole(from, 'packet_size')),
    request_retransmissions: 0,
    response_retransmissions: 0,
    request_out_of_order: 0,
    response_out_of_order: 0,
    client_zero_windows: 0,
    server_zero_windows: 0,
    anomaly_count: 0,
    places: 1,
  };
  const rows = new RowBatchBuilder();
  rows.add(row);
  return rows.take();
}

function started(timestamp: string, receivedUs: number): { us: number; ns: number } {
  if (timestamp === '') return { us: receivedUs, ns: 0 };
  const instant = parseInstant(timestamp);
  if (instant === null) throw mistake('timestamp is not a time of RFC 3339');
  return { us: instant.seconds * 1e6 + Math.floor(instant.ns / 1000), ns: instant.ns % 1000 };
}

function address(from: Readonly<Record<string, unknown>>, name: string): string {
  const given = text(from, name);
  const found = isIP(given) === 0 ? null : canonicalAddress(given);
  if (found === null) throw mistake(`${name} is not an IP address`);
  return found;
}

function port(from: Readonly<Record<string, unknown>>, name: string): number {
  const value = whole(from, name);
  if (value < 1 || value > LARGEST_PORT) throw mistake(`${name} is not a port from 1 to ${LARGEST_PORT}`);
  return value;
}

function text(from: Readonly<Record<string, unknown>>, name: string): string {
  const value = Object.hasOwn(from, name) ? (from[name] ?? '') : '';
  if (typeof value === 'string') return value;
  throw mistake(`${name} is not a text`);
}

function whole(from: Readonly<Record<string, unknown>>, name: string): number {
  const value = Object.hasOwn(from, name) ? (from[name] ?? 0) : 0;
  if (Number.isSafeInteger(value)) return value as number;
  throw mistake(`${name} is not a whole number`);
}

function mistake(what: string): UserError {
  return new UserError('bad-record', what);
}
