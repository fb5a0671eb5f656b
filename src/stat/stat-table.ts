import { durationText } from '../filter/value-text.ts';
import { startNs } from '../model/phases.ts';
import { requestText, statusPaint, statusText } from '../report/exchange-text.ts';
import type { Style } from '../report/style.ts';
import { shorten, wrap } from '../report/terminal-text.ts';
import {
  type Cell,
  type Column,
  fitColumns,
  formatRow,
  formatTitles,
  type Row,
} from '../report/text-table.ts';
import { counted, formatBytes, formatCount, formatDuration, formatRate } from '../report/units.ts';
import { lastPacketNs, timeOfDay } from '../report/wall-clock.ts';
import { why } from '../report/why.ts';
import { errorsOf, type StatColumn } from './columns.ts';
import { combined, paintMarks, sparkline } from './sparkline.ts';
import type { StatGroup, StatReport } from './stat-report.ts';
import type { TimeBuckets } from './time-buckets.ts';
import type { RankedExchange } from './top-exchanges.ts';

export interface StatTableOptions {
  readonly report: StatReport;
  readonly columns: readonly StatColumn[];
  readonly sortedBy: StatColumn;
  /** Sorted; no more than are wanted. */
  readonly groups: readonly StatGroup[];
  /** Cells of a line; Infinity: nothing is shortened. */
  readonly width: number;
  readonly style: Style;
  /** Characters of a sparkline, lowest first. */
  readonly levels: string;
  /** Width of time buckets; null: none are wanted. */
  readonly every: number | 'auto' | null;
  /** How `wirelens show` is called with the same files; null: not worth saying. */
  readonly show: string | null;
}

/** Cells of a sparkline: at least, at most, and where lines have no end. */
const SPARK_LEAST = 24;
const SPARK_MOST = 60;
const HOST_CELLS = 10;
const FIELD_CELLS = 16;

/** The groups, their total, and the exchanges that are worth a look. */
export function statTable(options: StatTableOptions): string[] {
  const { report } = options;
  const lines = headline(options);
  if (report.total.counts.requests === 0) return lines;
  lines.push('', ...groupLines(options));
  if (report.question.ranking !== null) lines.push('', ...topLines(options));
  return lines;
}

function headline({ report, style, width }: StatTableOptions): string[] {
  const { question, total, span } = report;
  const { requests } = total.counts;
  if (span === null) return [style.bold('no requests')];
  const rate = total.rate === null ? '' : ` (${formatRate(total.rate)} per s)`;
  const by = question.by.map(({ field }) => field.name).join(', ');
  const parts = [
    `${counted(requests, 'request')} in ${formatDuration(span.lastNs - span.firstNs)}${rate}${by === '' ? '' : ` by ${by}`}`,
    `percentiles of the ${question.metric.about}`,
  ];
  if (total.measured < requests) parts.push(`known of ${formatCount(total.measured)} of them`);
  return wrap(parts.join('; '), width).map(style.bold);
}

function groupLines(options: StatTableOptions): string[] {
  const { report, groups, width, style, every, sortedBy } = options;
  const shown = options.columns.filter((column) => column.hidden !== true || column === sortedBy);
  const rows = report.question.by.length === 0 ? [report.total] : [...groups, report.total];
  const columns = shown.map((column) => layoutOf(column, sortedBy));
  const cells: (string | Cell)[][] = rows.map((group) => shown.map((column) => cellOf(column, group, style)));
  if (report.question.by.length === 0) {
    columns.unshift({ title: '' });
    for (const row of cells) row.unshift('total');
  }
  if (every !== null) addSparklines(options, rows, columns, cells);
  const widths = fitColumns(columns, cells, width);
  const bounded = width !== Number.POSITIVE_INFINITY;
  const lines = [formatTitles(columns, widths, style)];
  cells.forEach((row, index) => {
    const line = formatRow(columns, widths, row, bounded);
    lines.push(rows[index].kind === 'total' ? style.bold(line) : line);
  });
  const more = report.groups.length - groups.length;
  if (more > 0 && report.question.by.length > 0) {
    lines.splice(lines.length - 1, 0, style.dim(`and ${formatCount(more)} more (--limit shows more)`));
  }
  return lines;
}

