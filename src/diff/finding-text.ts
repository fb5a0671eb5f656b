import { sanitise } from '../report/terminal-text.ts';
import { formatBytes, formatCount, formatDuration, formatRate } from '../report/units.ts';
import type { Finding } from './finding.ts';
import { ALL, type GroupName, OTHER } from './grouping.ts';
import { NO_ANSWER, NO_STATUS } from './status-code.ts';

/** Fields whose values say what they are. */
const BARE = new Set(['method', 'host', 'route', 'path', 'target', 'outcome']);

/** `GET api.test/users/{id}`, `status=200`; fields that are not there are an en dash. Safe for a terminal. */
export function nameText(name: GroupName, fields: readonly string[]): string {
  if (name === ALL || name === OTHER) return name[0] ?? '';
  let text = '';
  name.forEach((part, index) => {
    const field = fields[index];
    const value = part === null ? '–' : sanitise(part);
    const joins = fields[index - 1] === 'host' && (field === 'route' || field === 'path') && part !== null;
    if (text !== '' && !joins) text += ' ';
    text += BARE.has(field) ? value : `${field}=${value}`;
  });
  return text === '' ? '(all)' : text;
}

/** `+299 %`, `−12 %`, `×24`, `from none`. */
export function changeText(change: number | null): string {
  if (change === null) return '–';
  if (change === Number.POSITIVE_INFINITY) return 'from none';
  if (change >= 9) return `×${threeDigits(change + 1)}`;
  const percent = Math.round(Math.abs(change) * 1000) / 10;
  const digits = percent >= 10 ? percent.toFixed(0) : percent.toFixed(1);
  return `${change < 0 ? '−' : '+'}${digits} %`;
}

function threeDigits(value: number): string {
  return value < 99.5 ? value.toFixed(0) : formatCount(value);
}

/** `0 %`, `0.02 %`, `1.5 %`, `12 %`. */
export function shareText(share: number): string {
  const percent = share * 100;
  if (percent === 0 || percent === 100) return `${percent} %`;
  if (percent < 0.01) return '<0.01 %';
  if (percent > 99.9) return `${Math.min(99.99, percent).toFixed(2)} %`;
  return percent < 1
    ? `${percent.toFixed(2)} %`
    : percent < 10
      ? `${percent.toFixed(1)} %`
      : `${percent.toFixed(0)} %`;
}

/** `p < 0.001`, `p = 0.004`. */
export function pText(p: number): string {
  return p < 0.001 ? 'p < 0.001' : `p = ${p.toFixed(3)}`;
}

function signed(ns: number): string {
  return ns < 0 ? `−${formatDuration(-ns)}` : `+${formatDuration(ns)}`;
}

function statusText(status: number | null): string {
  if (status === NO_ANSWER) return 'no answer';
  return status === NO_STATUS ? 'no status' : `status ${status}`;
}

function subject({ kind, status }: Finding, metric: string): string {
  if (/^p\d/.test(kind)) return metric === 'total' ? kind : `${metric} ${kind}`;
  if (kind === 'client-errors') return '4xx';
  if (kind === 'size') return 'median response';
  return kind === 'status' ? statusText(status) : kind;
}

function valueText(kind: Finding['kind'], value: number | null): string {
  if (value === null) return '–';
  if (/^p\d/.test(kind)) return formatDuration(value);
  if (kind === 'size') return formatBytes(value);
  return kind === 'rate' ? `${formatRate(value)}/s` : shareText(value);
}

function significance({ adjustedP, countBefore, countAfter }: Finding): string {
  return `significant (${pText(adjustedP)}, n = ${formatCount(countBefore)} / ${formatCount(countAfter)})`;
}

/** One finding as a sentence: `p99 12.1 ms → 48.3 ms (+299 %), significant (p < 0.001, n = 1,203 / 1,187)`. */
export function findingText(finding: Finding, metric: string, confidence: number): string {
  const { kind, before, after, change } = finding;
  const proof = significance(finding);
  if (kind === 'new') return `new, ${formatRate(after)}/s, ${proof}`;
  if (kind === 'gone') return `gone, was ${formatRate(before)}/s, ${proof}`;
  if (kind === 'shift') {
    const range = finding.intervals?.after;
    const between =
      range?.low == null || range.high == null
        ? ''
        : `, ${signed(range.low)} to ${signed(range.high)} with ${shareText(confidence)} confidence`;
    return `${metric} of all requests ${signed(after ?? 0)} (${changeText(change)} of the median${between}), ${proof}`;
  }
  return `${subject(finding, metric)} ${valueText(kind, before)} → ${valueText(kind, after)} (${changeText(change)}), ${proof}`;
}
