import type { Field, FieldType } from './field.ts';
import { findField, isOrdered } from './fields.ts';
import { quoted, type Token } from './lexer.ts';
import { FILTER_LIMITS } from './limits.ts';
import { mistake, type Span } from './mistake.ts';
import { compilePattern, PatternError } from './pattern.ts';
import { merged, type OrderSign, rangeOf, runsBackwards, timeRangeOf } from './ranges.ts';
import type { Condition, Node, TimeRange } from './syntax.ts';
import { classOf, type Mistake, named, networkOf, numberOf, textOf, timeOf } from './values.ts';

/** The type check: field, sign and values become a condition, or an error that points at what does not fit. */

export type Sign =
  | '==' | '!=' | '<' | '<=' | '>' | '>=' | '~' | '!~' | '~*' | '!~*' | 'contains' | 'startsWith' | 'endsWith'; // biome-ignore format: a list

/** A value as written; with `to` a range. */
export interface Value {
  readonly token: Token;
  readonly to?: Token;
}

/** A sign that is not negated. `written`: as it stands in the expression. */
export interface PositiveSign extends Span {
  readonly sign: Sign;
  readonly written: Sign;
}

/** A field alone: yes for `boolean`, otherwise whether the exchange has it. */
export function present(field: Field): Node {
  return field.type === 'boolean' ? { kind: 'true', field } : { kind: 'present', field };
}

export function comparison(text: string, field: Field, span: Span, sign: PositiveSign, value: Value): Node {
  const fail: Mistake = (where, message, hint) => mistake(text, where, message, hint);
  const { token } = value;
  if (token.kind === 'word' && token.value.toLowerCase() === 'null') return isNull(field, sign, fail);
  if (!allows(field.type, sign.sign)) throw wrongSign(field, sign, token, fail);
  if (token.kind === 'word' && findField(token.value) !== undefined && !isWord(field, token.value))
    throw fail(
      token,
      'a field is compared with a value, not with another field',
      inQuotes(field, sign.written, token.value),
    );
  switch (field.type) {
    case 'boolean':
      return truth(field, token, fail, span);
    case 'address':
      return { kind: 'address', field, networks: [networkOf(field, sign.written, token, fail)] };
    case 'time':
      return { kind: 'times', field, ranges: [timeRangeOf(sign.sign as OrderSign, timeOf(token, fail))] };
    case 'number':
    case 'duration':
    case 'bytes':
    case 'numbers': {
      const group = field.type === 'number' && field.hasClasses ? classOf(token) : null;
      if (group !== null && sign.sign !== '==')
        throw fail(sign, `${token.value} has no order`, `write ${field.name} ${sign.written} ${group.low}`);
      const range = group ?? rangeOf(sign.sign as OrderSign, numberOf(field, token, fail));
      return { kind: 'ranges', field, ranges: [range] };
    }
    default:
      return textCondition(field, sign, token, fail);
  }
}

export function membership(
  text: string,
  field: Field,
  operator: Span,
  { values, braces }: { readonly values: readonly Value[]; readonly braces: boolean },
): Node {
  const fail: Mistake = (where, message, hint) => mistake(text, where, message, hint);
  switch (field.type) {
    case 'boolean':
      throw fail(operator, `${field.name} is yes or no`, `write ${field.name} or !${field.name}`);
    case 'number':
    case 'duration':
    case 'bytes':
    case 'numbers':
      return {
        kind: 'ranges',
        field,
        ranges: merged(
          values.map((value) => {
            const group =
              field.type === 'number' && field.hasClasses && !value.to ? classOf(value.token) : null;
            if (group !== null) return group;
            const low = numberOf(field, value.token, fail);
            const high = value.to === undefined ? low : numberOf(field, value.to, fail);
            needRange(field, value, braces, fail);
            if (low > high) throw backwards(value, fail);
            return { low, high };
          }),
        ),
      };
    case 'time':
      return {
        kind: 'times',
        field,
        ranges: values.map((value): TimeRange => {
          const low = timeOf(value.token, fail);
          const high = value.to === undefined ? low : timeOf(value.to, fail);
          needRange(field, value, braces, fail);
          if (runsBackwards(low, high)) throw backwards(value, fail);
          return { low, high };
        }),
      };
    case 'address':
      for (const value of values) noRange(field, value, fail);
      return {
        kind: 'address',
        field,
        networks: values.map(({ token }) => networkOf(field, 'in', token, fail)),
      };
    default: {
      const texts = values.map((value) => {
        noRange(field, value, fail);
        return textOf(field, 'in', value.token, fail, true);
      });
      if (!braces)
        throw fail(values[0].token, 'a set stands in braces', `write ${field.name} in {${quoted(texts[0])}}`);
      return { kind: 'text', field, test: { kind: 'equals', values: [...new Set(texts)] } };
    }
  }
}

const ORDER_SIGNS: ReadonlySet<Sign> = new Set(['<', '<=', '>', '>=']);

