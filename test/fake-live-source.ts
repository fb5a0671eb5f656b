import { START_NS } from '../fixtures/build/conversation.ts';
import { DropReadings } from '../src/capture/drop-readings.ts';
import type { LiveCounters, LiveSource } from '../src/model/live.ts';
import { type CaptureFacts, type DropReport, emptyPacket, type RunClock } from '../src/model/packet.ts';
import type { FedPacket } from './pipeline-run.ts';

/** What the source does between two calls of `more`. */
export interface FakeStep {
  /** Packets that come now. */
  readonly packets?: readonly FedPacket[];
  /** What the counters say from now on. */
  readonly counters?: Partial<LiveCounters>;
  /** Now, ns after the first packet's second; without it the time of the last packet. */
  readonly nowNs?: number;
  /** Called before the packets come. */
  readonly act?: () => void;
}

/** A live source that plays a script, then waits until it is stopped: a driver without a network. */
export class FakeLiveSource implements LiveSource {
  readonly driver = 'afpacket';
  readonly shortcomings: readonly string[];
  readonly counters: LiveCounters = {
    received: 0,
    dropped: 0,
    freezes: 0,
    loopbackCopies: 0,
    ringUsedBytes: 0,
    ringBytes: 64 * 1024 * 1024,
  };
  readonly packet = emptyPacket();
  onDrops: ((report: DropReport) => void) | null = null;
  readonly #drops = new DropReadings(Number.POSITIVE_INFINITY);
  readonly facts: CaptureFacts[];
  nowNs: number | null = null;
  stopped = false;
  closed = 0;
  readonly #clock: RunClock;
  readonly #steps: FakeStep[];
  #waiting: FedPacket[] = [];
  #wake: (() => void) | null = null;

  constructor(clock: RunClock, steps: readonly FakeStep[], shortcomings: readonly string[] = []) {
    this.#clock = clock;
    this.#steps = [...steps];
    this.shortcomings = shortcomings;
    this.facts = [
      {
        ...{ path: 'eth0', format: 'live', compression: 'none', byteOrder: 'little' },
        ...{ packets: 0, capturedBytes: 0, originalBytes: 0, fileBytes: 0, firstNs: null, lastNs: null },
        interfaces: [
          {
            ...{ number: 0, name: 'eth0', linkType: 1, snaplen: 262_144, timeDigits: 9 },
            ...{ packets: 0, received: null, dropped: null },
          },
        ],
        ...{ comments: [], commentsDropped: 0, skippedBlocks: {}, timeReversals: 0, damage: null },
      },
    ];
  }

  next(): boolean {
    const packet = this.#waiting.shift();
    if (packet === undefined) return false;
    const [facts] = this.facts as [CaptureFacts];
    this.#clock.epochSeconds ??= Number(START_NS / 1_000_000_000n);
    facts.packets += 1;
    this.packet.bytes = packet.frame;
    this.packet.start = 0;
    this.packet.end = packet.frame.length;
    this.packet.originalBytes = packet.originalBytes ?? packet.frame.length;
    this.packet.timeNs = Number(packet.timeNs - START_NS);
    this.packet.linkType = packet.linkType ?? 1;
    this.packet.number = facts.packets;
    facts.firstNs ??= this.packet.timeNs;
    facts.lastNs = this.packet.timeNs;
    return true;
  }

  async more(): Promise<boolean> {
    const step = this.#steps.shift();
    if (step === undefined) {
      if (this.stopped) return false;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      return false;
    }
    step.act?.();
    this.#waiting = [...(step.packets ?? [])];
    Object.assign(this.counters, step.counters);
    const last = this.#waiting[this.#waiting.length - 1];
    if (step.nowNs !== undefined) this.nowNs = step.nowNs;
    else if (last !== undefined) this.nowNs = Number(last.timeNs - START_NS);
    const [{ firstNs, interfaces }] = this.facts as [CaptureFacts];
    const [counted] = interfaces;
    if (counted !== undefined)
      Object.assign(counted, { received: this.counters.received, dropped: this.counters.dropped });
    if (this.nowNs !== null && firstNs !== null) {
      if (!this.#drops.begun) this.#drops.read(0, firstNs - 1, 0);
      const report = this.#drops.read(0, this.nowNs, this.counters.dropped ?? 0);
      if (report !== null) this.onDrops?.(report);
    }
    // As a driver does: the event loop turns.
    await new Promise((resolve) => setImmediate(resolve));
    return true;
  }

  stop(): void {
    this.stopped = true;
    this.#wake?.();
  }

  async close(): Promise<void> {
    this.closed += 1;
  }
}
