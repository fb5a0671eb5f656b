/** Windows kept; beyond it the two that lie closest together become one, so that time is only added. */
const MOST_WINDOWS = 256;

/**
 * Stretches of time `(from, to]`, ns since the run's epoch, in which packets were dropped while capturing. Exchanges
 * that overlap one of them may lack packets.
 */
export class DropWindows {
  /** In order of time, without overlap. */
  readonly #from: number[] = [];
  readonly #to: number[] = [];
  #latestNs = Number.NEGATIVE_INFINITY;

  /** Windows kept. */
  get count(): number {
    return this.#from.length;
  }

  /** End of the latest window: nothing that began later is touched, which is all that is asked while nothing is dropped. */
  get latestNs(): number {
    return this.#latestNs;
  }

  /** Adds a window, in any order; those that it meets become one with it. */
  add(fromNs: number, toNs: number): void {
    // Nearly always it is the latest.
    let end = this.#from.length;
    while (end > 0 && this.#from[end - 1] > toNs) end -= 1;
    let begin = end;
    while (begin > 0 && this.#to[begin - 1] >= fromNs) begin -= 1;
    const met = begin < end;
    this.#from.splice(begin, end - begin, met ? Math.min(this.#from[begin], fromNs) : fromNs);
    this.#to.splice(begin, end - begin, met ? Math.max(this.#to[end - 1], toNs) : toNs);
    if (this.#from.length > MOST_WINDOWS) this.#joinClosest();
    this.#latestNs = this.#to[this.#to.length - 1];
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
