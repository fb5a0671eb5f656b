import type { Style } from '../report/style.ts';
import { pad, sanitise, shorten } from '../report/terminal-text.ts';
import { formatCount } from '../report/units.ts';
import { lineCells, reverse } from './screen-text.ts';
import type { SortOrder } from './sort-order.ts';
import type { Prompt, WatchState } from './watch-state.ts';

const PROMPT = 'filter: ';

export interface BottomLines {
  readonly lines: readonly string[];
  /** Where the cursor is shown: line of `lines` and cell; null: it is hidden. */
  readonly cursor: { readonly line: number; readonly cell: number } | null;
}

/** How many lines `bottomLines` gives. */
export function bottomHeight(state: WatchState, notices: readonly string[]): number {
  const { prompt } = state;
  if (prompt !== null) return prompt.error === null || prompt.error.mark === null ? 2 : 3;
  return isNoticeShown(state, notices) ? 2 : 1;
}

/** The last lines of the screen: the filter being typed, or what is in force and which keys there are. */
export function bottomLines(
  state: WatchState,
  notices: readonly string[],
  width: number,
  style: Style,
): BottomLines {
  if (state.prompt !== null) return promptLines(state.prompt, width, style);
  const lines: string[] = [];
  if (isNoticeShown(state, notices)) lines.push(style.yellow(noticeText(notices, width)));
  lines.push(keysText(state, width, style));
  return { lines, cursor: null };
}

/** Until the messages have been looked at. */
function isNoticeShown({ overlay, noticesRead }: WatchState, notices: readonly string[]): boolean {
  const { count, last } = noticesRead;
  return overlay === null && notices.length > 0 && (notices.length > count || notices.at(-1) !== last);
}

function noticeText(notices: readonly string[], width: number): string {
  const all = notices.length > 1 ? `all ${formatCount(notices.length)} messages` : 'messages';
  const more = `  (m: ${all})`;
  return shorten(sanitise(notices[notices.length - 1]), Math.max(10, width - more.length)) + more;
}

function promptLines({ editor, error }: Prompt, width: number, style: Style): BottomLines {
  const window = editor.window(Math.max(1, width - PROMPT.length), error?.mark ?? null);
  const lines = [`${style.bold(PROMPT)}${window.text}`];
  const cursor = { line: 0, cell: Math.min(width - 1, PROMPT.length + window.cursor) };
  if (error === null) {
    lines.push(style.dim('Enter: apply  Esc: leave  empty: no filter  up: filters used before'));
    return { lines, cursor };
  }
  const { mark } = window;
  if (mark !== null) {
    lines.push(style.red(`${' '.repeat(PROMPT.length + mark.from)}${'^'.repeat(mark.to - mark.from)}`));
  }
  lines.push(style.red(sanitise(error.text)));
  return { lines, cursor };
}

/** What changes the rows that are seen, most important first. */
export function inForce(state: WatchState): string[] {
  const parts: string[] = [];
  const { order } = state.view;
  if (state.newer !== null) parts.push(`paused, ${formatCount(state.newer)} newer`);
  if (order !== null) parts.push(`by ${order.column}, ${directionText(order)}`);
  if (state.errorsOnly) parts.push('errors only');
  if (state.filterText !== '') parts.push(`filter: ${state.filterText}`);
  return parts;
}

function directionText({ column, descending }: SortOrder): string {
  if (column === 'time') return descending ? 'newest first' : 'oldest first';
  if (column === 'total' || column === 'wait') return descending ? 'slowest first' : 'fastest first';
  if (column === 'status' || column === 'bytes') return descending ? 'largest first' : 'smallest first';
  return descending ? 'Z to A' : 'A to Z';
}

function keysText(state: WatchState, width: number, style: Style): string {
  if (state.isStopping) return style.bold('Ending the capture …');
  if (state.overlay !== null) return fitKeys(['Esc: back', 'j k: scroll'], '', width);
  const { list, position, follows, order } = state.view;
  const count = list.end - list.begin;
  const place =
    count === 0 ? 'no rows' : `${formatCount(position - list.begin + 1)} of ${formatCount(count)}`;
  if (state.detail !== null)
    return fitKeys(['Esc: back', 'n p: next, previous', 'j k: scroll'], place, width);
  const keys = ['?: help', '/: filter', 's: slowest', 'e: errors', 'p: pause', 'Enter: detail', 'q: quit'];
  if (state.newer !== null) keys[4] = 'p: go on';
  return fitKeys(
    keys,
    follows && order === null && state.newer === null ? `${place}, following` : place,
    width,
  );
}

/** Keys on the left as far as they fit, the place in the list on the right. */
function fitKeys(keys: readonly string[], place: string, width: number): string {
  let line = '';
  for (const key of keys) {
    const longer = line === '' ? key : `${line}  ${key}`;
    if (lineCells(longer) + 2 + place.length > width && line !== '') break;
    line = longer;
  }
  return reverse(pad(pad(line, width - place.length) + place, width));
}
