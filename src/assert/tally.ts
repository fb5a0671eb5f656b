import type { RuleResult } from './result.ts';

/** What came out of all rules. */
export interface Tally {
  readonly rules: number;
  readonly passed: number;
  /** With severity error: these decide the exit code. */
  readonly failed: number;
  /** With severity warning. */
  readonly warnings: number;
}

export function isWarning({ rule, status }: RuleResult): boolean {
  return status === 'failed' && rule.severity === 'warning';
}

export function tallyOf(results: readonly RuleResult[]): Tally {
  const passed = results.filter(({ status }) => status === 'passed').length;
  const warnings = results.filter(isWarning).length;
  return { rules: results.length, passed, warnings, failed: results.length - passed - warnings };
}
