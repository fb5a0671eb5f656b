/** Bounds of an expression. Reaching one is an error that names it; docs/filter.md lists them. */
export const FILTER_LIMITS = Object.freeze({
  /** UTF-16 units of an expression. Also keeps the parameters of its SQL below what SQLite takes (32,766). */
  characters: 32_768,
  /** Parentheses and negations inside each other. */
  nesting: 64,
  /** Values and ranges in one set. */
  setElements: 1_000,
  /** UTF-16 units of one regular expression. */
  patternCharacters: 1_000,
  /** Regular expressions in one expression. */
  patterns: 100,
});
