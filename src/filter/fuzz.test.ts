import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { buildExchange } from '../../test/build-exchange.ts';
import { almost, expression } from '../../test/filter/arbitrary-expression.ts';
import { UserError } from '../model/errors.ts';
import { parseFilter } from './filter.ts';
import { FILTER_LIMITS } from './limits.ts';
import { parse } from './parser.ts';
import { print } from './print.ts';

/** Only UserError may come out, and its place lies in the text. What is accepted can be used. */
function survives(text: string): void {
  try {
    const filter = parseFilter(text);
    filter.matches(buildExchange(), { epochSeconds: 0 });
    filter.sql();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const { excerpt } = error;
    if (excerpt === null) throw new Error('no excerpt');
    expect(excerpt.start).toBeLessThanOrEqual(text.length);
    expect(excerpt.end).toBeGreaterThan(excerpt.start);
    expect(excerpt.end).toBeLessThanOrEqual(text.length + 1);
  }
}

const pieces = fc.constantFrom('status', 'wait', 'host', 'client', 'error', 'anomaly', 'time', 'header', '["via"]', '[', ']', '(', ')', '{', '}', ',', '..', '==', '!=', '<', '>=', '~', '!~*', '!', '&&', '||', 'and', 'not', 'in', 'contains', '500', '5xx', '200ms', '1MB', '"a"', "'", '"', '\\', '10.0.0.0/8', '::1', '+30s', '2026-11-21T10:00:00Z', 'null', 'true', 'pipelined', '\u202e', '\ud83d', ' '); // biome-ignore format: a list

describe('the parser', () => {
  it('never throws anything but UserError, whatever it reads', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 60 }), survives), { numRuns: 2_000 });
    fc.assert(
      fc.property(
        fc.array(pieces, { maxLength: 12 }).map((list) => list.join(' ')),
        survives,
      ),
      { numRuns: 5_000 },
    );
    fc.assert(fc.property(almost, survives), { numRuns: 3_000 });
  });

  it('takes any expression of the grammar, and reads what it prints as the same', () => {
    fc.assert(
      fc.property(expression, (text) => {
        const node = parse(text);
        const printed = print(node);
        expect(stripped(parse(printed)), printed).toEqual(stripped(node));
        expect(print(parse(printed))).toBe(printed);
      }),
      { numRuns: 2_000 },
    );
  });

  it('takes expressions as long as allowed without running out of stack, right or wrong', () => {
    const { characters } = FILTER_LIMITS;
    const fill = (part: string): string => part.repeat(Math.floor(characters / part.length));
    for (const part of ['(', '!', 'not ', '!(', '{', '[', '"', '\\', 'a', '1', '~', 'error&&', 'error && (', 'status in {', '..', 'header[', '1<', '::', '10.', '+', '(((error', 'in ', '\u{1f600}']) // biome-ignore format: a list
      survives(fill(part));
    survives(`${fill('! ').slice(0, characters - 5)}error`);
    expect(parseFilter(`${'!'.repeat(30_000)}error`).canonical).toBe('error');
  });
});

/** Fields of headers are made anew for each expression; their name says all. */
function stripped(node: unknown): unknown {
  return JSON.parse(
    JSON.stringify(node, (key, value) => (key === 'field' ? (value as { name: string }).name : value)),
  );
}