function allows(type: FieldType, sign: Sign): boolean {
  if (sign === '==') return true;
  if (ORDER_SIGNS.has(sign)) return isOrdered(type);
  return type === 'text' || type === 'word' || type === 'words' || type === 'texts';
}

const INSTEAD: Readonly<Record<FieldType, string>> = {
  number: '==, !=, <, <=, >, >= and in',
  numbers: '==, !=, <, <=, >, >= and in',
  duration: '==, !=, <, <=, >, >= and in',
  bytes: '==, !=, <, <=, >, >= and in',
  time: '==, !=, <, <=, >, >= and in',
  address: '==, != and in',
  boolean: 'no comparison',
  text: '==, !=, ~, !~, contains, startsWith, endsWith and in',
  texts: '==, !=, ~, !~, contains, startsWith, endsWith and in',
  word: '==, !=, ~, !~, contains, startsWith, endsWith and in',
  words: '==, !=, ~, !~, contains, startsWith, endsWith and in',
};

function wrongSign(field: Field, sign: PositiveSign, token: Token, fail: Mistake): Error {
  const hundred = /^\^?([1-9])/.exec(token.value);
  const isClass = field.type === 'number' && field.hasClasses && sign.sign.includes('~') && hundred !== null;
  const hint = isClass
    ? `write ${field.name} == ${hundred[1]}xx`
    : field.type === 'boolean'
      ? `write ${field.name} or !${field.name}`
      : `it takes ${INSTEAD[field.type]}`;
  return fail(sign, `${field.name} is ${named(field.type)}, which does not go with ${sign.written}`, hint);
}

function isNull(field: Field, sign: PositiveSign, fail: Mistake): Node {
  if (sign.sign !== '==') throw fail(sign, `null does not go with ${sign.written}`, 'use == null or != null');
  if (field.type === 'boolean')
    throw fail(sign, `${field.name} is never missing`, `write ${field.name} or !${field.name}`);
  return { kind: 'not', part: { kind: 'present', field } };
}

function truth(field: Field & { type: 'boolean' }, token: Token, fail: Mistake, span: Span): Node {
  const word = token.value.toLowerCase();
  if (token.kind === 'word' && (word === 'true' || word === 'yes')) return { kind: 'true', field };
  if (token.kind === 'word' && (word === 'false' || word === 'no'))
    return { kind: 'not', part: { kind: 'true', field } };
  throw fail(
    // The value may stand on the left.
    { start: Math.min(span.start, token.start), end: Math.max(span.end, token.end) },
    `${field.name} is yes or no`,
    `write ${field.name} or !${field.name}`,
  );
}

function needRange(field: Field, value: Value, braces: boolean, fail: Mistake): void {
  if (braces || value.to !== undefined) return;
  throw fail(
    value.token,
    'after in comes a range or a set',
    `write ${field.name} == ${value.token.value}, or in {${value.token.value}}`,
  );
}

function noRange(field: Field, { token, to }: Value, fail: Mistake): void {
  if (to === undefined) return;
  const hint = field.type === 'address' ? 'use a network, as 10.0.0.0/24' : undefined;
  throw fail(
    { start: token.start, end: to.end },
    `${field.name} is ${named(field.type)}, which has no ranges`,
    hint,
  );
}

function backwards({ token, to }: Value, fail: Mistake): Error {
  return fail(
    { start: token.start, end: (to ?? token).end },
    'the range runs backwards',
    'put the lower end first',
  );
}

function isWord(field: Field, text: string): boolean {
  return field.words?.includes(text) ?? false;
}

function inQuotes(field: Field, sign: string, text: string): string | undefined {
  return field.type === 'text' || field.type === 'texts'
    ? `if it is a text: ${field.name} ${sign} "${text}"`
    : undefined;
}

function textCondition(
  field: Extract<Condition, { kind: 'text' }>['field'],
  { sign, written }: PositiveSign,
  token: Token,
  fail: Mistake,
): Node {
  const value = textOf(field, written, token, fail, sign === '==');
  if (sign === '==') return { kind: 'text', field, test: { kind: 'equals', values: [value] } };
  if (sign === 'contains' || sign === 'startsWith' || sign === 'endsWith')
    return { kind: 'text', field, test: { kind: sign, value } };
  if (value.length > FILTER_LIMITS.patternCharacters)
    throw fail(token, `the regular expression is longer than ${FILTER_LIMITS.patternCharacters} characters`);
  const ignoreCase = sign === '~*';
  try {
    compilePattern(value, ignoreCase);
  } catch (error) {
    if (!(error instanceof PatternError)) throw error;
    const hint = /\(\?|\\\d/.test(value) ? 'look-around and back references are not there (RE2)' : undefined;
    throw fail(token, `not a regular expression: ${error.message}`, hint);
  }
  return { kind: 'text', field, test: { kind: 'matches', pattern: value, ignoreCase } };
}
