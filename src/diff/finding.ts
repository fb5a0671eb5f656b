/** What one test of one group says. */
export interface Finding {
  readonly kind: FindingKind;
  /** Status code of kind `status`, else null. */
  readonly status: number | null;
  /** In the kind's unit: ns, bytes, requests per second, or a share from 0 to 1. null: not known there. */
  readonly before: number | null;
  readonly after: number | null;
  /** (after - before) / before; Infinity from nothing to something, null where it cannot be said. */
  readonly change: number | null;
  /** Requests that were looked at. */
  readonly countBefore: number;
  readonly countAfter: number;
  /** p-value of this test alone, adjusted for the number of tests in `adjustedP`. */
  readonly pValue: number;
  readonly adjustedP: number;
  /** By which factor the requests' bursts weaken the test; 1: not at all. See statistics/dispersion.ts. */
  readonly dispersion: number;
  readonly verdict: Verdict;
  /** Where `before` and `after` truly lie, at the comparison's confidence; null where it was not computed. */
  readonly intervals: Intervals | null;
}

export interface Intervals {
  readonly before: Range;
  readonly after: Range;
}

/** null: no bound can be given. */
export interface Range {
  readonly low: number | null;
  readonly high: number | null;
}

/**
 * p50, p99 … of the metric; `shift`: the metric as a whole; `errors`: 5xx or no answer; `client-errors`: 4xx;
 * `status`: the share of one code; `size`: median bytes of responses; `new`, `gone`: only on one side.
 */
export type FindingKind =
  | `p${number}`
  | 'shift'
  | 'errors'
  | 'client-errors'
  | 'status'
  | 'size'
  | 'rate'
  | 'new'
  | 'gone';

/**
 * `worse`, `better`, `different` (neither: rate, size, status): significant and at least the threshold. `small`:
 * significant, but below the threshold. `same`: no significant difference. `too-few`: no difference, however large,
 * could have been significant.
 */
export type Verdict = 'worse' | 'better' | 'different' | 'small' | 'same' | 'too-few';

/** A finding before all p-values are known. */
export type Candidate = Omit<Finding, 'adjustedP' | 'verdict'> & {
  /** The smallest p-value that the test could have given. */
  readonly smallestP: number;
  /** What more of it means. */
  readonly more: 'worse' | 'different';
};

/** Groups show these first. */
export const VERDICT_ORDER: readonly Verdict[] = ['worse', 'different', 'better', 'small', 'same', 'too-few'];

/** (after - before) / before. */
export function relativeChange(before: number | null, after: number | null): number | null {
  if (before === null || after === null) return null;
  if (before === after) return 0;
  return before === 0 ? Number.POSITIVE_INFINITY : (after - before) / before;
}

export function isSignificant({ verdict }: Pick<Finding, 'verdict'>): boolean {
  return verdict === 'worse' || verdict === 'better' || verdict === 'different';
}
