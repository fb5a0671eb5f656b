import type { LiveCounters } from '../../model/live.ts';
import { counted, formatCount } from '../../report/units.ts';

/** Drops are told no more often than this. */
const REST_MS = 1000;

export interface DropTellerOptions {
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
  readonly tell: (line: string) => void;
}

/** Tells when the kernel begins to drop packets, and how many, at most one line a second. */
export class DropTeller {
  readonly #options: DropTellerOptions;
  #told = 0;
  #toldMs = Number.NEGATIVE_INFINITY;

  constructor(options: DropTellerOptions) {
    this.#options = options;
  }

  tick({ dropped }: Pick<LiveCounters, 'dropped'>): void {
    if (dropped === null || dropped <= this.#told) return;
    const now = this.#options.now();
    if (now - this.#toldMs < REST_MS) return;
    const inAll = this.#told === 0 ? '' : `, ${formatCount(dropped)} in all`;
    this.#options.tell(`the kernel dropped ${counted(dropped - this.#told, 'packet')}${inAll}`);
    this.#told = dropped;
    this.#toldMs = now;
  }
}
