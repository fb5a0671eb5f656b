import { isIP, SocketAddress } from 'node:net';

/**
 * An IP address in the form in which exchanges have it (RFC 5952; IPv4 inside IPv6 as IPv4), so that every way to write
 * it finds the same. null: not an address.
 */
export function plainAddress(text: string): string | null {
  const version = isIP(text);
  if (version === 4) return text;
  // A zone means something on one machine only.
  if (version === 0 || text.includes('%')) return null;
  const { address } = new SocketAddress({ address: text, family: 'ipv6' });
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  return mapped === null ? address.toLowerCase() : mapped[1];
}
