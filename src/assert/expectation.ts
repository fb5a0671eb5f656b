import type { NumberField } from '../filter/field.ts';
import type { Filter } from '../filter/filter.ts';
import type { Percentile } from '../stat/percentiles.ts';

/** What kind of number it is. Durations in ns, sizes in bytes, shares from 0 to 1, rates per second. */
export type Quantity = 'number' | 'duration' | 'size' | 'share' | 'rate';

/** Something measured of a group of exchanges. */
export type Measure = {
  /** As written: `p99(total)`. */
  readonly text: string;
  readonly quantity: Quantity;
} & (
  | { readonly kind: 'count' | 'rate' | 'share'; readonly filter: Filter | null }
  | { readonly kind: 'percentile'; readonly field: NumberField; readonly percentile: Percentile }
  | { readonly kind: 'min' | 'max' | 'mean' | 'sum'; readonly field: NumberField }
);

export type Operator = '<' | '<=' | '>' | '>=' | '==' | '!=';

export type Operand =
  | { readonly kind: 'measure'; readonly measure: number }
  | { readonly kind: 'literal'; readonly value: number; readonly text: string };

export interface Comparison {
  readonly kind: 'comparison';
  readonly left: Operand;
  readonly operator: Operator;
  readonly right: Operand;
  readonly quantity: Quantity;
  /** As written. */
  readonly text: string;
}

export type ExpectationNode =
  | { readonly kind: 'and' | 'or'; readonly parts: readonly ExpectationNode[] }
  | { readonly kind: 'not'; readonly part: ExpectationNode }
  | Comparison;

/** A condition on a group of exchanges: `p99(total) < 300ms && error_share < 1%`. */
export interface Expectation {
  readonly text: string;
  readonly node: ExpectationNode;
  /** What its comparisons refer to by number; each once. */
  readonly measures: readonly Measure[];
  /** Lower-case names of header fields that must be kept for it. */
  readonly headers: readonly string[];
}

/** true, false, or null: something that it compares is not known. */
export type Truth = boolean | null;

/** `values`: of the measures; null: not known. Unknown parts count only where they could change the result. */
export function truthOf(node: ExpectationNode, values: readonly (number | null)[]): Truth {
  if (node.kind === 'comparison') return compared(node, values);
  if (node.kind === 'not') {
    const truth = truthOf(node.part, values);
    return truth === null ? null : !truth;
  }
  const decisive = node.kind === 'or';
  let unknown = false;
  for (const part of node.parts) {
    const truth = truthOf(part, values);
    if (truth === decisive) return decisive;
    if (truth === null) unknown = true;
  }
  return unknown ? null : !decisive;
}

function compared({ left, operator, right }: Comparison, values: readonly (number | null)[]): Truth {
  const [a, b] = [left, right].map((operand) =>
    operand.kind === 'literal' ? operand.value : values[operand.measure],
  );
  if (a === null || b === null) return null;
  const results: Readonly<Record<Operator, boolean>> = {
    '<': a < b,
    '<=': a <= b,
    '>': a > b,
    '>=': a >= b,
    '==': a === b,
    '!=': a !== b,
  };
  return results[operator];
}

/** The comparisons that make it false or unknown: those to look at. */
export function culprits(node: ExpectationNode, values: readonly (number | null)[]): Comparison[] {
  const found: Comparison[] = [];
  const visit = (one: ExpectationNode, wanted: boolean): void => {
    if (one.kind === 'not') visit(one.part, !wanted);
    else if (one.kind === 'comparison') {
      if (truthOf(one, values) !== wanted) found.push(one);
    } else for (const part of one.parts) if (truthOf(part, values) !== wanted) visit(part, wanted);
  };
  visit(node, true);
  return found;
}
