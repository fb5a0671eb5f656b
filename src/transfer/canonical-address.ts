import { isIPv4, isIPv6 } from 'node:net';

const MAPPED = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/;

/**
 * The one text of an IP address that Wirelens uses: IPv6 in the form of RFC 5952, small letters, without a zone.
 * null: it is not an address.
 */
export function canonicalAddress(text: string): string | null {
  if (isIPv4(text)) return text;
  if (!isIPv6(text) || text.includes('%')) return null;
  const { hostname } = new URL(`http://[${text}]/`);
  const address = hostname.slice(1, -1);
  const mapped = MAPPED.exec(address);
  if (mapped === null) return address;
  const [high, low] = mapped.slice(1).map((group) => Number.parseInt(group, 16)) as [number, number];
  return `::ffff:${high >>> 8}.${high & 255}.${low >>> 8}.${low & 255}`;
}
