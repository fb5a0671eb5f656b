import { openCaptures } from '../../capture/open.ts';
import type { LiveFilter } from '../../capture/packet-filter/compile-filter.ts';
import type { Limits } from '../../model/limits.ts';
import { type LiveSource, unknownCounters } from '../../model/live.ts';
import type { CaptureFacts, DropReport, Packet, PacketSource, RunClock } from '../../model/packet.ts';

export interface StdinOptions {
  readonly clock: RunClock;
  readonly limits: Limits;
  /** `more` resolves at least so often. */
  readonly tickMs: number;
  /** Packets that it does not accept are left out; null: all are taken. */
  readonly filter: Pick<LiveFilter, 'accepts'> | null;
  /** Milliseconds of a clock that never goes back. */
  readonly now?: () => number;
}

/**
 * Packets that another program captures and writes to standard input, as a live source. What that program dropped is
 * not known here. Rejects as openCaptures does.
 */
export async function openStdin(options: StdinOptions): Promise<StdinSource> {
  return new StdinSource(await openCaptures(['-'], options), options);
}

/** A packet source in live clothes: it ticks, and stops at once. */
export class StdinSource implements LiveSource {
  readonly driver = 'stdin';
  readonly shortcomings = ['what the program that captures has dropped is not known here'];
  readonly counters = unknownCounters();
  readonly packet: Packet;
  readonly #inner: PacketSource;
  readonly #filter: StdinOptions['filter'];
  readonly #tickMs: number;
  readonly #now: () => number;
  /** The inner `more` while it waits; until it resolves the inner source is left alone. */
  #pending: Promise<boolean> | null = null;
  #arrived = false;
  #wake: (() => void) | null = null;
  #stopped = false;
  #lastNs: number | null = null;
  #lastMs = 0;

  constructor(inner: PacketSource, { tickMs, filter, now }: Omit<StdinOptions, 'clock' | 'limits'>) {
    this.#filter = filter;
    this.#inner = inner;
    this.packet = inner.packet;
    this.#tickMs = tickMs;
    this.#now = now ?? (() => performance.now());
  }

  get onDrops(): ((report: DropReport) => void) | null {
    return this.#inner.onDrops;
  }

  set onDrops(listener: ((report: DropReport) => void) | null) {
    this.#inner.onDrops = listener;
  }

  get facts(): readonly CaptureFacts[] {
    return this.#inner.facts;
  }

  get stopped(): boolean {
    return this.#stopped;
  }

  /** The clock of the last packet, and what has passed here since it came: the other host's clock may differ. */
  get nowNs(): number | null {
    const lastNs = this.facts[0]?.lastNs ?? null;
    if (lastNs === null) return null;
    if (lastNs !== this.#lastNs) {
      this.#lastNs = lastNs;
      this.#lastMs = this.#now();
    }
    return lastNs + (this.#now() - this.#lastMs) * 1e6;
  }

  next(): boolean {
    if (this.#pending !== null || this.#stopped) return false;
    while (this.#inner.next()) if (this.#isWanted()) return true;
    return false;
  }

  #isWanted(): boolean {
    const { bytes, start, end, originalBytes, linkType } = this.packet;
    return this.#filter?.accepts(bytes, start, end, originalBytes, linkType) !== false;
  }

  async more(): Promise<boolean> {
    if (this.#stopped) return false;
    if (this.#pending === null) this.#ask();
    const waited = await this.#waitForTick();
    if (this.#stopped) return false;
    if (!waited) return true;
    const pending = this.#pending;
    this.#pending = null;
    return (await pending) === true;
  }

  stop(): void {
    this.#stopped = true;
    this.#wake?.();
  }

  close(): Promise<void> {
    return this.#inner.close();
  }

  #ask(): void {
    this.#arrived = false;
    this.#pending = this.#inner.more();
    const arrived = () => {
      this.#arrived = true;
      this.#wake?.();
    };
    this.#pending.then(arrived, arrived);
  }

  /** True: the inner source has answered. False: only time has passed, or it was stopped. */
  async #waitForTick(): Promise<boolean> {
    if (!this.#arrived) {
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        timer = setTimeout(resolve, this.#tickMs);
      });
      clearTimeout(timer);
      this.#wake = null;
    }
    return this.#arrived;
  }
}
