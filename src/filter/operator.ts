import type { Sign } from './checker.ts';
import type { Cursor } from './cursor.ts';
import type { Span } from './mistake.ts';

/** What stands between a field and its value. */
export interface Operator extends Span {
  readonly sign: Sign | 'in' | 'not in';
}

const SIGNS: ReadonlySet<string> = new Set(['==', '!=', '<', '<=', '>', '>=', '~', '!~', '~*', '!~*']);
const SIGN_WORDS: Readonly<Record<string, Sign>> = {
  contains: 'contains',
  startswith: 'startsWith',
  endswith: 'endsWith',
};

/** The same comparison seen from the other side; those that are not in it have the field on their left. */
export const TURNED: Readonly<Record<string, Sign>> = {
  '==': '==',
  '!=': '!=',
  '<': '>',
  '<=': '>=',
  '>': '<',
  '>=': '<=',
};

/** Whether a sign of comparison is here; words (`in`, `contains`) are not looked for. */
export function atSign(cursor: Cursor): boolean {
  const { kind, value } = cursor.peek();
  return kind === 'sign' && SIGNS.has(value);
}

/** Reads the operator that is here; null: there is none. */
export function readOperator(cursor: Cursor): Operator | null {
  const { start, end, value } = cursor.peek();
  if (atSign(cursor)) {
    cursor.next();
    return { sign: value as Sign, start, end };
  }
  if (cursor.accept('in', 'in')) return { sign: 'in', start, end };
  if ((cursor.isSign('!') || cursor.isWord('not')) && cursor.isWord('in', 1)) {
    cursor.next();
    return { sign: 'not in', start, end: cursor.next().end };
  }
  const word = value.toLowerCase();
  if (cursor.peek().kind !== 'word' || !Object.hasOwn(SIGN_WORDS, word)) return null;
  cursor.next();
  return { sign: SIGN_WORDS[word], start, end };
}
