import type { CaptureFacts, RunClock } from '../model/packet.ts';
import type { Style } from '../report/style.ts';
import { sanitise, shorten } from '../report/terminal-text.ts';
import { lastPacketNs } from '../report/wall-clock.ts';
import { bottomHeight, bottomLines, inForce } from './bottom-lines.ts';
import { detailLines } from './detail-lines.ts';
import { helpLines, messageLines } from './help-lines.ts';
import { asciiLine, clip } from './screen-text.ts';
import { type RowContext, rowLine, tableLayout, titleLine } from './table-layout.ts';
import type { WatchState } from './watch-state.ts';
import { budgetText, titleText, type WatchStatus } from './watch-status.ts';

/** A screen with fewer lines shows rows instead of the lines at the top. */
const LINES_FOR_STATUS = 6;
const HEAD_LINES = 3;

export interface ScreenOptions {
  readonly columns: number;
  readonly rows: number;
  readonly style: Style;
  readonly colors: boolean;
  /** False: only ASCII leaves. */
  readonly unicode: boolean;
  readonly clock: RunClock;
  readonly captures: readonly CaptureFacts[];
  readonly maxRows: number;
  /** Milliseconds of a clock that never goes back. */
  readonly nowMs: number;
}

/** What the terminal is to show: exactly `rows` lines, none wider than `columns`. */
export interface Screen {
  readonly lines: readonly string[];
  /** 0-based; null: hidden. */
  readonly cursor: { readonly line: number; readonly cell: number } | null;
}

/** Draws the state. Tells the state how much room there was, so that its selection and scrolling fit. */
export function renderScreen(state: WatchState, status: WatchStatus, options: ScreenOptions): Screen {
  const columns = Math.max(1, options.columns);
  const rows = Math.max(1, options.rows);
  const fitted = { ...options, columns, rows };
  if (state.overlay === 'messages') {
    state.noticesRead = { count: status.notices.length, last: status.notices.at(-1) };
  }
  const headHeight = rows >= LINES_FOR_STATUS ? HEAD_LINES : 0;
  const room = Math.max(1, rows - headHeight - bottomHeight(state, status.notices));
  const over = overLines(state, status, fitted);
  const tableRows = Math.max(1, room - 1);
  state.settle({ tableRows, pageLines: room, lines: over?.length ?? 0, nowMs: options.nowMs });
  const head = headHeight > 0 ? headLines(state, status, fitted) : [];
  const bottom = bottomLines(state, status.notices, columns, options.style);
  const body =
    over === null
      ? tableLines(state, tableRows, fitted)
      : over.slice(state.scroller.line, state.scroller.line + room);
  while (body.length < room) body.push('');
  const all = [...head, ...body.slice(0, room), ...bottom.lines];
  // On a screen of very few lines the bottom ones matter most.
  const lines = all.slice(Math.max(0, all.length - rows)).map((line) => {
    const clipped = clip(line, columns);
    return options.unicode ? clipped : asciiLine(clipped);
  });
  while (lines.length < rows) lines.push('');
  const { cursor } = bottom;
  const cursorLine = rows - bottom.lines.length + (cursor?.line ?? 0);
  return {
    lines,
    cursor: cursor === null || cursorLine < 0 ? null : { line: cursorLine, cell: cursor.cell },
  };
}

function headLines(state: WatchState, status: WatchStatus, { columns, style }: ScreenOptions): string[] {
  const lines = [titleText(status, columns, style), budgetText(status, columns, style)];
  const force = inForce(state);
  lines.push(force.length === 0 ? '' : style.yellow(shorten(sanitise(force.join('  ')), columns)));
  return lines;
}

/** What lies over the list; null: the list is seen. */
function overLines(state: WatchState, status: WatchStatus, options: ScreenOptions): string[] | null {
  const { columns, style, clock, captures, maxRows } = options;
  if (state.overlay === 'help') return helpLines(columns, style, maxRows);
  if (state.overlay === 'messages') return messageLines(status.notices, columns, style);
  if (state.detail !== null) return detailLines(state.detail, { width: columns, style, clock, captures });
  return null;
}

function tableLines(state: WatchState, tableRows: number, options: ScreenOptions): string[] {
  const { columns, style, colors, clock, captures } = options;
  const { view } = state;
  const layout = tableLayout(columns);
  const column = view.order?.column;
  const context: RowContext = {
    width: columns,
    layout,
    style,
    colors,
    clock,
    captureEndNs: lastPacketNs(captures),
    tellsSlowness: column === 'total' || column === 'wait',
  };
  const lines = [titleLine(layout, view.order, style)];
  const { list, top } = view;
  for (let position = top; position < Math.min(list.end, top + tableRows); position += 1) {
    lines.push(rowLine(list.at(position), position === view.position, context));
  }
  if (list.end === list.begin) lines.push('', `  ${style.dim(emptyText(state))}`);
  return lines;
}

function emptyText(state: WatchState): string {
  if (state.filterText !== '')
    return 'No exchange that is kept passes the filter. New ones will be shown here.';
  if (state.errorsOnly) return 'No errors. New ones will be shown here.';
  return 'No exchange yet. One is shown when its answer has ended.';
}
