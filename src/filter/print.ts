import type { Field } from './field.ts';
import { quoted } from './lexer.ts';
import { after } from './ranges.ts';
import type { Condition, Instant, Node, Range, TextTest, TimeRange } from './syntax.ts';
import { durationText, sizeText } from './value-text.ts';

/** The expression in its plainest form. Parsing it gives the same node again. */
export function print(node: Node): string {
  switch (node.kind) {
    case 'and':
      return node.parts.map((part) => (part.kind === 'or' ? `(${print(part)})` : print(part))).join(' && ');
    case 'or':
      return node.parts.map(print).join(' || ');
    case 'not':
      return node.part.kind === 'and' || node.part.kind === 'or'
        ? `!(${print(node.part)})`
        : printNot(node.part);
    default: {
      const { left, sign, right } = shown(node);
      return sign === '' ? left : `${left} ${sign} ${right}`;
    }
  }
}

/** A condition in its parts; the sign is empty for a field alone. */
interface Shown {
  readonly left: string;
  readonly sign: string;
  readonly right: string;
}

const OPPOSITES: Readonly<Record<string, string>> = {
  '==': '!=',
  '!=': '==',
  '~': '!~',
  '~*': '!~*',
  in: 'not in',
};

function printNot(part: Node): string {
  if (part.kind === 'and' || part.kind === 'or' || part.kind === 'not') return `!(${print(part)})`;
  const { left, sign, right } = shown(part);
  if (sign === '') return `!${left}`;
  const opposite = OPPOSITES[sign];
  // The opposite of an order would be false for what is missing; the negation is true.
  return opposite === undefined ? `!(${left} ${sign} ${right})` : `${left} ${opposite} ${right}`;
}

function shown(condition: Condition): Shown {
  const left = condition.field.name;
  switch (condition.kind) {
    case 'present':
      return { left, sign: '!=', right: 'null' };
    case 'true':
      return { left, sign: '', right: '' };
    case 'ranges':
      return { left, ...shownRanges(condition.field, condition.ranges) };
    case 'times':
      return { left, ...shownTimes(condition.ranges) };
    case 'address': {
      const [first] = condition.networks;
      if (condition.networks.length === 1 && !first.text.includes('/'))
        return { left, sign: '==', right: first.text };
      return { left, ...members(condition.networks.map(({ text }) => text)) };
    }
    case 'text':
      return { left, ...shownText(condition.test) };
  }
}

type Comparison = Pick<Shown, 'sign' | 'right'>;

function members(values: readonly string[]): Comparison {
  const [first] = values;
  const alone = values.length === 1 && /\.\.|\//.test(first) && !first.startsWith('"');
  return { sign: 'in', right: alone ? first : `{${values.join(', ')}}` };
}

function shownRanges({ type }: Field, ranges: readonly Range[]): Comparison {
  const literal = (value: number): string =>
    type === 'duration' ? durationText(value) : type === 'bytes' ? sizeText(value) : String(value);
  const [{ low, high }] = ranges;
  if (ranges.length === 1) {
    if (low === null) return upTo(high ?? 0, literal);
    if (high === null) return from(low, literal);
    if (low === high) return { sign: '==', right: literal(low) };
  }
  return members(
    ranges.map((range) => {
      const first = literal(range.low ?? 0);
      return range.low === range.high ? first : `${first}..${literal(range.high ?? 0)}`;
    }),
  );
}

/** The shorter of two ways to say it; nothing is below zero, and the language has no negative numbers. */
function upTo(high: number, literal: (value: number) => string): Comparison {
  const next = literal(high + 1);
  const isShorter = high < Number.MAX_SAFE_INTEGER && next.length < literal(high).length;
  return high < 0 || isShorter ? { sign: '<', right: next } : { sign: '<=', right: literal(high) };
}

function from(low: number, literal: (value: number) => string): Comparison {
  const isShorter =
    low > Number.MAX_SAFE_INTEGER || (low > 0 && literal(low - 1).length < literal(low).length);
  return isShorter ? { sign: '>', right: literal(low - 1) } : { sign: '>=', right: literal(low) };
}

function shownTimes(ranges: readonly TimeRange[]): Comparison {
  const [{ low, high }] = ranges;
  if (ranges.length === 1 && high === null && low !== null) {
    const before = after(low, -1);
    return before.ns === 0
      ? { sign: '>', right: instantText(before) }
      : { sign: '>=', right: instantText(low) };
  }
  if (ranges.length === 1 && low === null && high !== null) {
    const next = after(high);
    return next.ns === 0 ? { sign: '<', right: instantText(next) } : { sign: '<=', right: instantText(high) };
  }
  return members(ranges.map((range) => `${bound(range.low)}..${bound(range.high)}`));
}

function bound(instant: Instant | null): string {
  return instant === null ? '' : instantText(instant);
}

function instantText({ relative, seconds, ns }: Instant): string {
  if (relative) return `+${durationText(seconds * 1e9 + ns)}`;
  const fraction = ns === 0 ? '' : `.${String(ns).padStart(9, '0').replace(/0+$/, '')}`;
  return `${new Date(seconds * 1000).toISOString().slice(0, 19)}${fraction}Z`;
}

function shownText(test: TextTest): Comparison {
  switch (test.kind) {
    case 'equals':
      return test.values.length === 1
        ? { sign: '==', right: quoted(test.values[0]) }
        : members(test.values.map(quoted));
    case 'matches':
      return { sign: test.ignoreCase ? '~*' : '~', right: quoted(test.pattern) };
    default:
      return { sign: test.kind, right: quoted(test.value) };
  }
}
