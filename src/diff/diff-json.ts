import type { Comparison, GroupComparison } from './compare.ts';
import { groupsWith } from './compare.ts';
import type { Finding } from './finding.ts';
import { factsOf, type GroupFacts } from './group-facts.ts';
import { ALL, OTHER } from './grouping.ts';

export interface DiffJsonOptions {
  readonly files: readonly [before: readonly string[], after: readonly string[]];
  readonly fields: readonly string[];
  readonly metric: string;
  readonly percentiles: readonly number[];
  readonly confidence: number;
  readonly threshold: number;
}

/** The comparison as one JSON value; docs/diff.md describes it. Times in ms, shares from 0 to 1. */
export function diffJson(comparison: Comparison, options: DiffJsonOptions): unknown {
  const { all, groups, tests, watchedNs, orphans, crowdedOut } = comparison;
  const input = (index: 0 | 1) => ({
    files: options.files[index],
    requests: (index === 0 ? all.before : all.after)?.requests ?? 0,
    seconds: watchedNs[index] > 0 ? watchedNs[index] / 1e9 : null,
    answers_without_request: orphans[index],
    requests_in_other: crowdedOut[index],
  });
  return {
    before: input(0),
    after: input(1),
    by: options.fields,
    metric: options.metric,
    confidence: options.confidence,
    threshold: options.threshold,
    tests,
    worse: groupsWith(comparison, 'worse'),
    better: groupsWith(comparison, 'better'),
    different: groupsWith(comparison, 'different'),
    all: groupJson(all, comparison, options),
    groups: groups.map((group) => groupJson(group, comparison, options)),
  };
}

function groupJson(group: GroupComparison, { watchedNs }: Comparison, options: DiffJsonOptions): unknown {
  const { name, before, after, verdict, findings } = group;
  const isNamed = name !== ALL && name !== OTHER;
  const { percentiles } = options;
  return {
    group: isNamed ? Object.fromEntries(options.fields.map((field, index) => [field, name[index]])) : null,
    ...(isNamed ? {} : { name: name[0] }),
    verdict,
    before: before === null ? null : factsJson(factsOf(before, percentiles, watchedNs[0]), percentiles),
    after: after === null ? null : factsJson(factsOf(after, percentiles, watchedNs[1]), percentiles),
    findings: findings.map(findingJson),
  };
}

function factsJson(facts: GroupFacts, percentiles: readonly number[]): unknown {
  const times = percentiles.map((percent, index) => {
    const ns = facts.percentilesNs[index];
    return [`p${percent}_ms`, ns === null ? null : ns / 1e6];
  });
  return {
    requests: facts.requests,
    per_second: facts.rate,
    error_share: facts.errorShare,
    client_error_share: facts.clientErrorShare,
    ...Object.fromEntries(times),
    median_response_bytes: facts.responseBytes,
    sampled: facts.sampled,
  };
}

function findingJson(finding: Finding): unknown {
  const { kind, status, change, countBefore, countAfter, pValue, adjustedP, dispersion, verdict } = finding;
  const inMs = /^p\d/.test(kind) || kind === 'shift';
  const unit = (value: number | null): number | null => (value === null ? null : inMs ? value / 1e6 : value);
  const interval = finding.intervals;
  const range = (side: 'before' | 'after') =>
    interval === null ? null : [unit(interval[side].low), unit(interval[side].high)];
  return {
    kind,
    ...(kind === 'status' ? { status } : {}),
    verdict,
    ...(kind === 'shift' ? {} : { before: unit(finding.before) }),
    ...(kind === 'shift' ? { shift: unit(finding.after) } : { after: unit(finding.after) }),
    // JSON has no infinity: from nothing to something is null, and `before` says so.
    change: change === null || !Number.isFinite(change) ? null : change,
    ...(interval === null ? {} : kind === 'shift' ? {} : { before_interval: range('before') }),
    ...(interval === null
      ? {}
      : { [kind === 'shift' ? 'shift_interval' : 'after_interval']: range('after') }),
    n_before: countBefore,
    n_after: countAfter,
    p: pValue,
    p_adjusted: adjustedP,
    dispersion,
  };
}
