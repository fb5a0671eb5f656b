import type { RequestState } from './message-state.ts';

/** Shared, and never added to. */
const NONE: RequestState[] = [];

/**
 * Requests of one connection that wait for an answer, oldest first. Most of the time there is one: the oldest has
 * a place of its own, so that the usual case touches no array.
 */
export class RequestQueue {
  #first: RequestState | null = null;
  /** Those behind the first one, from `#head` on. Made when there are some, as with most connections there are none. */
  #others: RequestState[] = NONE;
  #head = 0;

  get length(): number {
    return this.#first === null ? 0 : 1 + this.#others.length - this.#head;
  }

  /** The request at place `index`, 0 being the oldest; undefined beyond the end. */
  at(index: number): RequestState | undefined {
    if (index === 0) return this.#first ?? undefined;
    // Reading an array outside of its bounds is slow.
    const place = this.#head + index - 1;
    return index > 0 && place < this.#others.length ? this.#others[place] : undefined;
  }

  push(request: RequestState): void {
    if (this.#first === null) this.#first = request;
    else {
      if (this.#others === NONE) this.#others = [];
      this.#others.push(request);
    }
  }

  shift(): RequestState | undefined {
    const request = this.#first;
    if (request === null) return undefined;
    this.#first = this.#head < this.#others.length ? this.#takeOther() : null;
    return request;
  }

  #takeOther(): RequestState {
    const request = this.#others[this.#head];
    this.#head += 1;
    if (this.#head === this.#others.length) {
      this.#others.length = 0;
      this.#head = 0;
    } else if (this.#head >= 256 && this.#head * 2 >= this.#others.length) {
      this.#others.splice(0, this.#head);
      this.#head = 0;
    }
    return request;
  }
}
