import type { Exchange } from './exchange.ts';

/**
 * Where an exchange's time went, in nanoseconds. null: the packets do not show it.
 *
 *     SYN … ACK      first … last byte       …      first … last byte
 *     |-connect-|    |------send------|--- wait ---|----- receive ----|
 *                    |--------------------- total --------------------|
 *
 * An answer that begins before its request has been sent whole ends the send phase; wait is then 0.
 */
export interface Phases {
  /** Handshake, SYN to the client's ACK; only on a connection's first exchange. */
  readonly connectNs: number | null;
  readonly sendNs: number | null;
  readonly waitNs: number | null;
  readonly receiveNs: number | null;
  readonly totalNs: number | null;
}

/** Time at which sending the request ended, or null. */
function sendEndNs(exchange: Exchange): number | null {
  const { request, response } = exchange;
  if (request === null) return null;
  if (response === null) return request.lastByteNs;
  if (request.lastByteNs === null) return response.firstByteNs;
  return Math.min(request.lastByteNs, response.firstByteNs);
}

export function connectNs(exchange: Exchange): number | null {
  const { synNs, ackNs } = exchange.connection;
  if (exchange.position !== 1 || synNs === null || ackNs === null) return null;
  return Math.max(0, ackNs - synNs);
}

export function sendNs(exchange: Exchange): number | null {
  const end = sendEndNs(exchange);
  return end === null || exchange.request === null ? null : Math.max(0, end - exchange.request.firstByteNs);
}

export function waitNs(exchange: Exchange): number | null {
  const end = sendEndNs(exchange);
  return end === null || exchange.response === null ? null : Math.max(0, exchange.response.firstByteNs - end);
}

export function receiveNs(exchange: Exchange): number | null {
  const { response } = exchange;
  if (response === null || response.lastByteNs === null) return null;
  return Math.max(0, response.lastByteNs - response.firstByteNs);
}

/** First byte of the request to last byte of the response. The handshake is not part of it. */
export function totalNs(exchange: Exchange): number | null {
  const { request, response } = exchange;
  if (request === null || response === null || response.lastByteNs === null) return null;
  return Math.max(0, response.lastByteNs - request.firstByteNs);
}

export function phasesOf(exchange: Exchange): Phases {
  return {
    connectNs: connectNs(exchange),
    sendNs: sendNs(exchange),
    waitNs: waitNs(exchange),
    receiveNs: receiveNs(exchange),
    totalNs: totalNs(exchange),
  };
}

/** When the exchange began: the request's first byte, or the response's where the request is unknown. */
export function startNs(exchange: Exchange): number {
  return exchange.request !== null ? exchange.request.firstByteNs : (exchange.response?.firstByteNs ?? 0);
}
