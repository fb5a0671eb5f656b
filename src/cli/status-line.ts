import { shorten } from '../report/terminal-text.ts';

const REFRESH_MS = 150;

export interface StatusLineOptions {
  readonly write: (text: string) => void;
  readonly columns: () => number;
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
}

/** One line at the bottom of a terminal. Whoever prints something else clears it first. */
export class StatusLine {
  readonly #options: StatusLineOptions;
  #shownMs = Number.NEGATIVE_INFINITY;
  #shown = false;

  constructor(options: StatusLineOptions) {
    this.#options = options;
  }

  /** Calls `text` with the cells there are, only when the line is to be drawn again. */
  update(text: (cells: number) => string): void {
    const { write, columns, now } = this.#options;
    if (this.#shown && now() - this.#shownMs < REFRESH_MS) return;
    this.#shownMs = now();
    this.#shown = true;
    const cells = Math.max(1, columns() - 1);
    write(`\r${shorten(text(cells), cells)}\x1b[K`);
  }

  clear(): void {
    if (!this.#shown) return;
    this.#shown = false;
    this.#options.write('\r\x1b[K');
  }
}

/** The status line on standard error. */
export function statusLineOnStderr(): StatusLine {
  return new StatusLine({
    write: (text) => process.stderr.write(text),
    columns: () => process.stderr.columns ?? 80,
    now: () => performance.now(),
  });
}
