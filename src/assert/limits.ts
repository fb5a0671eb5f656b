/** Bounds of rules and of what is held to check them. docs/assert.md lists them. */
export interface AssertLimits {
  /** Bytes of a file of rules. */
  readonly fileBytes: number;
  readonly rules: number;
  /** Groups of one rule; a rule with more fails, and says so. */
  readonly groups: number;
  /** Values held for one percentile of one rule; a rule that needs more fails, and says so. */
  readonly values: number;
  /** Exchanges that broke a rule, and groups, which are shown of each rule; the others are counted. */
  readonly shown: number;
  /** Characters of one part of a group's name; all longer ones are one. */
  readonly nameCharacters: number;
  /** Aggregates and filters in one expression. */
  readonly measures: number;
  /** Parentheses and negations inside each other. */
  readonly nesting: number;
}

export const ASSERT_LIMITS: AssertLimits = Object.freeze({
  fileBytes: 256 * 1024,
  rules: 1_000,
  groups: 10_000,
  values: 4_000_000,
  shown: 5,
  nameCharacters: 512,
  measures: 50,
  nesting: 32,
});
