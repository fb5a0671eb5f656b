import type { CaptureInterface } from '../../../model/packet.ts';

interface Counted {
  readonly received: number | null;
  readonly dropped: number | null;
}

/**
 * The kernel's counters since the beginning of a file. They count from the beginning of the capture, and files of
 * one recording are read together, so that each says what belongs to it.
 */
export class InterfaceCounters {
  readonly #atBeginning = new Map<number, Counted>();
  readonly #written = new Map<number, Counted>();

  /** A file begins. */
  begin(interfaces: readonly CaptureInterface[]): void {
    this.#written.clear();
    for (const { number, received, dropped } of interfaces)
      this.#atBeginning.set(number, { received, dropped });
  }

  /** Packets of an interface that were dropped before the file began. */
  droppedBefore(number: number): number {
    return this.#atBeginning.get(number)?.dropped ?? 0;
  }

  /** What is to be noted of an interface; null: nothing has changed since the last note in this file. */
  news({ number, received, dropped }: CaptureInterface): Counted | null {
    const before = this.#atBeginning.get(number);
    const since = {
      received: received === null ? null : received - (before?.received ?? 0),
      dropped: dropped === null ? null : dropped - (before?.dropped ?? 0),
    };
    const last = this.#written.get(number);
    if (last?.received === since.received && last?.dropped === since.dropped) return null;
    this.#written.set(number, since);
    return since;
  }
}
