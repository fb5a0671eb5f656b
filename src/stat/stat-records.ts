import { jsonText } from '../model/json-text.ts';
import type { RunClock } from '../model/packet.ts';
import { startNs } from '../model/phases.ts';
import { rfc3339 } from '../model/time-text.ts';
import { lastPacketNs } from '../report/wall-clock.ts';
import { why } from '../report/why.ts';
import type { StatColumn } from './columns.ts';
import type { GroupValue } from './group-table.ts';
import type { StatGroup, StatReport } from './stat-report.ts';
import type { TimeBuckets } from './time-buckets.ts';
import type { RankedExchange } from './top-exchanges.ts';

/** A report for programs. `groups` come sorted, and no more than are wanted. */
export interface RecordOptions {
  readonly report: StatReport;
  readonly columns: readonly StatColumn[];
  readonly groups: readonly StatGroup[];
  /** null: no buckets were asked for, or there are no requests. */
  readonly buckets: TimeBuckets | null;
}

const time = ({ epochSeconds }: RunClock, ns: number): string => rfc3339(epochSeconds, ns, 6);

/** One JSON document, a line for each group and exchange, in pieces. */
export function* statJson(options: RecordOptions): Iterable<string> {
  const { report, groups, buckets } = options;
  const { question, clock, span, orphans, top } = report;
  const head: Record<string, unknown> = {
    by: question.by.map(({ field }) => field.name),
    metric: question.metric.name,
    first: span === null ? null : time(clock, span.firstNs),
    last: span === null ? null : time(clock, span.lastNs),
    seconds: span === null ? null : (span.lastNs - span.firstNs) / 1e9,
    answers_without_request: orphans,
  };
  if (buckets !== null) {
    const starts = Array.from({ length: buckets.count }, (_, at) => time(clock, buckets.startNs(at)));
    head.buckets = { seconds: buckets.widthNs / 1e9, starts };
  }
  yield `{${Object.entries(head)
    .map(([name, value]) => `${jsonText(name)}:${jsonText(value)}`)
    .join(',\n')},\n"groups":[`;
  let first = true;
  for (const group of groups) {
    yield `${first ? '\n' : ',\n'}${jsonText(groupRecord(group, options))}`;
    first = false;
  }
  yield `${first ? '' : '\n'}],\n"groups_left_out":${report.groups.length - groups.length}`;
  yield `,\n"total":${jsonText(groupRecord(report.total, options))}`;
  if (question.ranking !== null) {
    const exchanges = top.map((one) => `\n${jsonText(exchangeRecord(one, report))}`);
    yield `,\n"exchanges":[${exchanges.join(',')}${exchanges.length === 0 ? '' : '\n'}]`;
  }
  yield '}\n';
}

function groupRecord(group: StatGroup, { report, columns, buckets }: RecordOptions): unknown {
  const record: Record<string, unknown> = {};
  if (group.kind === 'group') {
    const fields = columns.filter(({ kind }) => kind === 'field');
    record.group = Object.fromEntries(fields.map((column) => [column.name, column.value(group)]));
  } else if (group.kind === 'other') {
    record.other = true;
  }
  for (const column of columns)
    if (column.kind !== 'field') record[column.unitName] = tidy(column.value(group));
  if (buckets !== null) {
    const { requests, errors } = report.buckets(group, buckets);
    record.buckets = { requests: [...requests], errors: [...errors] };
  }
  return record;
}

/** Six digits after the point are a nanosecond where the number is milliseconds; more is the noise of fractions. */
function tidy(value: GroupValue): GroupValue {
  return typeof value === 'number' && !Number.isInteger(value) ? Number(value.toFixed(6)) : value;
}

function exchangeRecord({ exchange, value, atLeast }: RankedExchange, report: StatReport): unknown {
  const { request, response, outcome } = exchange;
  const isTime = report.question.metric.unit === 'ns';
  return {
    id: exchange.id,
    [isTime ? 'value_ms' : 'value_bytes']: tidy(isTime ? value / 1e6 : value),
    at_least: atLeast,
    time: time(report.clock, startNs(exchange)),
    method: request?.method ?? null,
    host: request?.host ?? null,
    target: request?.target ?? null,
    status: response?.status ?? null,
    outcome,
    why: why(exchange, lastPacketNs(report.captures)),
    packet: request?.packet ?? null,
    capture: request?.capture ?? null,
  };
}

/** Records of comma-separated values, names first. The total is not among them, so that columns add up. */
export function* statRecords(options: RecordOptions): Iterable<readonly (string | number | null)[]> {
  const { report, columns, groups, buckets } = options;
  const starts =
    buckets === null
      ? []
      : Array.from({ length: buckets.count }, (_, at) => `from ${time(report.clock, buckets.startNs(at))}`);
  yield [...columns.map(({ unitName }) => unitName), ...starts];
  for (const group of groups) {
    const values = columns.map((column, at) => {
      if (column.kind === 'field' && group.kind === 'other') return at === 0 ? '(other)' : null;
      const value = tidy(column.value(group));
      return typeof value === 'boolean' ? (value ? 'yes' : 'no') : value;
    });
    yield buckets === null ? values : [...values, ...report.buckets(group, buckets).requests];
  }
}
