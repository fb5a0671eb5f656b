import type { Exchange } from '../model/exchange.ts';
import type { RunClock } from '../model/packet.ts';
import { startNs, totalNs, waitNs } from '../model/phases.ts';
import { requestText, statusPaint, statusText } from '../report/exchange-text.ts';
import type { Paint, Style } from '../report/style.ts';
import { displayWidth, pad, sanitise, shorten } from '../report/terminal-text.ts';
import { formatBytes, formatDuration } from '../report/units.ts';
import { timeOfDay } from '../report/wall-clock.ts';
import { waitedNs, why, whyOdd } from '../report/why.ts';
import { reverse } from './screen-text.ts';
import { COLUMN_NAMES, type ColumnName, type SortOrder } from './sort-order.ts';

/** Cells before the first column, for the mark of the selected row. */
const MARK_CELLS = 2;
/** Fewest cells of the request for the sake of which further columns are left out. */
const REQUEST_CELLS = 30;
/** From so many cells on columns stand two cells apart. */
const ROOMY_CELLS = 150;
const DURATION_CELLS = 8;

/** Shown at any width; `request` takes what is left. */
const ESSENTIAL = { time: 8, method: 8, status: 8, total: DURATION_CELLS, wait: DURATION_CELLS } as const;
/** Shown where there is room, the most telling first. `milliseconds` makes the time that much wider. */
const FURTHER = [
  ['bytes', 8],
  ['outcome', 24],
  ['client', 21],
  ['server', 21],
  ['milliseconds', 4],
] as const;
/** An outcome as wide as its longest phrases; the rest is the request's. */
const OUTCOME_CELLS = 48;

type ShownColumn = ColumnName | 'outcome';

/** The columns that fit, in order, with their widths. */
export interface TableLayout {
  readonly columns: readonly { readonly name: ShownColumn; readonly cells: number }[];
  readonly gap: string;
  readonly milliseconds: boolean;
}

/** Depends on the width alone, so that columns do not jump while rows come. */
export function tableLayout(width: number): TableLayout {
  const gap = width >= ROOMY_CELLS ? 2 : 1;
  const shown = new Map<string, number>(Object.entries(ESSENTIAL));
  let room = width - MARK_CELLS;
  for (const cells of shown.values()) room -= cells + gap;
  for (const [name, cells] of FURTHER) {
    const needed = name === 'milliseconds' ? cells : cells + gap;
    if (room - needed < REQUEST_CELLS) continue;
    shown.set(name, cells);
    room -= needed;
  }
  const outcome = shown.get('outcome');
  if (outcome !== undefined) {
    const more = Math.max(0, Math.min(OUTCOME_CELLS - outcome, Math.floor((room - REQUEST_CELLS) / 2)));
    shown.set('outcome', outcome + more);
    room -= more;
  }
  shown.set('request', Math.max(1, room));
  const milliseconds = shown.has('milliseconds');
  if (milliseconds) shown.set('time', ESSENTIAL.time + 4);
  const names: readonly ShownColumn[] = [...COLUMN_NAMES, 'outcome'];
  const columns = names.flatMap((name) => {
    const cells = shown.get(name);
    return cells === undefined ? [] : [{ name, cells }];
  });
  return { columns, gap: ' '.repeat(gap), milliseconds };
}

const RIGHT: ReadonlySet<ShownColumn> = new Set(['total', 'wait', 'bytes']);
const MIDDLE: ReadonlySet<ShownColumn> = new Set(['client', 'server', 'request']);

/** `1 time 2 method …`: the key that sorts by a column before its name, and between them which way it is sorted. */
export function titleLine(layout: TableLayout, order: SortOrder | null, style: Style): string {
  const titles = layout.columns.map(({ name, cells }) => {
    const digit = COLUMN_NAMES.indexOf(name as ColumnName) + 1;
    const mark = order?.column !== name ? ' ' : order.descending ? '▼' : '▲';
    const title = digit === 0 ? name : `${digit}${mark}${name}`;
    const text = pad(shorten(title, cells), cells, RIGHT.has(name) ? 'right' : 'left');
    return order?.column === name ? style.bold(text) : style.dim(text);
  });
  return ' '.repeat(MARK_CELLS) + titles.join(layout.gap);
}

