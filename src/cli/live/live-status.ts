import type { LiveSource } from '../../model/live.ts';
import { displayWidth } from '../../report/terminal-text.ts';
import { formatBytes, formatCount, formatDuration, formatRate } from '../../report/units.ts';
import type { Budgets } from './budgets.ts';

/** How a capture is doing: what it sees, what it loses, and what it costs. */
export interface LiveStatus {
  readonly elapsedNs: number;
  readonly packets: number;
  readonly exchanges: number;
  /** Over the last second or so. */
  readonly packetsPerSecond: number;
  readonly exchangesPerSecond: number;
  /** Packets that the kernel dropped, and their share (0 to 1) of what it received; null: it cannot be told. */
  readonly dropped: number | null;
  readonly droppedShare: number | null;
  /** Share (0 to 1) of the ring that holds packets not taken yet; null: there is no ring. */
  readonly ringShare: number | null;
  /** Memory of this process, and what it may use. */
  readonly memoryBytes: number;
  readonly memoryBudgetBytes: number;
  /** Cores in use over the last second or so (1: one whole core), and how many there are. */
  readonly cpuCores: number;
  readonly cpuBudgetCores: number;
}

/** Cost of this process at a moment. */
export interface Cost {
  readonly memoryBytes: number;
  /** Processor time since its start, user and system, all threads. */
  readonly cpuMs: number;
}

export interface LiveMeterOptions {
  readonly source: Pick<LiveSource, 'counters' | 'facts'>;
  readonly exchanges: () => number;
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
  readonly cost: () => Cost;
  readonly budgets: Budgets;
}

interface Sample {
  readonly ms: number;
  readonly packets: number;
  readonly exchanges: number;
  readonly cpuMs: number;
}

/** Rates are over the time since the oldest sample that is no older than this. */
const SPAN_MS = 1500;
/** Samples are at least so far apart, so that few of them are kept. */
const SAMPLE_MS = 100;

/** Counts on, and tells how the capture is doing. */
export class LiveMeter {
  readonly #options: LiveMeterOptions;
  readonly #startedMs: number;
  #samples: Sample[];

  constructor(options: LiveMeterOptions) {
    this.#options = options;
    const first = this.#sample();
    this.#startedMs = first.ms;
    this.#samples = [first];
  }

  /** Called at every tick; cheap between samples. */
  tick(): void {
    const last = this.#samples[this.#samples.length - 1];
    if (this.#options.now() - last.ms < SAMPLE_MS) return;
    const sample = this.#sample();
    this.#samples.push(sample);
    while (this.#samples.length > 2 && sample.ms - this.#samples[0].ms > SPAN_MS) this.#samples.shift();
  }

  status(): LiveStatus {
    const { source, cost, budgets } = this.#options;
    const now = this.#sample();
    const then = this.#samples[0];
    const seconds = Math.max(0.001, (now.ms - then.ms) / 1000);
    const { received, dropped, ringUsedBytes, ringBytes } = source.counters;
    return {
      elapsedNs: (now.ms - this.#startedMs) * 1e6,
      packets: now.packets,
      exchanges: now.exchanges,
      packetsPerSecond: (now.packets - then.packets) / seconds,
      exchangesPerSecond: (now.exchanges - then.exchanges) / seconds,
      dropped,
      droppedShare: dropped === null || received === null ? null : dropped / Math.max(1, received),
      ringShare: ringBytes > 0 ? ringUsedBytes / ringBytes : null,
      memoryBytes: cost().memoryBytes,
      memoryBudgetBytes: budgets.memoryBytes,
      cpuCores: (now.cpuMs - then.cpuMs) / 1000 / seconds,
      cpuBudgetCores: budgets.cores,
    };
  }

  #sample(): Sample {
    const { source, exchanges, now, cost } = this.#options;
    const packets = source.facts.reduce((sum, capture) => sum + capture.packets, 0);
    return { ms: now(), packets, exchanges: exchanges(), cpuMs: cost().cpuMs };
  }
}

/** What this process costs now. */
export function costOfProcess(): Cost {
  const { user, system } = process.cpuUsage();
  return { memoryBytes: process.memoryUsage.rss(), cpuMs: (user + system) / 1000 };
}

/**
 * The status in `cells` cells: with everything where there is room, otherwise in fewer words, and last without what
 * matters least. What was dropped is always there.
 */
export function liveStatusText(status: LiveStatus, cells: number): string {
  const forms = statusForms(status);
  return forms.find((text) => displayWidth(text) <= cells) ?? forms[forms.length - 1];
}

function statusForms(status: LiveStatus): string[] {
  const packets = `${formatRate(status.packetsPerSecond)} packets/s`;
  const exchanges = `${formatRate(status.exchangesPerSecond)} exchanges/s`;
  const ring = status.ringShare === null ? null : `ring ${percent(status.ringShare)}`;
  const memoryShare = percent(status.memoryBytes / status.memoryBudgetBytes);
  const cpuShare = percent(status.cpuCores / status.cpuBudgetCores);
  const memory = formatBytes(status.memoryBytes);
  const dropped = droppedText(status);
  const line = (...parts: (string | null)[]) => parts.filter((part) => part !== null).join('  ');
  return [
    line(
      elapsedText(status.elapsedNs),
      packets,
      exchanges,
      dropped,
      ring,
      `memory ${memory} of ${formatBytes(status.memoryBudgetBytes)}`,
      `CPU ${cpuShare} of ${coresText(status.cpuBudgetCores)}`,
    ),
    line(packets, exchanges, dropped, ring, `${memory} (${memoryShare})`, `CPU ${cpuShare}`),
    line(packets, exchanges, dropped, `${memory} (${memoryShare})`, `CPU ${cpuShare}`),
    line(packets, exchanges, briefDroppedText(status), memory, `CPU ${cpuShare}`),
    line(briefDroppedText(status), packets, exchanges),
  ];
}

/** Whole seconds, which do not jump about. */
function elapsedText(ns: number): string {
  const seconds = Math.floor(ns / 1e9);
  return seconds < 120 ? `${seconds} s` : formatDuration(seconds * 1e9);
}

function droppedText({ dropped, droppedShare }: LiveStatus): string {
  if (dropped === null) return 'drops unknown';
  const share = dropped === 0 || droppedShare === null ? '' : ` (${percent(droppedShare)})`;
  return `${formatCount(dropped)} dropped${share}`;
}

function briefDroppedText({ dropped, droppedShare }: LiveStatus): string {
  if (dropped === null) return 'drops unknown';
  return dropped === 0 || droppedShare === null
    ? `${formatCount(dropped)} dropped`
    : `${percent(droppedShare)} dropped`;
}

function coresText(cores: number): string {
  return `${Number.isInteger(cores) ? cores : cores.toFixed(1)} ${cores === 1 ? 'core' : 'cores'}`;
}

/** `0 %`, `<1 %`, `12 %`: never nothing for something. */
export function percent(share: number): string {
  if (share > 0 && share < 0.01) return '<1 %';
  return `${Math.round(share * 100)} %`;
}
