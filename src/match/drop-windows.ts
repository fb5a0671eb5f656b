/** What tells how many packets a live capture has lost, and what time it is; a LiveSource is one. */
export interface DropCounter {
  /** Since the capture began, never going back; null: it cannot be told. */
  readonly counters: { readonly dropped: number | null };
  /** By the packets' clock, ns since the run's epoch; null before the first packet. */
  readonly nowNs: number | null;
}

/** Windows kept; beyond it the two that lie closest together become one, so that time is only added. */
const MOST_WINDOWS = 256;

/**
 * Stretches of time `(from, to]` in which packets were dropped while capturing, between two readings of the counter.
 * Exchanges that overlap one of them may lack packets.
 */
export class DropWindows {
  /** In order of time, without overlap. */
  readonly #from: number[] = [];
  readonly #to: number[] = [];
  #latestNs = Number.NEGATIVE_INFINITY;
  #dropped = 0;
  #readNs = Number.NEGATIVE_INFINITY;

  /** Windows kept. */
  get count(): number {
    return this.#from.length;
  }

  /** End of the latest window: nothing that began later is touched, which is all that is asked while nothing is dropped. */
  get latestNs(): number {
    return this.#latestNs;
  }

  /** Reads the counter. What it has counted since the last reading was dropped since then. */
  observe({ counters, nowNs }: DropCounter): void {
    const dropped = counters.dropped ?? 0;
    // Before the first packet there is nothing that could be touched, but what was dropped belongs to what comes.
    if (nowNs === null) return;
    if (dropped > this.#dropped) this.#add(Math.min(this.#readNs, nowNs), nowNs);
    this.#dropped = dropped;
    this.#readNs = nowNs;
  }

  /** Whether packets were dropped between `startNs` and `endNs`, both included. */
  touched(startNs: number, endNs: number): boolean {
    if (startNs > this.#latestNs) return false;
    for (let index = this.#from.length - 1; index >= 0; index -= 1) {
      if (this.#to[index] < startNs) return false;
      if (this.#from[index] < endNs) return true;
    }
    return false;
  }

  #add(fromNs: number, toNs: number): void {
    const last = this.#to.length - 1;
    // A clock that was set back may give an earlier time than before.
    if (last >= 0 && this.#to[last] >= fromNs) {
      this.#from[last] = Math.min(this.#from[last], fromNs);
      this.#to[last] = Math.max(this.#to[last], toNs);
    } else {
      this.#from.push(fromNs);
      this.#to.push(toNs);
      if (this.#from.length > MOST_WINDOWS) this.#joinClosest();
    }
    this.#latestNs = this.#to[this.#to.length - 1];
  }

  #joinClosest(): void {
    let closest = 1;
    for (let index = 2; index < this.#from.length; index += 1) {
      if (this.#gapBefore(index) < this.#gapBefore(closest)) closest = index;
    }
    this.#from.splice(closest, 1);
    this.#to.splice(closest - 1, 1);
  }

  #gapBefore(index: number): number {
    return this.#from[index] - this.#to[index - 1];
  }
}
