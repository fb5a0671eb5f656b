import type { CaptureFacts, RunClock } from '../model/packet.ts';
import { formatCount } from '../report/units.ts';
import { GroupCounts, type GroupValue } from './group-table.ts';
import type { Distribution, MeasuredValues } from './measured-values.ts';
import type { GroupedMoments, Moments } from './moments.ts';
import type { LearnedRoutes } from './routes/learned-routes.ts';
import { routesNotes } from './routes-text.ts';
import type { StatLimits } from './stat-limits.ts';
import type { StatQuestion } from './stat-question.ts';
import { readableBuckets, TimeBuckets } from './time-buckets.ts';
import type { RankedExchange } from './top-exchanges.ts';

/** One group with its numbers. */
export interface StatGroup {
  /** One value for each field of the question, routes as text. Empty for the total and for `(other)`. */
  readonly values: readonly GroupValue[];
  readonly kind: 'group' | 'other' | 'total';
  readonly counts: GroupCounts;
  /** Part of all requests. */
  readonly share: number;
  /** Requests per second of the time between the first and the last request of all; null: there is no such time. */
  readonly rate: number | null;
  /** Requests of which the metric is known. */
  readonly measured: number;
  /** Of the metric, in its unit; null: nothing was measured. In the order of the question. */
  readonly percentiles: readonly (number | null)[];
  readonly mean: number | null;
  readonly max: number | null;
  /** Position for StatReport.buckets. */
  readonly place: number;
}

/** Requests of one group by time. */
export interface BucketCounts {
  readonly requests: Uint32Array;
  /** Those with status 500 to 599 or without response. */
  readonly errors: Uint32Array;
}

export interface StatReport {
  readonly question: StatQuestion;
  readonly clock: RunClock;
  readonly captures: readonly CaptureFacts[];
  /** Without order. The group for the rest is among them when it has any. */
  readonly groups: readonly StatGroup[];
  readonly total: StatGroup;
  /** Times of the first and last request; null: there was none. */
  readonly span: { readonly firstNs: number; readonly lastNs: number } | null;
  readonly orphans: number;
  readonly top: readonly RankedExchange[];
  /** What the reader should know beside the numbers, one sentence each. */
  readonly notes: readonly string[];
  /**
   * Buckets of the width asked for, or of a readable width of which there are at most `most`. null: there are no
   * requests. `note`: why the width is not the one asked for.
   */
  plan(widthNs: number | 'auto', most: number): { buckets: TimeBuckets; note: string | null } | null;
  /** Requests of a group by bucket. Only when the question asked for times. */
  buckets(group: StatGroup, buckets: TimeBuckets): BucketCounts;
}

export interface ReportParts {
  readonly question: StatQuestion;
  readonly clock: RunClock;
  readonly captures: readonly CaptureFacts[];
  readonly limits: StatLimits;
  readonly groups: readonly GroupCounts[];
  readonly routes: LearnedRoutes | null;
  readonly values: MeasuredValues;
  readonly times: Moments | null;
  readonly errors: Moments | null;
  readonly span: { readonly firstNs: number; readonly lastNs: number } | null;
  readonly orphans: number;
  readonly top: readonly RankedExchange[];
}

/** Place of the group for the rest. */
const OTHER = 0;

interface Merged {
  readonly values: readonly GroupValue[];
  readonly counts: GroupCounts;
  readonly key: string;
}

/** Puts groups with the same values together, and the smallest ones beyond the limit into the rest. */
export function buildReport(parts: ReportParts): StatReport {
  const { question, limits, groups, values, times, errors, span } = parts;
  const { merged, places } = mergeGroups(parts);
  const total = new GroupCounts(0, []);
  for (const group of groups) total.addAll(group);
  const seconds = span === null ? 0 : (span.lastNs - span.firstNs) / 1e9;
  const measured = values.distributions(places, merged.length, question.percentiles);
  const describe = (counts: GroupCounts, of: Distribution): Omit<StatGroup, 'kind' | 'values' | 'place'> => ({
    counts,
    share: total.requests === 0 ? 0 : counts.requests / total.requests,
    rate: seconds > 0 ? counts.requests / seconds : null,
    ...of,
  });
  const found = merged.map(
    ({ values: shown, counts }, place): StatGroup => ({
      ...describe(counts, measured.of(place)),
      values: shown,
      kind: place === OTHER ? 'other' : 'group',
      place,
    }),
  );
  const whole: StatGroup = { ...describe(total, measured.all), values: [], kind: 'total', place: -1 };
  const timesByGroup = times === null ? null : times.byGroup(places, merged.length);
  const errorsByGroup = errors === null ? null : errors.byGroup(places, merged.length);
  return {
    question,
    clock: parts.clock,
    captures: parts.captures,
    groups: found.filter(({ counts, kind }) => kind === 'group' || counts.requests > 0),
    total: whole,
    span,
    orphans: parts.orphans,
    top: parts.top,
    notes: notesOf(parts, merged[OTHER].counts.requests),
    plan: (widthNs, most) => plan(parts.clock, span, widthNs, most, limits, times?.leastNs ?? 0),
    buckets: (group, buckets) => ({
      requests: countByBucket(timesByGroup, group, buckets),
      errors: countByBucket(errorsByGroup, group, buckets),
    }),
  };
}

