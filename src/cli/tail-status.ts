import type { FollowSource } from '../capture/follow/source.ts';
import { sanitise } from '../report/terminal-text.ts';
import { counted, formatBytes } from '../report/units.ts';

/** What the status line tells. */
export interface TailCounts {
  readonly packets: number;
  readonly exchanges: number;
  readonly files: number;
  readonly vanished: number;
  /** Bytes that are in the files and not read yet. */
  readonly unreadBytes: number;
  /** File that the last packet came from. */
  readonly path: string | null;
}

export function countsOf(source: FollowSource, exchanges: number): TailCounts {
  const { files, vanished } = source.report;
  const packets = source.facts.reduce((sum, capture) => sum + capture.packets, 0);
  return { packets, exchanges, files, vanished, unreadBytes: source.unreadBytes, path: source.current };
}

/** `1,204 packets  96 exchanges  3 files  0 B behind  trace.pcap2` */
export function statusText(counts: TailCounts): string {
  const parts = [
    counted(counts.packets, 'packet'),
    counted(counts.exchanges, 'exchange'),
    counted(counts.files, 'file'),
    `${formatBytes(counts.unreadBytes)} behind`,
  ];
  if (counts.vanished > 0) parts.push(`${counted(counts.vanished, 'file')} missed`);
  if (counts.path !== null) parts.push(sanitise(counts.path));
  return parts.join('  ');
}
