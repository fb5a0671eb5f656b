import type { PacketReason } from '../model/ledger.ts';
import { PACKET_REASON_NAMES, PACKET_REASONS } from '../model/ledger.ts';
import type { CaptureFacts, CaptureInterface } from '../model/packet.ts';
import type { RunRecord } from '../model/sink.ts';
import { sanitise } from '../report/terminal-text.ts';
import { formatCount } from '../report/units.ts';
import type { ConnectionCensus } from './connection-census.ts';
import type { FindingCode, Severity } from './finding.ts';
import type { PacketCensus } from './packet-census.ts';

/** What findings are drawn from. */
export interface Evidence {
  readonly run: RunRecord;
  readonly connections: ConnectionCensus;
  /** null: read from a SQLite file, which does not hold the packets. */
  readonly packets: PacketCensus | null;
}

/** Takes a finding; a severity of null means that there is none. */
export type Add = (
  code: FindingCode,
  severity: Severity | null,
  what: string,
  effect: string,
  advice?: string | null,
) => void;

/** The severity of a share, null below both bounds. */
export function level(share: number, bounds: { warning: number; problem: number }): Severity | null {
  if (share > bounds.problem) return 'problem';
  return share > bounds.warning ? 'warning' : null;
}

/** Packets that were not used, by reason, most frequent first. */
export function reasonsText({ ledger }: RunRecord, wanted: (reason: PacketReason) => boolean): string {
  return [...PACKET_REASON_NAMES.entries()]
    .filter(([index, name]) => wanted(name) && ledger.notUsed[index] > 0)
    .sort(([a], [b]) => ledger.notUsed[b] - ledger.notUsed[a])
    .map(([index, name]) => `${formatCount(ledger.notUsed[index])} ${PACKET_REASONS[name]}`)
    .join(', ');
}

/** `12 %`, `0.3 %`, `<0.1 %`. */
export function percent(share: number): string {
  const value = share * 100;
  if (value > 0 && value < 0.1) return '<0.1 %';
  return value < 10 ? `${Number(value.toFixed(1))} %` : `${Math.round(value)} %`;
}

export function nameOf({ path }: CaptureFacts): string {
  return path === '-' ? 'standard input' : sanitise(path);
}

export function nameAt({ captures }: RunRecord, capture: number): string {
  return captures[capture] === undefined ? 'the capture' : nameOf(captures[capture]);
}

export function interfaceName({ captures }: RunRecord, number: number): string {
  const all: CaptureInterface[] = captures.flatMap(({ interfaces }) => interfaces);
  const name = all.find((one) => one.number === number)?.name ?? null;
  return name === null ? `interface ${number}` : sanitise(name);
}

export function sum<T>(items: readonly T[], count: (item: T) => number): number {
  let total = 0;
  for (const item of items) total += count(item);
  return total;
}
