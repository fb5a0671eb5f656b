import { RE2JS, RE2JSException } from 're2js';

/**
 * Regular expressions in the syntax of RE2, which have no back references and no look-around, and are matched in
 * time linear in the text whatever they are. See docs/decisions/0013-re2js.md.
 */
export interface Pattern {
  /** Whether the pattern occurs anywhere in the text. */
  test(text: string): boolean;
}

/** The pattern is no regular expression; `message` says why. */
export class PatternError extends Error {
  override readonly name = 'PatternError';
}

/** A pattern that is a plain text, perhaps held at the beginning or the end. Half surrogate pairs are left out. */
const LITERAL = /^(\^?)((?:[^\\.+*?()|[\]{}^$\ud800-\udfff]|\\[\\.+*?()|[\]{}^$/-])*)(\$?)$/;

/** Throws PatternError. Cost: bounded by the length, which the caller limits. */
export function compilePattern(source: string, ignoreCase: boolean): Pattern {
  const literal = ignoreCase ? null : literalTest(source);
  if (literal !== null) return literalPattern(literal);
  try {
    const compiled = RE2JS.compile(source, ignoreCase ? RE2JS.CASE_INSENSITIVE : 0);
    return { test: (text) => compiled.test(text) };
  } catch (error) {
    if (!(error instanceof RE2JSException)) throw error;
    throw new PatternError(error.message.replace(/^error parsing regexp: /, ''));
  }
}

/** A test that does the same as a pattern without the engine. */
export interface LiteralTest {
  readonly kind: 'equals' | 'contains' | 'startsWith' | 'endsWith';
  readonly value: string;
}

/** The plain text that a pattern stands for; null: it is more than that. */
export function literalTest(source: string): LiteralTest | null {
  const match = LITERAL.exec(source);
  if (match === null) return null;
  const value = match[2].replace(/\\(.)/g, '$1');
  const [atStart, atEnd] = [match[1] !== '', match[3] !== ''];
  const kind = atStart ? (atEnd ? 'equals' : 'startsWith') : atEnd ? 'endsWith' : 'contains';
  return { kind, value };
}

function literalPattern({ kind, value }: LiteralTest): Pattern {
  switch (kind) {
    case 'equals':
      return { test: (text) => text === value };
    case 'contains':
      return { test: (text) => text.includes(value) };
    case 'startsWith':
      return { test: (text) => text.startsWith(value) };
    case 'endsWith':
      return { test: (text) => text.endsWith(value) };
  }
}
