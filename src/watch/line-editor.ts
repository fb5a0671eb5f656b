import { displayWidth, sanitise } from '../report/terminal-text.ts';
import type { Key } from './key.ts';

/** Characters of a line; what comes beyond is left out. */
const LINE_CHARACTERS = 4096;
/** Lines remembered. */
const HISTORY_LINES = 50;

/** Lines entered before, oldest first. */
export class LineHistory {
  readonly lines: string[] = [];

  add(line: string): void {
    const index = this.lines.indexOf(line);
    if (index >= 0) this.lines.splice(index, 1);
    this.lines.push(line);
    if (this.lines.length > HISTORY_LINES) this.lines.shift();
  }
}

/** The part of a line that is shown: safe for a terminal. */
export interface LineWindow {
  readonly text: string;
  /** Cells before the cursor. */
  readonly cursor: number;
  /** Cells of `text` that show the marked part, `[from, to)`; null: nothing is marked. */
  readonly mark: { readonly from: number; readonly to: number } | null;
}

/** One line of text being typed. */
export class LineEditor {
  #characters: string[];
  #cursor: number;
  readonly #history: LineHistory;
  /** Place in the history; its length: the line that is being typed. */
  #place: number;
  #typed = '';

  constructor(text: string, history: LineHistory) {
    this.#characters = [...text];
    this.#cursor = this.#characters.length;
    this.#history = history;
    this.#place = history.lines.length;
  }

  get text(): string {
    return this.#characters.join('');
  }

  /** True when the key did something to the line. Enter and Esc are the caller's. */
  key(key: Key): boolean {
    if (key.kind === 'character') return this.#insert([key.text]);
    // A pasted line break would otherwise stand in the expression unseen.
    if (key.kind === 'paste')
      return this.#insert([...key.text.trim().replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ')]);
    switch (key.name) {
      case 'left':
      case 'ctrl-b':
        return this.#move(this.#cursor - 1);
      case 'right':
      case 'ctrl-f':
        return this.#move(this.#cursor + 1);
      case 'home':
      case 'ctrl-a':
        return this.#move(0);
      case 'end':
      case 'ctrl-e':
        return this.#move(this.#characters.length);
      case 'backspace':
        return this.#remove(this.#cursor - 1, this.#cursor);
      case 'delete':
      case 'ctrl-d':
        return this.#remove(this.#cursor, this.#cursor + 1);
      case 'ctrl-u':
        return this.#remove(0, this.#cursor);
      case 'ctrl-k':
        return this.#remove(this.#cursor, this.#characters.length);
      case 'ctrl-w':
        return this.#remove(this.#wordStart(), this.#cursor);
      case 'up':
      case 'ctrl-p':
        return this.#recall(this.#place - 1);
      case 'down':
      case 'ctrl-n':
        return this.#recall(this.#place + 1);
      default:
        return false;
    }
  }

  /** What fits into `cells` around the cursor. `mark`: `[start, end)` of the text in UTF-16 units. */
  window(cells: number, mark: { start: number; end: number } | null): LineWindow {
    const pieces = this.#characters.map((character) => {
      const shown = sanitise(character);
      return { shown, width: displayWidth(shown), units: character.length };
    });
    const room = Math.max(1, cells - 1);
    let first = this.#cursor;
    let used = 0;
    while (first > 0 && used + pieces[first - 1].width <= room) {
      first -= 1;
      used += pieces[first].width;
    }
    const cursor = used;
    let text = '';
    let width = 0;
    let unit = pieces.slice(0, first).reduce((sum, { units }) => sum + units, 0);
    let from = mark === null || mark.start < unit ? 0 : -1;
    let to = 0;
    for (let index = first; index < pieces.length; index += 1) {
      const piece = pieces[index];
      if (width + piece.width > room) break;
      if (mark !== null && from < 0 && unit >= mark.start) from = width;
      text += piece.shown;
      width += piece.width;
      unit += piece.units;
      if (mark !== null && unit <= mark.end) to = width;
    }
    if (mark === null) return { text, cursor, mark: null };
    if (from < 0) from = Math.min(width, room - 1);
    return { text, cursor, mark: { from, to: Math.max(from + 1, to) } };
  }

  #insert(characters: string[]): boolean {
    const fitting = characters.slice(0, Math.max(0, LINE_CHARACTERS - this.#characters.length));
    this.#characters.splice(this.#cursor, 0, ...fitting);
    this.#cursor += fitting.length;
    return fitting.length > 0;
  }

  #move(to: number): boolean {
    const cursor = Math.max(0, Math.min(this.#characters.length, to));
    const moved = cursor !== this.#cursor;
    this.#cursor = cursor;
    return moved;
  }

  #remove(from: number, to: number): boolean {
    const start = Math.max(0, from);
    const removed = this.#characters.splice(start, Math.max(0, to - start));
    this.#cursor = Math.min(start, this.#characters.length);
    return removed.length > 0;
  }

  #wordStart(): number {
    let start = this.#cursor;
    while (start > 0 && this.#characters[start - 1] === ' ') start -= 1;
    while (start > 0 && this.#characters[start - 1] !== ' ') start -= 1;
    return start;
  }

  #recall(place: number): boolean {
    const { lines } = this.#history;
    if (place < 0 || place > lines.length) return false;
    if (this.#place === lines.length) this.#typed = this.text;
    this.#place = place;
    this.#characters = [...(place === lines.length ? this.#typed : lines[place])];
    this.#cursor = this.#characters.length;
    return true;
  }
}
