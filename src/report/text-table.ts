import type { Paint, Style } from './style.ts';
import { displayWidth, shorten } from './terminal-text.ts';

/** A column of a table made of text. Its cells are sanitised already. */
export interface Column {
  readonly title: string;
  readonly align?: 'left' | 'right';
  /** Fewest cells to which it may be shortened; without it the column keeps its natural width. */
  readonly shrinkTo?: number;
  readonly cut?: 'end' | 'middle';
  /** Fewest cells to begin with, for columns whose later rows may be wider than those that are known yet. */
  readonly reserve?: number;
  /** Columns that are left out when there is no room, highest number first; without it the column stays. */
  readonly expendable?: number;
}

export interface Cell {
  readonly text: string;
  readonly paint?: Paint | undefined;
}

export type Row = readonly (string | Cell)[];

/** Width of each column; -1: left out. */
export type Widths = readonly number[];

const GAP = '  ';

function textOf(cell: string | Cell): string {
  return typeof cell === 'string' ? cell : cell.text;
}

function lineWidth(widths: readonly number[]): number {
  let total = 0;
  let shown = 0;
  for (const width of widths) {
    if (width < 0) continue;
    total += width;
    shown += 1;
  }
  return total + Math.max(0, shown - 1) * GAP.length;
}

/** Takes `excess` cells from the columns that may shrink, always from the widest one. */
function shrink(columns: readonly Column[], widths: number[], excess: number): void {
  while (excess > 0) {
    let widest = -1;
    for (let index = 0; index < columns.length; index += 1) {
      const least = columns[index].shrinkTo;
      if (least === undefined || widths[index] <= least) continue;
      if (widest < 0 || widths[index] > widths[widest]) widest = index;
    }
    if (widest < 0) return;
    widths[widest] -= 1;
    excess -= 1;
  }
}

/** Fits columns into `width` cells: natural widths, then shortening, then leaving out; Infinity: no bound. */
export function fitColumns(columns: readonly Column[], rows: readonly Row[], width: number): Widths {
  const natural = columns.map((column, index) => {
    let cells = Math.max(displayWidth(column.title), column.reserve ?? 0);
    for (const row of rows) cells = Math.max(cells, displayWidth(textOf(row[index])));
    return cells;
  });
  if (width === Number.POSITIVE_INFINITY) return natural;
  const dropOrder = columns
    .map((column, index) => ({ index, rank: column.expendable ?? -1 }))
    .filter(({ rank }) => rank >= 0)
    .sort((a, b) => b.rank - a.rank);
  const left = new Set<number>();
  for (;;) {
    const widths = natural.map((cells, index) => (left.has(index) ? -1 : cells));
    shrink(columns, widths, lineWidth(widths) - width);
    const next = dropOrder.shift();
    if (next === undefined || lineWidth(widths) <= width) return widths;
    left.add(next.index);
  }
}

/** One line of the table. `bounded`: text longer than its column is cut, otherwise it runs over. */
export function formatRow(columns: readonly Column[], widths: Widths, row: Row, bounded: boolean): string {
  let line = '';
  let waiting = '';
  for (let index = 0; index < columns.length; index += 1) {
    const cells = widths[index];
    if (cells < 0) continue;
    const column = columns[index];
    const cell = row[index];
    const whole = textOf(cell);
    const text = bounded ? shorten(whole, cells, column.cut) : whole;
    const painted = typeof cell === 'string' || cell.paint === undefined ? text : cell.paint(text);
    const room = ' '.repeat(Math.max(0, cells - displayWidth(text)));
    // Spaces wait until something follows them, so that no line ends in blanks.
    if (column.align === 'right') {
      if (text !== '') line += waiting + room + painted;
      waiting = text === '' ? waiting + room + GAP : GAP;
    } else {
      if (text !== '') line += waiting + painted;
      waiting = text === '' ? waiting + room + GAP : room + GAP;
    }
  }
  return line;
}

/** Column titles as a line. */
export function formatTitles(columns: readonly Column[], widths: Widths, style: Style): string {
  const titles = columns.map((column) => column.title);
  return style.dim(formatRow(columns, widths, titles, true));
}

/** Titles and rows, each line indented. `width` counts the indent. */
export function renderTable(
  columns: readonly Column[],
  rows: readonly Row[],
  width: number,
  style: Style,
  indent = '  ',
): string[] {
  const widths = fitColumns(columns, rows, width - indent.length);
  const bounded = width !== Number.POSITIVE_INFINITY;
  return [
    indent + formatTitles(columns, widths, style),
    ...rows.map((row) => indent + formatRow(columns, widths, row, bounded)),
  ];
}
