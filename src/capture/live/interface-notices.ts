import type { LiveNotice } from '../../model/live.ts';

/** Notices about interfaces that are told one by one within a window; the further ones are counted and told as one. */
export const NOTICES_PER_WINDOW = 20;
/** Length of the window, which begins with its first notice. */
export const NOTICE_WINDOW_MS = 10_000;

/** What has happened to an interface: the notice's code, and how several are worded. */
const WORDS = {
  'interface-gone': ['is gone', 'are gone'],
  'interface-back': ['is back', 'are back'],
  'interface-new': ['is new', 'are new'],
} as const;
export type InterfaceChange = keyof typeof WORDS;
const CHANGES = Object.keys(WORDS) as InterfaceChange[];

/**
 * Tells of interfaces that come and go, but never more than a reader can follow: where a whole node is rolled, the
 * rest of each window comes as one notice, `interfaces-changed`, with their numbers.
 */
export class InterfaceNotices {
  readonly #onNotice: (notice: LiveNotice) => void;
  /** Milliseconds of a clock that never goes back. */
  readonly #now: () => number;
  #sinceMs = Number.NEGATIVE_INFINITY;
  #told = 0;
  readonly #untold = new Map<InterfaceChange, number>();

  constructor(onNotice: (notice: LiveNotice) => void, now: () => number) {
    this.#onNotice = onNotice;
    this.#now = now;
  }

  /** `text` is told when there is room. */
  tell(code: InterfaceChange, text: string): void {
    this.tick();
    if (this.#told >= NOTICES_PER_WINDOW) {
      this.#untold.set(code, (this.#untold.get(code) ?? 0) + 1);
      return;
    }
    if (this.#told === 0) this.#sinceMs = this.#now();
    this.#told += 1;
    this.#onNotice({ code, text });
  }

  /** To be called at times: ends a window that is over. */
  tick(): void {
    if (this.#told > 0 && this.#now() - this.#sinceMs >= NOTICE_WINDOW_MS) this.finish();
  }

  /** Tells what has been counted. */
  finish(): void {
    this.#told = 0;
    const parts = CHANGES.flatMap((code) => {
      const count = this.#untold.get(code) ?? 0;
      if (count === 0) return [];
      return [`${count} ${WORDS[code][count === 1 ? 0 : 1]}`];
    });
    this.#untold.clear();
    if (parts.length === 0) return;
    this.#onNotice({ code: 'interfaces-changed', text: `of further interfaces ${parts.join(', ')}` });
  }
}
