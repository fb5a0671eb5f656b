import type { Style } from '../../report/style.ts';
import { sanitise, wrap } from '../../report/terminal-text.ts';
import { type Column, type Row, renderTable } from '../../report/text-table.ts';
import { counted, formatBytes, formatCount, formatDuration } from '../../report/units.ts';
import { type AnswerRow, numberOf, textOf } from './answer.ts';
import { NONE } from './row-text.ts';

/** An agent reports every 10 s; one that was silent for so long is told apart. */
const SILENT_MS = 60_000;

const COLUMNS: readonly Column[] = [
  { title: 'agent', shrinkTo: 10, cut: 'middle' },
  { title: 'node', shrinkTo: 8, cut: 'middle', expendable: 4 },
  { title: 'pod', shrinkTo: 10, cut: 'middle', expendable: 8 },
  { title: 'version', expendable: 7 },
  { title: 'last seen', align: 'right' },
  { title: 'packets', align: 'right', expendable: 3 },
  { title: 'dropped', align: 'right' },
  { title: 'exchanges', align: 'right', expendable: 2 },
  { title: 'lost', align: 'right' },
  { title: 'backlog', align: 'right', expendable: 1 },
  { title: 'stored', align: 'right' },
  { title: 'memory', align: 'right', expendable: 6 },
  { title: 'CPU', align: 'right', expendable: 5 },
];

/** Who reports to the server: a line each, and below what is wrong with whom. `nowMs`: Unix time. */
export function agentLines(
  rows: readonly AnswerRow[],
  { width, style, nowMs }: { width: number; style: Style; nowMs: number },
): string[] {
  if (rows.length === 0) return [style.bold('no agent has reported or uploaded yet')];
  const lines = renderTable(
    COLUMNS,
    rows.map((row) => cellsOf(row, style, nowMs)),
    width,
    style,
    '',
  );
  // A server that does not say it lists only who reports.
  const silent = rows.filter((row) => textOf(row, 'reports') === 'false');
  if (silent.length > 0) {
    const names = silent.map((row) => sanitise(textOf(row, 'agent') ?? NONE)).join(', ');
    const limit = width === Number.POSITIVE_INFINITY ? width : Math.max(20, width - 2);
    const [first, ...rest] = wrap(`uploads only, without reports: ${names}`, limit);
    lines.push(style.dim(first), ...rest.map((line) => `  ${style.dim(line)}`));
  }
  for (const row of rows) {
    const problem = textOf(row, 'problem');
    if (problem === null) continue;
    const name = sanitise(textOf(row, 'agent') ?? NONE);
    const limit = width === Number.POSITIVE_INFINITY ? width : Math.max(20, width - 2);
    const [first, ...rest] = wrap(`${name}: ${sanitise(problem)}`, limit);
    lines.push(style.yellow(first), ...rest.map((line) => `  ${style.yellow(line)}`));
  }
  return lines;
}

function cellsOf(row: AnswerRow, style: Style, nowMs: number): Row {
  const count = (name: string): string => {
    const value = numberOf(row, name);
    return value === null ? NONE : formatCount(value);
  };
  const loss = (name: string) => ({
    text: count(name),
    paint: (numberOf(row, name) ?? 0) > 0 ? style.red : style.dim,
  });
  const text = (name: string): string => sanitise(textOf(row, name) ?? NONE);
  const seenMs = Date.parse(textOf(row, 'last_seen') ?? '');
  const ago = Number.isNaN(seenMs) ? null : Math.max(0, nowMs - seenMs);
  const batches = numberOf(row, 'backlog_batches');
  const rss = numberOf(row, 'rss_bytes');
  return [
    { text: text('agent'), paint: style.bold },
    text('node'),
    text('pod'),
    text('version'),
    {
      text: ago === null ? NONE : `${agoText(ago)} ago`,
      paint: ago === null || (ago > SILENT_MS && textOf(row, 'reports') !== 'false') ? style.red : undefined,
    },
    count('packets'),
    loss('packets_dropped'),
    count('exchanges'),
    loss('exchanges_dropped'),
    batches === null
      ? NONE
      : batches === 0
        ? { text: '0', paint: style.dim }
        : `${counted(batches, 'batch', 'batches')}, ${formatBytes(numberOf(row, 'backlog_bytes') ?? 0)}`,
    count('stored'),
    rss === null ? NONE : formatBytes(rss),
    cpuText(row, seenMs),
  ];
}

/** In whole seconds: `9 s`, `6 min 45 s`. */
function agoText(ms: number): string {
  const seconds = Math.round(ms / 1000);
  return seconds < 120 ? `${seconds} s` : formatDuration(seconds * 1e9);
}

/** Part of one core since the agent began. */
function cpuText(row: AnswerRow, seenMs: number): string {
  const seconds = numberOf(row, 'cpu_seconds');
  const lived = (seenMs - Date.parse(textOf(row, 'started') ?? '')) / 1000;
  if (seconds === null || !(lived > 0)) return NONE;
  const share = (seconds / lived) * 100;
  return `${share < 9.95 ? share.toFixed(1) : Math.round(share)} %`;
}
