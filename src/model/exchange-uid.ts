import type { Exchange } from './exchange.ts';

/**
 * What an exchange is called wherever its packets are seen. Made of TCP sequence numbers alone: they are the same at
 * every place that a connection passes, behind address translation too, and a capture that begins in the middle has
 * them as well. docs/transfer.md.
 *
 * | | first half | second half |
 * |---|---|---|
 * | request and response | the request's first byte | the response's first byte |
 * | no response | the request's first byte | what its segment acknowledged: where the response would have begun |
 * | no request | what the response's segment acknowledged, bits inverted | the response's first byte |
 *
 * Where a segment acknowledged nothing, the ports stand instead. Two exchanges of one connection never begin with the
 * same byte in the same direction, so they differ, unless 2^32 bytes lie between them in both directions.
 */

/** 16 hexadecimal digits, small letters. null: the sequence numbers are not known. */
export function exchangeUid(exchange: Exchange): string | null {
  const high = uidHigh(exchange);
  const low = uidLow(exchange);
  return high < 0 || low < 0 ? null : hexOf(high) + hexOf(low);
}

/** The first half as a number, 0 to 2^32 - 1; -1: not known. */
export function uidHigh({ request, response, client, server }: Exchange): number {
  if (request !== null) return request.sequence;
  const acknowledged = response?.acknowledges ?? -1;
  return acknowledged < 0 ? portsOf(client.port, server.port) : ~acknowledged >>> 0;
}

/** The second half. */
export function uidLow({ request, response, client, server }: Exchange): number {
  if (response !== null) return response.sequence;
  const acknowledged = request?.acknowledges ?? -1;
  return acknowledged < 0 ? portsOf(client.port, server.port) : acknowledged;
}

/** The messages' `sequence` and `acknowledges` that give these halves again. */
export function sequencesOf(
  high: number,
  low: number,
  hasRequest: boolean,
  hasResponse: boolean,
): { request: readonly [number, number]; response: readonly [number, number] } {
  const inverted = high < 0 ? -1 : ~high >>> 0;
  return { request: [high, hasResponse ? -1 : low], response: [low, hasRequest ? -1 : inverted] };
}

function portsOf(client: number, server: number): number {
  return ((client << 16) | server) >>> 0;
}

/** `00` to `ff`: three times as quick as Number's own toString, which takes what is beyond 2^31 for a fraction. */
const BYTES = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

function hexOf(half: number): string {
  return BYTES[half >>> 24] + BYTES[(half >>> 16) & 255] + BYTES[(half >>> 8) & 255] + BYTES[half & 255];
}
