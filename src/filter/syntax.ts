import type { Network } from './address.ts';
import type { BooleanField, Field, NumberField, NumbersField, TextField, TextsField } from './field.ts';

/** What an expression means, checked: both back ends and the printer work on this. */
export type Node =
  | { readonly kind: 'and'; readonly parts: readonly Node[] }
  | { readonly kind: 'or'; readonly parts: readonly Node[] }
  | { readonly kind: 'not'; readonly part: Node }
  | Condition;

/** True only of exchanges that have the field; of lists, when any element fulfils it. */
export type Condition =
  | { readonly kind: 'present'; readonly field: Exclude<Field, BooleanField> }
  | { readonly kind: 'true'; readonly field: BooleanField }
  | { readonly kind: 'ranges'; readonly field: NumberField | NumbersField; readonly ranges: readonly Range[] }
  | { readonly kind: 'times'; readonly field: NumberField; readonly ranges: readonly TimeRange[] }
  | { readonly kind: 'address'; readonly field: TextField; readonly networks: readonly Network[] }
  | { readonly kind: 'text'; readonly field: TextField | TextsField; readonly test: TextTest };

/**
 * Whole numbers from `low` to `high`, both included; null: no bound. Every comparison of numbers, durations (ns)
 * and sizes (B) becomes some of these, in order and apart from each other.
 */
export interface Range {
  readonly low: number | null;
  readonly high: number | null;
}

/** A moment: Unix time, or time since the run's epoch. `ns` is 0 to 999,999,999. */
export interface Instant {
  readonly relative: boolean;
  readonly seconds: number;
  readonly ns: number;
}

export interface TimeRange {
  readonly low: Instant | null;
  readonly high: Instant | null;
}

export type TextTest =
  | { readonly kind: 'equals'; readonly values: readonly string[] }
  | { readonly kind: 'contains' | 'startsWith' | 'endsWith'; readonly value: string }
  | { readonly kind: 'matches'; readonly pattern: string; readonly ignoreCase: boolean };

/** Every condition in the expression. Recursion is bounded by the limit on nesting. */
export function* conditionsOf(node: Node): Generator<Condition> {
  switch (node.kind) {
    case 'and':
    case 'or':
      for (const part of node.parts) yield* conditionsOf(part);
      break;
    case 'not':
      yield* conditionsOf(node.part);
      break;
    default:
      yield node;
  }
}
