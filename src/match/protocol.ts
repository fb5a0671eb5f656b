import type { ConnectionProtocol } from '../model/exchange.ts';

const TLS_HANDSHAKE = 0x16;
const TLS_MAJOR = 3;

/** What the first bytes of a direction are, when they are not HTTP/1.x: TLS (RFC 8446 §5.1) or something else. */
export function foreignProtocol(bytes: Uint8Array, start: number, end: number): ConnectionProtocol {
  if (end - start >= 2 && bytes[start] === TLS_HANDSHAKE && bytes[start + 1] === TLS_MAJOR) return 'tls';
  return 'other';
}
