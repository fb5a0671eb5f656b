import type { Endpoint } from '../../model/exchange.ts';

/** Text of an address held in four 32-bit words; IPv6 in the form of RFC 5952. */
export function formatAddress(version: number, w0: number, w1: number, w2: number, w3: number): string {
  if (version === 4) return `${w0 >>> 24}.${(w0 >>> 16) & 255}.${(w0 >>> 8) & 255}.${w0 & 255}`;
  const groups: number[] = [];
  for (const word of [w0, w1, w2, w3]) groups.push(word >>> 16, word & 0xffff);
  if (w0 === 0 && w1 === 0 && w2 === 0xffff) {
    return `::ffff:${formatAddress(4, w3, 0, 0, 0)}`;
  }
  // The longest run of two or more zero groups, the first one of equals, becomes "::".
  let bestStart = -1;
  let bestLength = 1;
  for (let start = 0; start < 8; start += 1) {
    let length = 0;
    while (start + length < 8 && groups[start + length] === 0) length += 1;
    if (length > bestLength) {
      bestStart = start;
      bestLength = length;
    }
  }
  const text = groups.map((group) => group.toString(16));
  if (bestStart < 0) return text.join(':');
  return `${text.slice(0, bestStart).join(':')}::${text.slice(bestStart + bestLength).join(':')}`;
}

export function endpoint(
  version: number,
  w0: number,
  w1: number,
  w2: number,
  w3: number,
  port: number,
): Endpoint {
  const address = formatAddress(version, w0, w1, w2, w3);
  return { address, port, text: version === 4 ? `${address}:${port}` : `[${address}]:${port}` };
}