function mergeGroups({ question, limits, groups, routes }: ReportParts): {
  merged: Merged[];
  places: Uint32Array;
} {
  const byKey = new Map<string, { merged: Merged; members: number[] }>();
  for (const group of groups.slice(1)) {
    const values = group.values.map((value, at) =>
      question.by[at].learned && routes !== null ? routes.ofLeaf(Number(value)) : value,
    );
    const key = JSON.stringify(values);
    let entry = byKey.get(key);
    if (entry === undefined) {
      entry = { merged: { values, counts: new GroupCounts(0, []), key }, members: [] };
      byKey.set(key, entry);
    }
    entry.merged.counts.addAll(group);
    entry.members.push(group.index);
  }
  const entries = [...byKey.values()].sort(
    (a, b) => b.merged.counts.requests - a.merged.counts.requests || (a.merged.key < b.merged.key ? -1 : 1),
  );
  const rest: Merged = { values: [], counts: new GroupCounts(0, []), key: '' };
  rest.counts.addAll(groups[0]);
  const merged = [rest];
  const places = new Uint32Array(groups.length);
  entries.forEach((entry, rank) => {
    if (rank >= limits.groups) {
      rest.counts.addAll(entry.merged.counts);
      return;
    }
    for (const member of entry.members) places[member] = merged.length;
    merged.push(entry.merged);
  });
  return { merged, places };
}

function plan(
  clock: RunClock,
  span: ReportParts['span'],
  widthNs: number | 'auto',
  most: number,
  limits: StatLimits,
  leastNs: number,
): ReturnType<StatReport['plan']> {
  if (span === null) return null;
  const { firstNs, lastNs } = span;
  if (widthNs === 'auto')
    return { buckets: readableBuckets(clock, firstNs, lastNs, most, leastNs), note: null };
  if (widthNs >= leastNs && (lastNs - firstNs) / widthNs < limits.buckets) {
    const buckets = new TimeBuckets(clock, firstNs, lastNs, widthNs);
    if (buckets.count <= limits.buckets) return { buckets, note: null };
  }
  const buckets = readableBuckets(clock, firstNs, lastNs, limits.buckets, Math.max(widthNs, leastNs));
  const note = `--every would need more than ${formatCount(limits.buckets)} time buckets; they are ${buckets.widthNs / 1e9} s wide instead`;
  return { buckets, note };
}

function countByBucket(moments: GroupedMoments | null, group: StatGroup, buckets: TimeBuckets): Uint32Array {
  return (
    moments?.counts(group.kind === 'total' ? null : group.place, buckets) ?? new Uint32Array(buckets.count)
  );
}

function notesOf({ limits, values, times, routes, groups, orphans }: ReportParts, others: number): string[] {
  const notes: string[] = [];
  if (orphans > 0) {
    const answers = orphans === 1 ? '1 answer' : `${formatCount(orphans)} answers`;
    notes.push(`${answers} without a request left out: stat counts requests`);
  }
  if (others > 0) {
    notes.push(
      groups[0].requests > 0
        ? `more groups than ${formatCount(limits.groupsHeld)} while reading: ${formatCount(others)} requests are in (other)`
        : `more groups than ${formatCount(limits.groups)}: ${formatCount(others)} requests of the smallest are in (other)`,
    );
  }
  if (values.approximate)
    notes.push('percentiles are within 0.1 %: there are too many requests to keep each');
  if (values.lost > 0) {
    notes.push(
      values.approximate
        ? `there are too many groups to keep the percentiles of all: ${formatCount(values.lost)} requests are in none`
        : `percentiles are of the first ${formatCount(limits.samples)} requests; ${formatCount(values.lost)} further ones are only counted`,
    );
  }
  if (times !== null && times.lost > 0) {
    notes.push(`time buckets lack the last ${formatCount(times.lost)} requests`);
  }
  if (routes !== null) notes.push(...routesNotes(routes));
  return notes;
}
