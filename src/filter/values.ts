import { type Network, parseNetwork } from './address.ts';
import { type Field, type FieldType, TYPE_NAMES } from './field.ts';
import type { Token } from './lexer.ts';
import { Complaint, readDuration, readNumber, readSize, readTime } from './literals.ts';
import type { Span } from './mistake.ts';
import { nearest } from './suggestion.ts';
import type { Instant, Range } from './syntax.ts';

/** Values of a field's type, out of tokens; what does not fit is an error at its token. */

/** Makes the error at a place of the expression. */
export type Mistake = (span: Span, message: string, hint?: string) => Error;

function given<Value>(result: Value | Complaint, token: Token, fail: Mistake): Value {
  if (result instanceof Complaint) throw fail(token, result.message, result.hint);
  return result;
}

export function numberOf(field: Field, token: Token, fail: Mistake): number {
  const read = field.type === 'duration' ? readDuration : field.type === 'bytes' ? readSize : readNumber;
  const result = read(token.value);
  if (token.kind === 'word') return given(result, token, fail);
  const hint = result instanceof Complaint ? undefined : `write ${token.value} without quotes`;
  throw fail(token, `${field.name} is ${named(field.type)}, not a text`, hint);
}

export function timeOf(token: Token, fail: Mistake): Instant {
  return given(readTime(token.value), token, fail);
}

/** `5xx`. */
export function classOf({ kind, value }: Token): (Range & { low: number }) | null {
  if (kind !== 'word' || !/^[1-9]xx$/i.test(value)) return null;
  const low = Number(value[0]) * 100;
  return { low, high: low + 99 };
}

export function networkOf(field: Field, sign: string, token: Token, fail: Mistake): Network {
  const network = parseNetwork(token.value);
  if (network !== null) return network;
  const port = /^(\[.*\]|\d+\.\d+\.\d+\.\d+):(\d+)$/.exec(token.value);
  const hint =
    port === null
      ? `write ${field.name} ${sign} 10.0.0.1, 10.0.0.0/8 or 2001:db8::/32`
      : `ports are a field of their own: ${field.name}.port == ${port[2]}`;
  throw fail(token, `${token.value} is neither an address nor a network`, hint);
}

/** `exact`: the value must be one that the field can have. */
export function textOf(field: Field, sign: string, token: Token, fail: Mistake, exact: boolean): string {
  const { words } = field;
  if (token.kind === 'word' && (words === null || !exact))
    throw fail(
      token,
      'texts stand in quotes',
      `write ${field.name} ${sign} ${sign === 'in' ? `{"${token.value}"}` : `"${token.value}"`}`,
    );
  if (!exact || words === null || words.includes(token.value)) return token.value;
  const meant = nearest(token.value, words);
  const list = words.length <= 12 ? `it is one of ${words.join(', ')}` : 'docs/anomalies.md lists them';
  throw fail(
    token,
    `${field.name} is never ${token.value}`,
    meant === undefined ? list : `did you mean ${meant}?`,
  );
}

export function named(type: FieldType): string {
  const name = TYPE_NAMES[type];
  if (type === 'boolean') return name;
  return type === 'numbers' || type === 'words' || type === 'texts'
    ? `a list of ${name}`
    : `${/^[aeiou]/.test(name) ? 'an' : 'a'} ${name}`;
}
