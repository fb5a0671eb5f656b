import { sizeText } from '../filter/value-text.ts';
import { sanitise } from '../report/terminal-text.ts';
import { formatBytes, formatCount, formatDuration, formatRate } from '../report/units.ts';
import type { GroupField, GroupValue } from './group-table.ts';
import type { StatQuestion } from './stat-question.ts';
import type { StatGroup } from './stat-report.ts';

/** One number of a group: how it is called, found and shown. Names are those of `--sort` and of CSV. */
export interface StatColumn {
  /** `count`, `p99`, or the name of a field. */
  readonly name: string;
  /** Name in CSV and JSON, with the unit where there is one: `p99_ms`. */
  readonly unitName: string;
  /** Heading of a table. */
  readonly title: string;
  readonly kind: 'field' | 'number' | 'share' | 'error';
  /** null: unknown. In the unit of `unitName`. */
  value(group: StatGroup): GroupValue;
  /** For people; not painted. */
  text(group: StatGroup): string;
  /** Left out of a narrow table, highest first; undefined: stays. */
  readonly expendable?: number;
  /** Not in tables unless they are sorted by it. */
  readonly hidden?: boolean;
}

type Number_ = (group: StatGroup) => number | null;

function count(
  name: string,
  title: string,
  value: (group: StatGroup) => number,
  more: Partial<StatColumn> = {},
): StatColumn {
  // biome-ignore format: one line reads better
  return {
    name,
    unitName: name,
    title,
    kind: 'number',
    value,
    text: (group) => formatCount(value(group)),
    ...more,
  };
}

function share(name: string, title: string, value: Number_, more: Partial<StatColumn> = {}): StatColumn {
  return {
    name,
    unitName: name,
    title,
    kind: 'share',
    value,
    text: (group) => percentText(value(group)),
    ...more,
  };
}

/** `12.3 %`, `<0.1 %`; an en dash for null. Never says 100 or 0 for what is not quite that. */
export function percentText(part: number | null): string {
  if (part === null) return '–';
  if (part === 0 || part === 1) return `${part * 100} %`;
  if (part < 0.001) return '<0.1 %';
  if (part > 0.999) return '>99.9 %';
  return `${(part * 100).toFixed(1)} %`;
}

export function errorsOf({ counts }: StatGroup): number {
  return counts.serverErrors + counts.unanswered;
}

export function errorShareOf(group: StatGroup): number {
  return group.counts.requests === 0 ? 0 : errorsOf(group) / group.counts.requests;
}

/** A value of a field for people. */
function fieldText({ field }: GroupField, value: GroupValue): string {
  if (value === null) return '–';
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (typeof value === 'number') return field.type === 'bytes' ? sizeText(value) : String(value);
  return sanitise(value);
}

function fieldColumn(by: GroupField, at: number): StatColumn {
  const value = ({ values }: StatGroup): GroupValue => values[at] ?? null;
  const { name } = by.field;
  return {
    name,
    unitName: name,
    title: name,
    kind: 'field',
    value,
    text: (group) => {
      if (group.kind === 'group') return fieldText(by, value(group));
      return at > 0 ? '' : group.kind === 'total' ? 'total' : '(other)';
    },
  };
}

/** Every column of a question, fields first. */
export function statColumns({ by, metric, percentiles }: StatQuestion): StatColumn[] {
  const isTime = metric.unit === 'ns';
  const amount = (name: string, value: Number_, more: Partial<StatColumn> = {}): StatColumn => ({
    name,
    unitName: `${name}_${isTime ? 'ms' : 'bytes'}`,
    title: name,
    kind: 'number',
    value: (group) => {
      const found = value(group);
      return found === null || !isTime ? found : found / 1e6;
    },
    text: (group) => {
      const found = value(group);
      return isTime ? formatDuration(found) : found === null ? '–' : formatBytes(found);
    },
    ...more,
  });
  const last = percentiles.length - 1;
  return [
    ...by.map(fieldColumn),
    count('count', 'requests', ({ counts }) => counts.requests),
    share('share', 'share', (group) => group.share, { expendable: 6 }),
    {
      name: 'rate',
      unitName: 'rate_per_second',
      title: 'per s',
      kind: 'number',
      value: ({ rate }) => rate,
      text: ({ rate }) => formatRate(rate),
      expendable: 5,
    },
    count('errors', 'errors', errorsOf, { hidden: true }),
    share('error_share', 'errors', errorShareOf, { kind: 'error' }),
    count('client_errors', '4xx', ({ counts }) => counts.clientErrors, { expendable: 4 }),
    count('server_errors', '5xx', ({ counts }) => counts.serverErrors, { hidden: true }),
    count('unanswered', 'no ans', ({ counts }) => counts.unanswered, { hidden: true }),
    {
      ...count('request_bytes', 'sent', ({ counts }) => counts.requestBytes, { expendable: 8 }),
      text: ({ counts }) => formatBytes(counts.requestBytes),
    },
    {
      ...count('response_bytes', 'received', ({ counts }) => counts.responseBytes, { expendable: 7 }),
      text: ({ counts }) => formatBytes(counts.responseBytes),
    },
    count('measured', 'measured', ({ measured }) => measured, { hidden: true }),
    amount('mean', ({ mean }) => mean, { hidden: true }),
    ...percentiles.map((one, at) =>
      amount(
        one.label,
        (group) => group.percentiles[at],
        at === last ? {} : { expendable: at === 0 ? 1 : 2 },
      ),
    ),
    amount('max', ({ max }) => max, { expendable: 3 }),
  ];
}

/** What people may call a column, beside its name. */
export const COLUMN_ALIASES: Readonly<Record<string, string>> = {
  requests: 'count',
  per_second: 'rate',
  rps: 'rate',
  '4xx': 'client_errors',
  '5xx': 'server_errors',
  no_response: 'unanswered',
  'error-share': 'error_share',
  sent: 'request_bytes',
  received: 'response_bytes',
  avg: 'mean',
  average: 'mean',
};
