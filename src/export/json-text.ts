/** Characters that stand for themselves in a JSON string and in every encoding that is a superset of ASCII. */
const PLAIN = /^[ !#-[\]-~]*$/;

/** A JSON string. Lone surrogates come out as escapes, so that the result is always valid UTF-8. */
export function quoteJson(text: string): string {
  return PLAIN.test(text) ? `"${text}"` : JSON.stringify(text);
}

export function quoteJsonOrNull(text: string | null): string {
  return text === null ? 'null' : quoteJson(text);
}

/**
 * Nanoseconds as milliseconds with all their digits: 1234567 becomes `1.234567`. Exact up to 11 days, since a
 * double keeps 15 decimal digits and prints the shortest that reads back the same.
 */
export function jsonMilliseconds(ns: number | null): string {
  return ns === null ? 'null' : String(ns / 1e6);
}
