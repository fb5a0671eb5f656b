import type { CaptureFacts, RunClock } from '../model/packet.ts';
import { rfc3339 } from '../model/time-text.ts';

/** `2026-11-21 07:42:00.123 UTC` without the zone; for people. */
export function dateAndTime(clock: RunClock, ns: number): string {
  return rfc3339(clock.epochSeconds, ns, 9).slice(0, 23).replace('T', ' ');
}

/** `07:42:00.123`, UTC. */
export function timeOfDay(clock: RunClock, ns: number): string {
  return rfc3339(clock.epochSeconds, ns, 9).slice(11, 23);
}

/** `07:42:00.123456`, UTC: enough to find the packet. */
export function preciseTimeOfDay(clock: RunClock, ns: number): string {
  return rfc3339(clock.epochSeconds, ns, 9).slice(11, 26);
}

/** Time of the earliest packet of all captures; null: none so far. */
export function firstPacketNs(captures: readonly CaptureFacts[]): number | null {
  let first: number | null = null;
  for (const { firstNs } of captures) if (firstNs !== null) first = Math.min(first ?? firstNs, firstNs);
  return first;
}

/** Time of the latest packet of all captures; null: none so far. */
export function lastPacketNs(captures: readonly CaptureFacts[]): number | null {
  let last: number | null = null;
  for (const { lastNs } of captures) if (lastNs !== null) last = Math.max(last ?? lastNs, lastNs);
  return last;
}
