import type { Exchange } from '../model/exchange.ts';
import type { RunClock } from '../model/packet.ts';
import { startNs, totalNs } from '../model/phases.ts';
import type { Paint, Style } from './style.ts';
import { displayWidth, sanitise, shorten, wrap } from './terminal-text.ts';
import { type Cell, type Column, fitColumns, type Row, renderTable } from './text-table.ts';
import { formatDuration } from './units.ts';
import { timeOfDay } from './wall-clock.ts';
import { waitedNs } from './why.ts';

/** `GET example.org/path`, safe for a terminal; for an answer without a request, what it looks like. */
export function requestText({ request, response }: Exchange): string {
  if (request === null) return `(unknown request) ${sanitise(response?.reason ?? '')}`.trimEnd();
  const { method, host, target } = request;
  // An absolute-form or asterisk target says itself where it goes (RFC 9112 §3.2).
  const place = target.startsWith('/') ? (host ?? '') + target : target;
  return `${sanitise(method)} ${sanitise(place)}`;
}

/** Status as text; an en dash where there was no answer. */
export function statusText({ response }: Exchange): string {
  if (response === null) return '–';
  return response.status === null ? 'HTTP/0.9' : String(response.status);
}

/** Colour by status class: red for 5xx and for no answer, yellow for 4xx, none for the rest. */
export function statusPaint({ response }: Exchange, style: Style): Paint | undefined {
  if (response === null || (response.status ?? 0) >= 500) return style.red;
  return (response.status ?? 0) >= 400 ? style.yellow : undefined;
}

export interface ExchangeListOptions {
  readonly width: number;
  readonly style: Style;
  readonly clock: RunClock;
  readonly captureEndNs: number | null;
  /** True when the run has several captures: packet numbers then say of which. */
  readonly severalCaptures: boolean;
  /** The phrase that says why an exchange is in the list. */
  readonly why: (exchange: Exchange, captureEndNs: number | null) => string | null;
}

const COLUMNS: readonly Column[] = [
  { title: 'total', align: 'right' },
  { title: 'at (UTC)' },
  { title: 'status' },
  { title: 'request', shrinkTo: 24, cut: 'middle' },
  { title: 'why' },
  { title: 'packet', align: 'right' },
  { title: 'id', align: 'right' },
];
const WHY = 4;

/** A list of exchanges with their reasons: one line each where there is room, otherwise two. */
export function exchangeLines(exchanges: readonly Exchange[], options: ExchangeListOptions): string[] {
  const { width, style } = options;
  const rows = exchanges.map((exchange) => exchangeRow(exchange, options));
  const widths = fitColumns(COLUMNS, rows, width - 2);
  const needed = widths.reduce((sum, cells) => sum + cells + 2, 0);
  if (needed <= width && shownWell(rows, widths[3])) return renderTable(COLUMNS, rows, width, style);
  const narrow = COLUMNS.filter((_, index) => index !== WHY);
  const table = renderTable(
    narrow,
    rows.map((row) => row.filter((_, index) => index !== WHY)),
    width,
    style,
  );
  return table.flatMap((line, index) => {
    const reason = index === 0 ? '' : text(rows[index - 1][WHY]);
    if (reason === '') return [line];
    return [line, ...wrap(reason, Math.max(20, width - 6)).map((part) => `      ${style.cyan(part)}`)];
  });
}

/** One line is for lists in which at least half of the requests can be read whole. */
function shownWell(rows: readonly Row[], cells: number): boolean {
  const whole = rows.filter((row) => displayWidth(text(row[3])) <= cells);
  return whole.length * 2 >= rows.length;
}

function text(cell: string | Cell): string {
  return typeof cell === 'string' ? cell : cell.text;
}

function exchangeRow(exchange: Exchange, options: ExchangeListOptions): Row {
  const { style, clock, captureEndNs } = options;
  const total = totalNs(exchange);
  const waited = waitedNs(exchange, captureEndNs);
  const duration =
    total !== null
      ? formatDuration(total)
      : waited === null || exchange.response !== null
        ? '–'
        : `>${formatDuration(waited)}`;
  const message = exchange.request ?? exchange.response;
  const capture = options.severalCaptures && message !== null ? `${message.capture + 1}:` : '';
  return [
    { text: duration, paint: style.bold },
    { text: timeOfDay(clock, startNs(exchange)), paint: style.dim },
    { text: statusText(exchange), paint: statusPaint(exchange, style) },
    shorten(requestText(exchange), 300, 'middle'),
    { text: options.why(exchange, captureEndNs) ?? '', paint: style.cyan },
    { text: message === null ? '' : `${capture}${message.packet}`, paint: style.dim },
    { text: String(exchange.id), paint: style.dim },
  ];
}
