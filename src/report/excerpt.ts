import type { Excerpt } from '../model/errors.ts';
import { displayWidth, sanitise } from './terminal-text.ts';

/** Cells before the mistake that are kept when the text is too long to be shown whole. */
const CELLS_BEFORE = 24;

/**
 * The text with a line of carets under the mistake, both safe for a terminal. Of a long text only what is around
 * the mistake, with `…` where something was left out; at most `cells` wide, and then the carets end there too.
 */
export function excerptLines({ text, start, end }: Excerpt, cells: number): [text: string, carets: string] {
  const whole = pieces(text.slice(0, start)).reduce((sum, { width }) => sum + width, 0);
  const before = pieces(text.slice(0, start));
  const after = pieces(text.slice(start));
  let cut = false;
  let room = whole;
  if (whole + 2 > cells - 8) {
    room = 0;
    let first = before.length;
    while (first > 0 && room + before[first - 1].width <= CELLS_BEFORE) {
      first -= 1;
      room += before[first].width;
    }
    cut = first > 0;
    before.splice(0, first);
  }
  const indent = room + (cut ? 1 : 0);
  let line = (cut ? '…' : '') + before.map(({ shown }) => shown).join('');
  let carets = 0;
  let used = indent;
  let place = start;
  for (const { shown, width, units } of after) {
    if (used + width > cells - 1) {
      line += '…';
      break;
    }
    line += shown;
    used += width;
    if (place < end) carets += width;
    place += units;
  }
  return [line.trimEnd(), `${' '.repeat(indent)}${'^'.repeat(Math.max(1, carets))}`];
}

interface Piece {
  readonly shown: string;
  readonly width: number;
  readonly units: number;
}

/** Character by character, as shown; white space of any kind is one space. */
function pieces(text: string): Piece[] {
  return [...text].map((character) => {
    const shown = /\s/.test(character) ? ' ' : sanitise(character);
    return { shown, width: displayWidth(shown), units: character.length };
  });
}
