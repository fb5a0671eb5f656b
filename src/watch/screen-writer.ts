import type { Screen } from './watch-screen.ts';

/** Alternate screen (xterm 1049), no line wrap at the margin, cursor hidden, bracketed paste. */
const ENTER = '\x1b[?1049h\x1b[?7l\x1b[?25l\x1b[?2004h\x1b[0m\x1b[2J';
const LEAVE = '\x1b[0m\x1b[?2004l\x1b[?25h\x1b[?7h\x1b[?1049l';

/** Puts screens on a terminal. Of two that follow each other only the lines that differ are written. */
export class ScreenWriter {
  readonly #write: (text: string) => void;
  #shown: readonly string[] = [];
  #cursor = '';
  #isOpen = false;

  constructor(write: (text: string) => void) {
    this.#write = write;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Takes the whole screen. */
  enter(): void {
    this.#isOpen = true;
    this.#shown = [];
    this.#cursor = '';
    this.#write(ENTER);
  }

  /** Gives it back as it was before. */
  leave(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#write(LEAVE);
  }

  /** The next screen is written whole: the terminal may show something else than what is known of it. */
  forget(): void {
    if (!this.#isOpen) return;
    this.#shown = [];
    this.#cursor = '';
    this.#write('\x1b[0m\x1b[2J');
  }

  draw({ lines, cursor }: Screen): void {
    if (!this.#isOpen) return;
    let text = '';
    lines.forEach((line, index) => {
      // Erased before it is written: a line that fills the screen leaves the cursor on its last cell.
      if (line !== (this.#shown[index] ?? '')) text += `\x1b[${index + 1};1H\x1b[K${line}`;
    });
    const place = cursor === null ? '\x1b[?25l' : `\x1b[${cursor.line + 1};${cursor.cell + 1}H\x1b[?25h`;
    if (text !== '' && cursor !== null) text = `\x1b[?25l${text}`;
    if (text !== '' || place !== this.#cursor) text += place;
    this.#shown = lines;
    this.#cursor = place;
    if (text !== '') this.#write(text);
  }
}
