import type { CaptureFacts, CaptureInterface } from '../model/packet.ts';

/**
 * What the workers know of the capture that they share, as one capture: `facts` stays the same object. Workers number
 * interfaces as they meet them; here each has one number.
 */
export class MergedFacts {
  readonly facts: CaptureFacts;
  readonly #latest: CaptureFacts[] = [];
  /** By worker, and by its number of the interface. */
  readonly #entries: Map<number, CaptureInterface>[] = [];
  readonly #byName = new Map<string, CaptureInterface>();

  constructor(first: CaptureFacts) {
    this.facts = { ...first, interfaces: [] };
  }

  /** The number here of an interface that the worker's facts have. */
  interfaceNumber(worker: number, number: number): number {
    return this.#entries[worker]?.get(number)?.number ?? number;
  }

  /** Takes over what a worker knows now. */
  take(worker: number, facts: CaptureFacts): void {
    this.#latest[worker] = facts;
    this.#entries[worker] ??= new Map();
    const entries = this.#entries[worker];
    for (const one of facts.interfaces)
      if (!entries.has(one.number)) entries.set(one.number, this.#entry(worker, one));
    this.#sum();
  }

  /** Interfaces without a name are nobody else's. */
  #entry(
    worker: number,
    { number, name, linkType, snaplen, timeDigits }: CaptureInterface,
  ): CaptureInterface {
    const key = JSON.stringify(name === null ? [worker, number] : [name, linkType]);
    let entry = this.#byName.get(key);
    if (entry === undefined) {
      const { interfaces } = this.facts;
      entry = {
        number: interfaces.length,
        name,
        linkType,
        snaplen,
        timeDigits,
        packets: 0,
        received: null,
        dropped: null,
      };
      interfaces.push(entry);
      this.#byName.set(key, entry);
    }
    return entry;
  }

  #sum(): void {
    const all = this.#latest.filter((one) => one !== undefined);
    const { facts } = this;
    const sum = (of: (one: CaptureFacts) => number): number => all.reduce((total, one) => total + of(one), 0);
    facts.packets = sum(({ packets }) => packets);
    facts.capturedBytes = sum(({ capturedBytes }) => capturedBytes);
    facts.originalBytes = sum(({ originalBytes }) => originalBytes);
    facts.fileBytes = sum(({ fileBytes }) => fileBytes);
    facts.timeReversals = sum(({ timeReversals }) => timeReversals);
    const firsts = all.flatMap(({ firstNs }) => (firstNs === null ? [] : [firstNs]));
    const lasts = all.flatMap(({ lastNs }) => (lastNs === null ? [] : [lastNs]));
    facts.firstNs = firsts.length === 0 ? null : Math.min(...firsts);
    facts.lastNs = lasts.length === 0 ? null : Math.max(...lasts);
    for (const entry of facts.interfaces) Object.assign(entry, { packets: 0, received: null, dropped: null });
    this.#latest.forEach((one, worker) => {
      for (const { number, packets, received, dropped } of one.interfaces) {
        const entry = this.#entries[worker]?.get(number);
        if (entry === undefined) continue;
        entry.packets += packets;
        entry.received = added(entry.received, received);
        entry.dropped = added(entry.dropped, dropped);
      }
    });
  }
}

/** null: not known. */
export function added(one: number | null, other: number | null): number | null {
  return one === null ? other : one + (other ?? 0);
}
