import type { Percentiles } from './duration-series.ts';
import type { Style } from './style.ts';
import type { RedRow } from './summary.ts';
import { sanitise } from './terminal-text.ts';
import { type Cell, type Column, type Row, renderTable } from './text-table.ts';
import { formatCount, formatDuration, formatRate } from './units.ts';

export interface RedTextOptions {
  readonly width: number;
  readonly style: Style;
  /** Rows shown; the others are counted in a last line. */
  readonly limit: number;
  /** Length of the run in ns, for rates; null: unknown or zero. */
  readonly spanNs: number | null;
}

const NUMBERS: readonly Column[] = [
  { title: 'requests', align: 'right' },
  { title: 'per s', align: 'right', expendable: 2 },
  { title: '4xx', align: 'right' },
  { title: '5xx', align: 'right' },
  { title: 'no ans', align: 'right' },
  { title: 'p50', align: 'right' },
  { title: 'p90', align: 'right', expendable: 1 },
  { title: 'p99', align: 'right' },
  { title: 'max', align: 'right', expendable: 3 },
];

function duration(ns: number | null, approximate: boolean): string {
  return ns !== null && approximate ? `~${formatDuration(ns)}` : formatDuration(ns);
}

function errors(count: number, paint: (text: string) => string, style: Style): Cell {
  return { text: formatCount(count), paint: count > 0 ? paint : style.dim };
}

function numbers({ group, total }: RedRow, { style, spanNs }: RedTextOptions): Row {
  const rate = spanNs === null || spanNs <= 0 ? null : (group.requests * 1e9) / spanNs;
  return [
    formatCount(group.requests),
    formatRate(rate),
    errors(group.clientErrors, style.yellow, style),
    errors(group.serverErrors, style.red, style),
    errors(group.unanswered, style.red, style),
    ...percentileCells(total),
  ];
}

function percentileCells({ p50Ns, p90Ns, p99Ns, maxNs, approximate }: Percentiles): string[] {
  return [...[p50Ns, p90Ns, p99Ns].map((ns) => duration(ns, approximate)), formatDuration(maxNs)];
}

function withTitle(title: string, lines: string[], more: number, style: Style): string[] {
  const last = more > 0 ? [style.dim(`  and ${formatCount(more)} more (--limit shows more)`)] : [];
  return [style.bold(title), ...lines, ...last];
}

/** Requests, errors and durations by server, with the hosts that were asked for there. */
export function serverLines(rows: readonly RedRow[], options: RedTextOptions): string[] {
  const { width, style, limit } = options;
  const columns: Column[] = [
    { title: 'server', shrinkTo: 21, cut: 'middle' },
    ...NUMBERS,
    { title: 'hosts', shrinkTo: 16, expendable: 4 },
  ];
  const cells = rows.slice(0, limit).map((row): Row => {
    const { hosts, moreHosts } = row.group;
    const names = hosts.map(sanitise).join(', ') + (moreHosts ? ', …' : '');
    return [sanitise(row.group.name), ...numbers(row, options), { text: names, paint: style.dim }];
  });
  return withTitle('By server', renderTable(columns, cells, width, style), rows.length - cells.length, style);
}

/** Requests, errors and durations by method, host and route. */
export function routeLines(rows: readonly RedRow[], options: RedTextOptions): string[] {
  const { width, style, limit } = options;
  const columns: Column[] = [{ title: 'route', shrinkTo: 30, cut: 'middle' }, ...NUMBERS];
  const cells = rows.slice(0, limit).map((row): Row => {
    const { name, host, route, other } = row.group;
    const text = other ? name : `${sanitise(name)} ${sanitise(host ?? '')}${sanitise(route)}`;
    return [text, ...numbers(row, options)];
  });
  return withTitle('By route', renderTable(columns, cells, width, style), rows.length - cells.length, style);
}