export interface RowContext {
  readonly width: number;
  readonly layout: TableLayout;
  readonly style: Style;
  readonly colors: boolean;
  readonly clock: RunClock;
  readonly captureEndNs: number | null;
  /** Rows are in the order of their duration: every one of them has a reason to be told. */
  readonly tellsSlowness: boolean;
}

/** One exchange in one line. The selected one is reversed, and has a mark too. */
export function rowLine(exchange: Exchange, isSelected: boolean, context: RowContext): string {
  const { layout } = context;
  const cells = layout.columns.map(({ name, cells }) => {
    const { text, paint } = cellOf(name, exchange, context, cells);
    const fitted = pad(
      shorten(text, cells, MIDDLE.has(name) ? 'middle' : 'end'),
      cells,
      RIGHT.has(name) ? 'right' : 'left',
    );
    return isSelected || paint === undefined ? fitted : paint(fitted);
  });
  const line = cells.join(layout.gap);
  return isSelected ? reverse(pad(`> ${line}`, context.width)) : `  ${line}`;
}

interface CellText {
  readonly text: string;
  readonly paint?: Paint | undefined;
}

function cellOf(name: ShownColumn, exchange: Exchange, context: RowContext, cells: number): CellText {
  const { style } = context;
  const { request, response } = exchange;
  switch (name) {
    case 'time': {
      const text = timeOfDay(context.clock, startNs(exchange));
      return { text: context.layout.milliseconds ? text : text.slice(0, 8), paint: style.dim };
    }
    case 'method':
      return { text: request === null ? '–' : sanitise(request.method) };
    case 'status':
      return statusCell(exchange, context);
    case 'total':
      return { text: durationText(totalNs(exchange), exchange, context, cells), paint: style.bold };
    case 'wait':
      return { text: durationText(waitNs(exchange), exchange, context, cells) };
    case 'bytes':
      return { text: response === null ? '–' : formatBytes(response.headerBytes + response.bodyBytes) };
    case 'client':
      return { text: sanitise(exchange.client.text) };
    case 'server':
      return { text: sanitise(exchange.server.text) };
    case 'request':
      return { text: targetText(exchange) };
    case 'outcome':
      return outcomeCell(exchange, context);
  }
}

/** What requestText says, without the method: that has its own column. */
function targetText(exchange: Exchange): string {
  const text = requestText(exchange);
  return exchange.request === null ? text : text.slice(sanitise(exchange.request.method).length + 1);
}

/** Without colours, marks say what they would: `!!` for 5xx and no answer, `!` for 4xx. */
function statusCell(exchange: Exchange, { style, colors }: RowContext): CellText {
  const text = statusText(exchange);
  if (colors) return { text, paint: statusPaint(exchange, style) };
  const status = exchange.response?.status ?? (exchange.response === null ? 999 : 0);
  const mark = status >= 500 ? ' !!' : status >= 400 ? ' !' : '';
  return { text: text + mark };
}

/** A duration that fits: of two units the smaller one is left out rather than cut. */
function durationText(
  ns: number | null,
  exchange: Exchange,
  { captureEndNs }: RowContext,
  cells: number,
): string {
  const waited = ns === null && exchange.response === null ? waitedNs(exchange, captureEndNs) : null;
  const text = waited === null ? formatDuration(ns) : `>${formatDuration(waited)}`;
  return displayWidth(text) <= cells ? text : text.split(' ').slice(0, 2).join(' ');
}

function outcomeCell(exchange: Exchange, { style, captureEndNs, tellsSlowness }: RowContext): CellText {
  const reason = (tellsSlowness ? why : whyOdd)(exchange, captureEndNs);
  const certainty = exchange.pairing === 'exact' ? '' : ` (${exchange.pairing})`;
  const whole = exchange.outcome === 'complete';
  if (reason === null) return { text: exchange.outcome.replaceAll('-', ' ') + certainty, paint: style.dim };
  const isOdd = whyOdd(exchange, captureEndNs) !== null;
  return { text: reason + certainty, paint: !isOdd ? style.cyan : whole ? style.yellow : style.red };
}
