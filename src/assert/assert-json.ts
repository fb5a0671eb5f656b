import type { Measured, RuleResult } from './result.ts';
import { tallyOf } from './tally.ts';

/** All results as one JSON value; docs/assert.md describes it. Durations in ms, sizes in bytes, shares from 0 to 1. */
export function assertJson(
  results: readonly RuleResult[],
  { rulesFile, files, exchanges }: { rulesFile: string; files: readonly string[]; exchanges: number },
): unknown {
  const { rules, passed, failed, warnings } = tallyOf(results);
  return {
    rules_file: rulesFile,
    files,
    exchanges,
    rules,
    passed,
    failed,
    warnings,
    results: results.map((result) => ({
      name: result.rule.name,
      line: result.rule.line,
      severity: result.rule.severity,
      status: result.status,
      summary: result.summary,
      selected: result.selected,
      ...(result.rule.demand.kind === 'expect' ? grouped(result) : offending(result)),
    })),
  };
}

function offending({ offending: count, offenders }: RuleResult): object {
  return { offending: count, offenders: offenders.map(({ id, text }) => ({ id, text })) };
}

function grouped(result: RuleResult): object {
  const { rule, measured, groups, groupsJudged, groupsFailed, groupsSkipped } = result;
  if (rule.by.length === 0) return { measured: measured.map(measuredJson) };
  return {
    groups_judged: groupsJudged,
    groups_failed: groupsFailed,
    groups_skipped: groupsSkipped,
    groups: groups.map((group) => ({
      group: Object.fromEntries(rule.by.map(({ name }, index) => [name, group.name[index]])),
      passed: group.passed,
      exchanges: group.selected,
      measured: group.measured.map(measuredJson),
    })),
  };
}

function measuredJson({ text, quantity, value, broken }: Measured): unknown {
  const shown = value !== null && quantity === 'duration' ? value / 1e6 : value;
  return { measure: text, unit: UNITS[quantity], value: shown, broken };
}

const UNITS = { number: null, duration: 'ms', size: 'B', share: null, rate: '1/s' } as const;
