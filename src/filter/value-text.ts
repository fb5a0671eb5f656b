import type { RunClock } from '../model/packet.ts';
import { rfc3339 } from '../model/time-text.ts';

/** Values as stable text, as the language reads them. */

const DURATION_STEPS = [
  ['h', 3600e9],
  ['min', 60e9],
  ['s', 1e9],
  ['ms', 1e6],
  ['us', 1e3],
] as const;

/** `2min`, `1500ms`, `1234567ns`: the largest unit of which it is a whole multiple. Exact for whole ns up to 2^53. */
export function durationText(ns: number): string {
  if (ns === 0) return '0s';
  for (const [unit, scale] of DURATION_STEPS) if (ns % scale === 0) return `${ns / scale}${unit}`;
  return `${ns}ns`;
}

const SIZE_STEPS = [
  ['GiB', 2 ** 30],
  ['GB', 1e9],
  ['MiB', 2 ** 20],
  ['MB', 1e6],
  ['KiB', 1024],
  ['kB', 1e3],
] as const;

/** `64KiB`, `1500B`: the largest unit of which it is a whole multiple. */
export function sizeText(bytes: number): string {
  if (bytes === 0) return '0B';
  for (const [unit, scale] of SIZE_STEPS) if (bytes % scale === 0) return `${bytes / scale}${unit}`;
  return `${bytes}B`;
}

/** RFC 3339 in UTC with as many digits as are needed, 6 or 9. */
export function timeText(ns: number, clock: RunClock): string {
  return rfc3339(clock.epochSeconds, ns, 6);
}
