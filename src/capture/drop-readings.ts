import type { DropReport } from '../model/packet.ts';

/**
 * Two readings of a capture file's counter that lie further apart do not say when packets were dropped: many programs
 * note their counters at the end only, and a mark on everything would say nothing. A live capture reads several times a
 * second, but may have to wait for a disk.
 */
export const LONGEST_DROP_SPAN_NS = 60e9;

/** Makes reports of drops out of readings of one counter: what it has counted since the reading before was dropped since then. */
export class DropReadings {
  readonly #longestNs: number;
  #timeNs: number | null = null;
  #dropped = 0;

  /** `longestNs`: readings further apart report nothing. */
  constructor(longestNs: number) {
    this.#longestNs = longestNs;
  }

  /** Was there a reading? The first one reports nothing. */
  get begun(): boolean {
    return this.#timeNs !== null;
  }

  /** `dropped`: what the counter says at `timeNs`, ns since the run's epoch. null: nothing was dropped, or nobody knows when. */
  read(interfaceNumber: number, timeNs: number, dropped: number): DropReport | null {
    const fromNs = this.#timeNs;
    const droppedBefore = this.#dropped;
    this.#timeNs = timeNs;
    this.#dropped = dropped;
    if (fromNs === null || dropped <= droppedBefore || timeNs - fromNs > this.#longestNs) return null;
    // A clock that was set back.
    return { interfaceNumber, fromNs: Math.min(fromNs, timeNs), toNs: timeNs, droppedBefore, dropped };
  }
}