function layoutOf(column: StatColumn, sortedBy: StatColumn): Column {
  if (column.kind === 'field') {
    const cells = column.name === 'host' ? HOST_CELLS : FIELD_CELLS;
    return { title: column.title, shrinkTo: cells, cut: 'middle' };
  }
  const stays = column === sortedBy || column.expendable === undefined;
  return {
    title: column.title,
    align: 'right',
    ...(stays ? {} : { expendable: column.expendable as number }),
  };
}

function cellOf(column: StatColumn, group: StatGroup, style: Style): Cell {
  const text = column.text(group);
  if (column.name === 'error_share') return { text, paint: errorsOf(group) > 0 ? style.red : style.dim };
  if (column.name === 'client_errors')
    return { text, paint: group.counts.clientErrors > 0 ? style.yellow : style.dim };
  return { text };
}

/** A column of sparklines in the room that is left. */
function addSparklines(
  { report, width, style, levels, every }: StatTableOptions,
  rows: readonly StatGroup[],
  columns: Column[],
  cells: (string | Cell)[][],
): void {
  const room = width === Number.POSITIVE_INFINITY ? SPARK_MOST : roomBeside(columns, cells, width);
  const planned = report.plan(every ?? 'auto', room);
  if (planned === null) return;
  const { buckets } = planned;
  const per = Math.ceil(buckets.count / room);
  columns.push({
    title: `${durationText(buckets.widthNs * per)} each`,
    shrinkTo: Math.ceil(buckets.count / per),
  });
  rows.forEach((group, index) => {
    cells[index].push(sparkCell(report, group, buckets, per, levels, style));
  });
}

function roomBeside(columns: readonly Column[], cells: readonly Row[], width: number): number {
  // What remains when only the texts of fields give way, and those columns go that may.
  const taken = fitColumns(columns, cells, Math.max(20, width - SPARK_LEAST - 2))
    .filter((one) => one >= 0)
    .reduce((sum, one) => sum + one + 2, 0);
  return Math.max(SPARK_LEAST, Math.min(SPARK_MOST, width - taken));
}

function sparkCell(
  report: StatReport,
  group: StatGroup,
  buckets: TimeBuckets,
  per: number,
  levels: string,
  style: Style,
): Cell {
  const { requests, errors } = report.buckets(group, buckets);
  const text = sparkline(combined(requests, per), levels).trimEnd();
  return { text, paint: paintMarks(combined(errors, per), style.red) };
}

const TITLES = {
  slow: 'Slowest exchanges',
  'big-request': 'Largest requests',
  'big-response': 'Largest responses',
} as const;

function topLines({ report, width, style, show }: StatTableOptions): string[] {
  const { question, top, captures } = report;
  const { ranking, metric } = question;
  if (ranking === null) return [];
  const from = question.listedFrom > 0 ? `, from ${durationText(question.listedFrom)}` : '';
  const title = style.bold(`${TITLES[ranking]}, by ${metric.about}${from}`);
  if (top.length === 0) return [title, style.dim('none')];
  const columns: Column[] = [
    { title: 'id', align: 'right' },
    { title: metric.name, align: 'right' },
    { title: 'at (UTC)', expendable: 2 },
    { title: 'status' },
    { title: 'request', shrinkTo: 24, cut: 'middle' },
    { title: 'why', shrinkTo: 24, expendable: 1 },
  ];
  const end = lastPacketNs(captures);
  const rows = top.map((one) => topRow(one, report, end, style));
  const widths = fitColumns(columns, rows, width);
  const bounded = width !== Number.POSITIVE_INFINITY;
  const lines = [title, formatTitles(columns, widths, style)];
  for (const row of rows) lines.push(formatRow(columns, widths, row, bounded));
  if (show !== null)
    lines.push(...wrap(`${show} shows one of them whole`, Math.min(width, 200)).map(style.dim));
  return lines;
}

function topRow(
  { exchange, value, atLeast }: RankedExchange,
  { question, clock }: StatReport,
  captureEndNs: number | null,
  style: Style,
): Row {
  const text = question.metric.unit === 'ns' ? formatDuration(value) : formatBytes(value);
  return [
    String(exchange.id),
    { text: atLeast ? `>${text}` : text, paint: style.bold },
    { text: timeOfDay(clock, startNs(exchange)), paint: style.dim },
    { text: statusText(exchange), paint: statusPaint(exchange, style) },
    shorten(requestText(exchange), 300, 'middle'),
    { text: why(exchange, captureEndNs) ?? '', paint: style.cyan },
  ];
}
