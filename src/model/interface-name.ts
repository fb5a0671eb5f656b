import type { CaptureFacts } from './packet.ts';

/** Name of the interface with this run-wide number; null: the capture does not say, or has no such interface. */
export function interfaceName(captures: readonly CaptureFacts[], number: number): string | null {
  for (const { interfaces } of captures) {
    for (const one of interfaces) if (one.number === number) return one.name;
  }
  return null;
}
