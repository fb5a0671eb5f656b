import type { TextOutput } from '../../model/text-output.ts';
import type { Style } from '../../report/style.ts';
import { sanitise } from '../../report/terminal-text.ts';
import {
  type Column,
  fitColumns,
  formatRow,
  formatTitles,
  type Row,
  type Widths,
} from '../../report/text-table.ts';
import { type AnswerRow, numberOf, textOf } from './answer.ts';
import {
  endpointText,
  latencyMs,
  millisecondsText,
  NONE,
  responseBytes,
  statusPaint,
  statusText,
  timeText,
} from './row-text.ts';

/** Takes rows of exchanges and prints them. */
export interface RowWriter {
  write(rows: readonly AnswerRow[]): void;
  /** What belongs there when no row came. */
  end(): void;
}

export interface ExchangeRowsOptions {
  readonly output: TextOutput;
  /** Cells of a line; Infinity: nothing is shortened, for pipes and files. */
  readonly width: number;
  readonly style: Style;
  /** Rows go on coming: the first ones do not say how wide later ones are. */
  readonly live: boolean;
  /** Milliseconds of Unix time: rows of the same day need no date where there is little room. */
  readonly now: () => number;
}

/** What the table is made of: the server is asked for no more. */
export const TABLE_COLUMNS = [
  'id', 'started', 'started_ns', 'client', 'client_port', 'server', 'server_port', 'method', 'target', 'status', 'send_ms',
  'wait_ms', 'response_header_bytes', 'response_body_bytes',
] as const; // biome-ignore format: a list

/** The columns that users of LightObs know, in its order, and the id behind them. */
const COLUMNS: readonly Column[] = [
  { title: 'Time', expendable: 1 },
  { title: 'Source', shrinkTo: 12, cut: 'middle', expendable: 2 },
  { title: 'Destination', shrinkTo: 15, cut: 'middle' },
  { title: 'Method' },
  { title: 'Path', shrinkTo: 14, cut: 'middle' },
  { title: 'Status', align: 'right' },
  { title: 'Latency(ms)', align: 'right' },
  { title: 'Size', align: 'right', expendable: 3 },
  { title: 'Id', align: 'right', expendable: 4 },
];
/** Where there is less room, shorter titles, and of the client the address alone: its port says least. */
const SHORT_TITLES: Readonly<Record<string, string>> = { Time: 'Time(UTC)' };
const SHORTEST_TITLES: Readonly<Record<string, string>> = { Time: 'Time(UTC)', 'Latency(ms)': 'ms' };
/** Cells worth having where the first rows do not tell how wide later ones are. */
const LIVE_RESERVE: Readonly<Record<string, number>> = {
  Source: 21,
  Destination: 21,
  Path: 40,
  'Latency(ms)': 10,
  Size: 7,
  Id: 7,
};
const NARROW_RESERVE: Readonly<Record<string, number>> = { Source: 12, Destination: 15, Path: 14 };

/** Lines at least so long have the whole time in them, shorter ones the time of the day, the shortest whole seconds. */
const WIDE_CELLS = 120;
const NARROW_CELLS = 100;

export function createExchangeTable(options: ExchangeRowsOptions): RowWriter {
  const { output, width, style, live, now } = options;
  const bounded = width !== Number.POSITIVE_INFINITY;
  const narrow = width < NARROW_CELLS;
  const shortened = narrow ? SHORTEST_TITLES : width < WIDE_CELLS ? SHORT_TITLES : {};
  const columns = COLUMNS.map((column) => ({
    ...column,
    title: shortened[column.title] ?? column.title,
    reserve: live && bounded ? ((narrow ? NARROW_RESERVE : LIVE_RESERVE)[column.title] ?? 0) : 0,
  }));
  let widths: Widths | null = null;
  let timeOf: (row: AnswerRow) => string = timeText;
  return {
    write(rows) {
      if (rows.length === 0) return;
      if (widths === null && width < WIDE_CELLS) timeOf = shortTime(rows, now(), narrow);
      const cells = rows.map((row) => cellsOf(row, timeOf, narrow, style));
      if (widths === null) {
        widths = fitColumns(columns, cells, width);
        output.write(`${formatTitles(columns, widths, style)}\n`);
      }
      let text = '';
      for (const row of cells) text += `${formatRow(columns, widths, row, bounded)}\n`;
      output.write(text);
    },
    end() {},
  };
}

function cellsOf(row: AnswerRow, timeOf: (row: AnswerRow) => string, narrow: boolean, style: Style): Row {
  const size = responseBytes(row);
  return [
    { text: timeOf(row), paint: style.dim },
    narrow ? sanitise(textOf(row, 'client') ?? NONE) : endpointText(row, 'client'),
    endpointText(row, 'server'),
    sanitise(textOf(row, 'method') ?? NONE),
    sanitise(textOf(row, 'target') ?? NONE),
    { text: statusText(row), paint: statusPaint(row, style) },
    millisecondsText(latencyMs(row)),
    size === null ? NONE : String(size),
    { text: String(numberOf(row, 'id') ?? NONE), paint: style.dim },
  ];
}

/** The time of the day, or with the date where rows are not all of today. */
function shortTime(rows: readonly AnswerRow[], nowMs: number, seconds: boolean): (row: AnswerRow) => string {
  const today = new Date(nowMs).toISOString().slice(0, 10);
  const allToday = rows.every((row) => textOf(row, 'started')?.startsWith(today) === true);
  return (row) => {
    const text = timeText(row);
    if (!/^\d{4}-\d\d-\d\dT/.test(text)) return text;
    const isToday = allToday && text.startsWith(today);
    return isToday ? text.slice(11, seconds ? 19 : 23) : text.slice(5, 19).replace('T', ' ');
  };
}
