import type { Cursor } from './cursor.ts';
import { FIELD_NAMES } from './fields.ts';
import { HEADER_WORDS } from './header-fields.ts';
import type { Token } from './lexer.ts';
import { shortened } from './mistake.ts';
import { suggestField } from './suggestion.ts';

/** What to say where something else should stand. */

/** Words that other languages have for signs. */
const FOREIGN_WORDS: Readonly<Record<string, string>> = {
  eq: '==',
  ne: '!=',
  gt: '>',
  lt: '<',
  ge: '>=',
  le: '<=',
  is: '==',
  equals: '==',
  matches: '~',
  like: '~ or contains',
  has: 'contains or ==',
  between: 'in LOW..HIGH',
  starts_with: 'startsWith',
  ends_with: 'endsWith',
};

/** After a field stands a word that is a sign elsewhere; null: it is not. */
export function foreignSign(cursor: Cursor): Error | null {
  const token = cursor.peek();
  const word = token.value.toLowerCase();
  if (token.kind !== 'word' || !Object.hasOwn(FOREIGN_WORDS, word)) return null;
  return cursor.mistake(token, `there is no ${token.value}`, `use ${FOREIGN_WORDS[word]}`);
}

/** A sign where a condition should begin. `isOpen`: inside parentheses. */
export function noCondition(cursor: Cursor, token: Token, isOpen: boolean): Error {
  if (token.value === ')' && isOpen)
    return cursor.mistake(token, 'a condition is missing', 'put a condition before it');
  if (token.value === ')') return tooManyClosed(cursor, token);
  return cursor.mistake(
    token,
    `a condition should begin here, not ${token.value}`,
    'conditions begin with a field, as status >= 500',
  );
}

function tooManyClosed(cursor: Cursor, token: Token): Error {
  return cursor.mistake(token, 'nothing was opened that ) could close', 'take it away');
}

/** Something after a condition that does not join it with another. */
export function afterCondition(cursor: Cursor, token: Token): Error {
  if (token.kind === 'sign' && token.value === ')') return tooManyClosed(cursor, token);
  if (token.kind === 'sign' && token.value === '..')
    return cursor.mistake(token, 'a range goes with in', 'as status in 500..599');
  return cursor.mistake(token, 'the condition before this has ended', 'join conditions with && or ||');
}

/** Brackets after something that has none. */
export function noBrackets(cursor: Cursor, word: Token): Error {
  const side = /resp/i.test(word.value)
    ? HEADER_WORDS.response
    : /req/i.test(word.value)
      ? HEADER_WORDS.request
      : HEADER_WORDS.both;
  return cursor.mistake(
    word,
    `${shortened(word.value)} has no brackets`,
    `header fields are ${side}["content-type"]`,
  );
}

/** A value, or a word that is no field, where a field should be. */
export function noField(cursor: Cursor, token: Token): Error {
  const { value } = token;
  if (token.kind === 'text')
    return cursor.mistake(token, 'a text alone is no condition', 'compare it with a field, as host == "…"');
  if (Object.values(HEADER_WORDS).includes(value))
    return cursor.mistake(token, `${value} needs a name`, `write ${value}["content-type"]`);
  if (/^(true|false|null)$/i.test(value) || /^[\d+:.]/.test(value))
    return cursor.mistake(token, `${shortened(value)} is no condition`, 'compare it with a field');
  const meant = suggestField(value, FIELD_NAMES);
  return cursor.mistake(
    token,
    `there is no field ${shortened(value)}`,
    meant === undefined ? 'wirelens fields lists them' : `did you mean ${meant.replace(/\["$/, '["…"]')}?`,
  );
}
