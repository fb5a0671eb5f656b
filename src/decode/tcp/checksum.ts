import { u16 } from '../bytes.ts';

function sum16(bytes: Uint8Array, start: number, end: number, initial: number): number {
  let sum = initial;
  let at = start;
  for (; at + 1 < end; at += 2) sum += u16(bytes, at);
  if (at < end) sum += bytes[at] << 8;
  return sum;
}

function fold(sum: number): number {
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000);
  return sum;
}

function addWord(sum: number, word: number): number {
  return sum + (word >>> 16) + (word & 0xffff);
}

/**
 * True when the TCP checksum over pseudo header and segment (RFC 9293 §3.1, RFC 8200 §8.1) is right.
 * Addresses as 32-bit words; IPv4 leaves the last three 0. The whole segment must be captured.
 */
export function tcpChecksumHolds(
  bytes: Uint8Array,
  start: number,
  end: number,
  addressWords: readonly number[],
): boolean {
  let sum = end - start + 6;
  for (const word of addressWords) sum = addWord(sum, word);
  return fold(sum16(bytes, start, end, sum)) === 0xffff;
}
