import type { Quantity } from './expectation.ts';
import type { Rule } from './rule.ts';

/** What became of a rule. */
export interface RuleResult {
  readonly rule: Rule;
  /** `failed` also of rules that are only warnings; see Rule.severity. */
  readonly status: 'passed' | 'failed';
  /** Exchanges that it was about. */
  readonly selected: number;
  /** Why it failed, one sentence; what it measured when it passed. Plain text, not sanitised. */
  readonly summary: string;
  /** The first exchanges that broke it, by their place in time; those beyond are counted. */
  readonly offenders: readonly Offender[];
  /** All of them. */
  readonly offending: number;
  /** Groups of a rule with `by`; the failed ones first, those beyond the limit are counted. */
  readonly groups: readonly GroupResult[];
  readonly groupsJudged: number;
  readonly groupsFailed: number;
  /** Groups with fewer exchanges than min_group. */
  readonly groupsSkipped: number;
  /** Without `by`: what was measured. */
  readonly measured: readonly Measured[];
}

/** An exchange, in words. Its number is what `wirelens show` takes. */
export interface Offender {
  readonly id: number;
  readonly text: string;
}

export interface GroupResult {
  /** Values of the fields of `by`; null: its exchanges do not have it. */
  readonly name: readonly (string | null)[];
  readonly passed: boolean;
  readonly selected: number;
  readonly measured: readonly Measured[];
}

/** A measure with its value. */
export interface Measured {
  /** `p99(total)` */
  readonly text: string;
  readonly quantity: Quantity;
  /** null: not known. */
  readonly value: number | null;
  /** Comparisons that it made fail, as written: `p99(total) < 300ms`. */
  readonly broken: readonly string[];
}
