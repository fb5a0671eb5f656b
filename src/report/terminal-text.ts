/**
 * Text from traffic, made safe and measurable for a terminal. A capture is written by strangers: nothing in it
 * may move the cursor, change colours or titles, reverse the reading direction, or hide.
 */

/** Control (C0, C1, DEL), format (bidi overrides, zero width, tags), line/paragraph separators, lone surrogates, private use. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}]/gu;
const PLAIN = /^[\x20-\x7e]*$/;

function escapeCharacter(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
}

/** The same text with everything that a terminal could act on shown as `\x1b` or `\u{202e}`. */
export function sanitise(text: string): string {
  return PLAIN.test(text) ? text : text.replace(UNSAFE, escapeCharacter);
}

/** Code points that take two cells (UAX #11 Wide and Fullwidth, emoji with default emoji presentation), as ranges. */
const WIDE: readonly number[] = [
  0x1100, 0x115f, 0x231a, 0x231b, 0x2329, 0x232a, 0x23e9, 0x23ec, 0x23f0, 0x23f0, 0x23f3, 0x23f3, 0x25fd,
  0x25fe, 0x2614, 0x2615, 0x2648, 0x2653, 0x267f, 0x267f, 0x2693, 0x2693, 0x26a1, 0x26a1, 0x26aa, 0x26ab,
  0x26bd, 0x26be, 0x26c4, 0x26c5, 0x26ce, 0x26ce, 0x26d4, 0x26d4, 0x26ea, 0x26ea, 0x26f2, 0x26f3, 0x26f5,
  0x26f5, 0x26fa, 0x26fa, 0x26fd, 0x26fd, 0x2705, 0x2705, 0x270a, 0x270b, 0x2728, 0x2728, 0x274c, 0x274c,
  0x274e, 0x274e, 0x2753, 0x2755, 0x2757, 0x2757, 0x2795, 0x2797, 0x27b0, 0x27b0, 0x27bf, 0x27bf, 0x2b1b,
  0x2b1c, 0x2b50, 0x2b50, 0x2b55, 0x2b55, 0x2e80, 0x303e, 0x3041, 0x33ff, 0x3400, 0x4dbf, 0x4e00, 0x9fff,
  0xa000, 0xa4cf, 0xa960, 0xa97f, 0xac00, 0xd7a3, 0xf900, 0xfaff, 0xfe10, 0xfe19, 0xfe30, 0xfe6f, 0xff01,
  0xff60, 0xffe0, 0xffe6, 0x16fe0, 0x18cff, 0x1aff0, 0x1b2ff, 0x1f004, 0x1f004, 0x1f0cf, 0x1f0cf, 0x1f18e,
  0x1f18e, 0x1f191, 0x1f19a, 0x1f200, 0x1f320, 0x1f32d, 0x1f335, 0x1f337, 0x1f37c, 0x1f37e, 0x1f393, 0x1f3a0,
  0x1f3ca, 0x1f3cf, 0x1f3d3, 0x1f3e0, 0x1f3f0, 0x1f3f4, 0x1f3f4, 0x1f3f8, 0x1f43e, 0x1f440, 0x1f440, 0x1f442,
  0x1f4fc, 0x1f4ff, 0x1f53d, 0x1f54b, 0x1f54e, 0x1f550, 0x1f567, 0x1f57a, 0x1f57a, 0x1f595, 0x1f596, 0x1f5a4,
  0x1f5a4, 0x1f5fb, 0x1f64f, 0x1f680, 0x1f6c5, 0x1f6cc, 0x1f6cc, 0x1f6d0, 0x1f6d2, 0x1f6d5, 0x1f6d7, 0x1f6dc,
  0x1f6df, 0x1f6eb, 0x1f6ec, 0x1f6f4, 0x1f6fc, 0x1f7e0, 0x1f7eb, 0x1f7f0, 0x1f7f0, 0x1f90c, 0x1f93a, 0x1f93c,
  0x1f945, 0x1f947, 0x1f9ff, 0x1fa70, 0x1faff, 0x20000, 0x3fffd,
]; // biome-ignore format: a table of pairs

const COMBINING = /^[\p{Mn}\p{Me}]$/u;

/** Cells that one code point takes: 0, 1 or 2. */
function cellsOf(code: number, character: string): number {
  if (code < 0x300) return 1;
  let low = 0;
  let high = WIDE.length / 2 - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    if (code < WIDE[2 * middle]) high = middle - 1;
    else if (code > WIDE[2 * middle + 1]) low = middle + 1;
    else return 2;
  }
  return COMBINING.test(character) ? 0 : 1;
}

/** Cells that sanitised text takes on a terminal. */
export function displayWidth(text: string): number {
  if (PLAIN.test(text)) return text.length;
  let cells = 0;
  for (const character of text) cells += cellsOf(character.codePointAt(0) ?? 0, character);
  return cells;
}

/** The longest beginning of the text that fits into `cells`. */
function headOf(text: string, cells: number): string {
  if (PLAIN.test(text)) return text.slice(0, Math.max(0, cells));
  let used = 0;
  let kept = '';
  for (const character of text) {
    used += cellsOf(character.codePointAt(0) ?? 0, character);
    if (used > cells) break;
    kept += character;
  }
  return kept;
}

/** The longest end of the text that fits into `cells`. */
function tailOf(text: string, cells: number): string {
  if (PLAIN.test(text)) return cells <= 0 ? '' : text.slice(-cells);
  const characters = [...text];
  let used = 0;
  let first = characters.length;
  while (first > 0) {
    used += cellsOf(characters[first - 1].codePointAt(0) ?? 0, characters[first - 1]);
    if (used > cells) break;
    first -= 1;
  }
  return characters.slice(first).join('');
}

/** Shortens sanitised text to at most `cells`, with `…` where something was left out. */
export function shorten(text: string, cells: number, cut: 'end' | 'middle' = 'end'): string {
  if (displayWidth(text) <= cells) return text;
  if (cells <= 1) return cells === 1 ? '…' : '';
  if (cut === 'end') return `${headOf(text, cells - 1)}…`;
  const tail = Math.floor((cells - 1) / 2);
  return `${headOf(text, cells - 1 - tail)}…${tailOf(text, tail)}`;
}

/** Pads sanitised text with spaces to `cells`; longer text stays as it is. */
export function pad(text: string, cells: number, align: 'left' | 'right' = 'left'): string {
  const missing = cells - displayWidth(text);
  if (missing <= 0) return text;
  return align === 'left' ? text + ' '.repeat(missing) : ' '.repeat(missing) + text;
}

/** Breaks a sentence at spaces into lines of at most `cells`; words longer than a line are kept whole. */
export function wrap(text: string, cells: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && displayWidth(line) + 1 + displayWidth(word) > cells) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  lines.push(line);
  return lines;
}
