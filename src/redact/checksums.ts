/** Internet checksums (RFC 1071) of redacted packets. */

/** Adds 16-bit words of `bytes[start, end)` to `sum`; an odd last byte counts as the upper half of a word. */
export function addWords(sum: number, bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  for (; at + 1 < end; at += 2) sum += (bytes[at]! << 8) | bytes[at + 1]!;
  if (at < end) sum += bytes[at]! << 8;
  return sum;
}

/** The sum in 16 bits, carries added. */
export function folded(sum: number): number {
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000);
  return sum;
}

/** The checksum of a pseudo header and more, from the sum of its words. */
export function checksumOf(sum: number): number {
  return folded(sum) ^ 0xffff;
}

/**
 * What to write in place of a checksum. A right one becomes right. A wrong one stays wrong, and one that offloading
 * left unfinished (the sum of the pseudo header alone) is that again, but nothing of its old value stays: it would
 * tell 16 bits of what was replaced.
 */
export function mended(
  original: number,
  wasRight: boolean,
  originalPseudo: number | null,
  right: number,
  pseudo: number,
): number {
  if (wasRight) return right;
  if (originalPseudo !== null && original === folded(originalPseudo)) return folded(pseudo);
  return right === 0xfffe || right === 0xffff ? 1 : right + 1;
}
