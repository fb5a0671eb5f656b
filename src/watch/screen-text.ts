import { displayWidth } from '../report/terminal-text.ts';

/** ECMA-48 SGR 7 and 27: reverse video, which terminals without colours have too. */
export function reverse(text: string): string {
  return text === '' ? text : `\x1b[7m${text}\x1b[27m`;
}

const PIECES = /\x1b\[[\d;]*m|[^\x1b]+/g;

/** Cells that a styled line takes. */
export function lineCells(line: string): number {
  return displayWidth(line.replace(/\x1b\[[\d;]*m/g, ''));
}

/** A styled line cut to at most `cells`. What it sets is undone, also where it is cut. */
export function clip(line: string, cells: number): string {
  if (lineCells(line) <= cells) return line;
  let used = 0;
  let clipped = '';
  for (const [piece] of line.matchAll(PIECES)) {
    if (piece.startsWith('\x1b')) {
      clipped += piece;
      continue;
    }
    for (const character of piece) {
      const width = displayWidth(character);
      if (used + width > cells) {
        used = cells;
        break;
      }
      used += width;
      clipped += character;
    }
  }
  return clipped;
}

const ASCII: Readonly<Record<string, string>> = {
  '…': '~',
  '–': '-',
  µ: 'u',
  '█': '#',
  '·': '.',
  '▲': '^',
  '▼': 'v',
  '←': '<',
  '→': '>',
  '↑': '^',
  '↓': 'v',
};

/** The line for a terminal that knows only ASCII, cell by cell: what has no likeness becomes `?`. */
export function asciiLine(line: string): string {
  return line.replace(
    /[^\x00-\x7f]/gu,
    (character) => ASCII[character] ?? '?'.repeat(displayWidth(character)),
  );
}
