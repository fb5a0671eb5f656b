import type { Style } from '../../report/style.ts';
import { sanitise } from '../../report/terminal-text.ts';
import { type Cell, type Column, type Row, renderTable } from '../../report/text-table.ts';
import { formatCount, formatDuration, formatRate } from '../../report/units.ts';
import { type AnswerRow, numberOf, textOf } from './answer.ts';
import { NONE } from './row-text.ts';

export const RED_GROUPS = ['route', 'method', 'host', 'server', 'client', 'node', 'agent', 'status'] as const;

const NUMBERS: readonly Column[] = [
  { title: 'requests', align: 'right' },
  { title: 'per s', align: 'right', expendable: 2 },
  { title: '4xx', align: 'right' },
  { title: '5xx', align: 'right' },
  { title: 'no ans', align: 'right' },
  { title: 'errors', align: 'right', expendable: 4 },
  { title: 'p50', align: 'right' },
  { title: 'p90', align: 'right', expendable: 1 },
  { title: 'p99', align: 'right' },
  { title: 'max', align: 'right', expendable: 3 },
];

/** Rate, errors and durations of groups: a line each. */
export function redLines(
  rows: readonly AnswerRow[],
  { by, bucketed, width, style }: { by: readonly string[]; bucketed: boolean; width: number; style: Style },
): string[] {
  if (rows.length === 0) return [style.bold('no requests')];
  const columns: Column[] = [
    ...(bucketed ? [{ title: 'from (UTC)' }] : []),
    ...by.map((title): Column => ({ title, shrinkTo: 10, cut: 'middle' })),
    ...NUMBERS,
  ];
  const cells = rows.map((row): Row => {
    const bucket = textOf(row, 'bucket') ?? NONE;
    return [
      ...(bucketed ? [{ text: sanitise(bucket).slice(0, 19).replace('T', ' '), paint: style.dim }] : []),
      ...by.map((name) => groupText(row[name] ?? null)),
      ...numbers(row, style),
    ];
  });
  return renderTable(columns, cells, width, style, '');
}

function groupText(value: string | number | null): string {
  return value === null ? '(none)' : sanitise(String(value));
}

function numbers(row: AnswerRow, style: Style): Row {
  const count = (name: string, paint?: (text: string) => string): Cell => {
    const value = numberOf(row, name);
    if (value === null) return { text: NONE };
    return {
      text: formatCount(value),
      paint: paint === undefined ? undefined : value > 0 ? paint : style.dim,
    };
  };
  const ratio = numberOf(row, 'error_ratio');
  const milliseconds = (name: string): string => {
    const value = numberOf(row, name);
    return formatDuration(value === null ? null : value * 1e6);
  };
  return [
    count('requests'),
    formatRate(numberOf(row, 'requests_per_s')),
    count('client_errors', style.yellow),
    count('server_errors', style.red),
    count('unanswered', style.red),
    {
      text: ratio === null ? NONE : shareText(ratio),
      paint: ratio !== null && ratio > 0 ? style.red : style.dim,
    },
    milliseconds('p50_ms'),
    milliseconds('p90_ms'),
    milliseconds('p99_ms'),
    milliseconds('max_ms'),
  ];
}

/** `0 %`, `<0.1 %`, `1.3 %`. Never 0 or 100 where it is not. */
function shareText(ratio: number): string {
  if (ratio === 0) return '0 %';
  if (ratio < 0.001) return '<0.1 %';
  if (ratio > 0.999 && ratio < 1) return '>99.9 %';
  return `${ratio === 1 ? 100 : (ratio * 100).toFixed(1)} %`;
}
