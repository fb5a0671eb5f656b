import type { CaptureFacts } from '../model/packet.ts';

/** Windows that one capture may be divided into; wider windows are asked for where it would be more. */
const MOST_WINDOWS = 100_000;

/**
 * When captures were running: first to last packet of each, times that several cover counted once. What a rate
 * is a rate of.
 */
export class WatchedTime {
  readonly #spans: (readonly [fromNs: number, toNs: number])[] = [];

  constructor(captures: readonly CaptureFacts[]) {
    const spans = captures
      .flatMap(({ firstNs, lastNs }) => (firstNs === null || lastNs === null ? [] : [[firstNs, lastNs]]))
      .sort((a, b) => a[0] - b[0]);
    for (const [fromNs, toNs] of spans) {
      const before = this.#spans[this.#spans.length - 1];
      if (before !== undefined && fromNs <= before[1])
        this.#spans[this.#spans.length - 1] = [before[0], Math.max(before[1], toNs)];
      else this.#spans.push([fromNs, toNs]);
    }
  }

  get totalNs(): number {
    return this.#spans.reduce((sum, [fromNs, toNs]) => sum + (toNs - fromNs), 0);
  }

  /** Number of each window of that width which was watched, and for how long, in ns above 0. */
  byWindow(widthNs: number): Map<number, number> {
    const watched = new Map<number, number>();
    for (const [fromNs, toNs] of this.#spans) {
      const last = Math.floor(toNs / widthNs);
      for (
        let index = Math.floor(fromNs / widthNs);
        index <= last && watched.size < MOST_WINDOWS;
        index += 1
      ) {
        const ns = Math.min(toNs, (index + 1) * widthNs) - Math.max(fromNs, index * widthNs);
        if (ns > 0) watched.set(index, (watched.get(index) ?? 0) + ns);
      }
    }
    return watched;
  }
}
