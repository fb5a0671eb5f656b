import type { Style } from '../report/style.ts';
import { sanitise, shorten } from '../report/terminal-text.ts';
import { counted, formatBytes, formatCount, formatDuration, formatRate } from '../report/units.ts';
import { lineCells } from './screen-text.ts';

/** What the capture says of itself, asked for once per frame. */
export interface WatchStatus {
  readonly packetsPerSecond: number;
  readonly exchangesPerSecond: number;
  /** Since the capture began. */
  readonly packets: number;
  readonly exchanges: number;
  /** Packets that were dropped; null: the driver cannot tell. */
  readonly dropped: number | null;
  /** Part of the ring that holds packets not taken yet, 0 to 1; null: there is no ring. */
  readonly ringUse: number | null;
  readonly memoryBytes: number;
  /** What the process may use; shown beside it where given. */
  readonly memoryBudgetBytes?: number;
  /** Processor time per time: cores in use; null: not known yet. */
  readonly cpuShare: number | null;
  /** Cores that the process may use; shown beside it where given. */
  readonly cpuBudgetCores?: number;
  readonly elapsedMs: number;
  /** What is captured: `any`, `eth0, lo`. */
  readonly source: string;
  /** Everything that was told so far, oldest first, one sentence each. */
  readonly notices: readonly string[];
}

/** A ring fuller than this is about to drop. */
const RING_WARNING = 0.5;

/** What is captured, for how long and how much came out of it. */
export function titleText(status: WatchStatus, width: number, style: Style): string {
  const elapsed = formatDuration(Math.floor(status.elapsedMs / 1000) * 1e9).replace(/^0 ns$/, '0 s');
  const totals = [
    elapsed.replace(/\.\d+ s$/, ' s'),
    counted(status.packets, 'packet'),
    counted(status.exchanges, 'exchange'),
  ].join('  ');
  const name = 'wirelens  ';
  const room = Math.max(3, width - name.length - totals.length - 2);
  return `${style.bold(`${name}${shorten(sanitise(status.source), room, 'middle')}`)}  ${totals}`;
}

/** Packets and exchanges per second, drops, memory, processor: the budget, in one line, with fewer words where needed. */
export function budgetText(status: WatchStatus, width: number, style: Style): string {
  const full = budgetParts(status, style, true).join('  ');
  if (lineCells(full) <= width) return full;
  const parts = budgetParts(status, style, false);
  while (parts.length > 1 && lineCells(parts.join('  ')) > width) parts.pop();
  return parts.join('  ');
}

/** `full`: with what may be used beside what is used. */
function budgetParts(status: WatchStatus, style: Style, full: boolean): string[] {
  const { dropped, ringUse, cpuShare, cpuBudgetCores: cores } = status;
  const ofMemory =
    !full || status.memoryBudgetBytes === undefined ? '' : ` of ${formatBytes(status.memoryBudgetBytes)}`;
  const parts = [
    `${formatRate(status.packetsPerSecond)} packets/s`,
    `${formatRate(status.exchangesPerSecond)} exchanges/s`,
    droppedText(dropped, status.packets, style),
    `memory ${formatBytes(status.memoryBytes)}${ofMemory}`,
  ];
  if (cpuShare !== null) {
    const ofCores = !full || cores === undefined ? '' : ` of ${counted(cores, 'core')}`;
    parts.push(`CPU ${percent(cpuShare / (cores ?? 1))}${ofCores}`);
  }
  if (ringUse !== null) {
    const text = `ring ${percent(ringUse)}`;
    parts.push(ringUse >= RING_WARNING ? style.yellow(text) : text);
  }
  return parts;
}

function droppedText(dropped: number | null, packets: number, style: Style): string {
  if (dropped === null) return 'drops unknown';
  if (dropped === 0) return 'no drops';
  const share = dropped / Math.max(1, dropped + packets);
  return style.red(style.bold(`${formatCount(dropped)} DROPPED (${percent(share)})`));
}

function percent(share: number): string {
  return share > 0 && share < 0.01 ? '<1 %' : `${Math.round(share * 100)} %`;
}
