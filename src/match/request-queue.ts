import type { RequestState } from './message-state.ts';

/** Requests of one connection that wait for an answer, oldest first. */
export class RequestQueue {
  readonly #items: RequestState[] = [];
  #head = 0;

  get length(): number {
    return this.#items.length - this.#head;
  }

  /** The request at place `index`, 0 being the oldest; undefined beyond the end. */
  at(index: number): RequestState | undefined {
    // Reading an array outside of its bounds is slow, and asking an empty queue is the usual case.
    return index >= 0 && index < this.#items.length - this.#head
      ? this.#items[this.#head + index]
      : undefined;
  }

  push(request: RequestState): void {
    this.#items.push(request);
  }

  shift(): RequestState | undefined {
    if (this.#head >= this.#items.length) return undefined;
    const request = this.#items[this.#head];
    this.#head += 1;
    if (this.#head === this.#items.length) {
      this.#items.length = 0;
      this.#head = 0;
    } else if (this.#head >= 256 && this.#head * 2 >= this.#items.length) {
      this.#items.splice(0, this.#head);
      this.#head = 0;
    }
    return request;
  }
}
