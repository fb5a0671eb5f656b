import type { Field } from '../filter/fields.ts';
import type { Filter } from '../filter/filter.ts';
import type { Expectation } from './expectation.ts';

/** One rule of a file, checked. */
export interface Rule {
  readonly name: string;
  /** 1-based line of the rule in its file. */
  readonly line: number;
  readonly severity: 'error' | 'warning';
  /** Which exchanges it is about; null: all. */
  readonly where: Filter | null;
  /** Fields that make its groups; empty: all selected exchanges are one. Only with `expect`. */
  readonly by: readonly Field[];
  readonly demand: Demand;
  /** Fewer selected exchanges are a failure. 0: selecting nothing is fine. */
  readonly minCount: number;
  /** Groups with fewer exchanges are not judged, only counted. */
  readonly minGroup: number;
}

/** `none`: no selected exchange matches. `all`: every one does. `expect`: it holds of them together. */
export type Demand =
  | { readonly kind: 'none' | 'all'; readonly filter: Filter }
  | { readonly kind: 'expect'; readonly expectation: Expectation };

/** Names of header fields that must be kept for the rules. */
export function headersOf(rules: readonly Rule[]): string[] {
  const names = rules.flatMap(({ where, by, demand }) => [
    ...(where?.headers ?? []),
    ...by.flatMap((field) => ('header' in field && field.header !== null ? [field.header] : [])),
    ...(demand.kind === 'expect' ? demand.expectation.headers : demand.filter.headers),
  ]);
  return [...new Set(names)];
}
