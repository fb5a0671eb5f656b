import type { RingSocket } from './ring-socket.ts';

/** A stopped capture waits this long at most for the block that the kernel has open, in steps. */
const LAST_BLOCK_MS = 500;
export const LAST_STEP_MS = 5;
/** Looks in a row that must find nothing before it is over: a packet may be on its way into the ring. */
const LAST_LOOKS = 2;

/** When a stopped capture has given out all that the kernel had taken before. */
export class Ending {
  readonly #stoppedMs: number;
  readonly #sealed: boolean;
  #lastBlockMs: number;
  #emptyLooks = 0;

  /** `sealed`: the kernel adds no packets. Else what comes within a moment still belongs to the capture. */
  constructor(nowMs: number, sealed: boolean) {
    this.#stoppedMs = nowMs;
    this.#lastBlockMs = nowMs;
    this.#sealed = sealed;
  }

  /** To be asked when a block is ready and before each wait. */
  isOver(ring: RingSocket, nowMs: number): boolean {
    if (ring.ready) {
      this.#lastBlockMs = nowMs;
      this.#emptyLooks = 0;
      return !this.#sealed && nowMs - this.#stoppedMs > LAST_BLOCK_MS;
    }
    this.#emptyLooks = ring.empty ? this.#emptyLooks + 1 : 0;
    return this.#emptyLooks >= LAST_LOOKS || nowMs - this.#lastBlockMs > LAST_BLOCK_MS;
  }
}
