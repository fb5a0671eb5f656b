/**
 * Sequence numbers are 32 bits and wrap (RFC 9293 §3.4). They are kept as signed 32-bit integers; the sign
 * means nothing. Distances are exact up to 2^31 either way.
 */

/** How far `to` lies after `from`; negative when it lies before. */
export function distance(from: number, to: number): number {
  return (to - from) | 0;
}

/** The number `count` bytes after `sequence`. */
export function advance(sequence: number, count: number): number {
  return (sequence + count) | 0;
}
