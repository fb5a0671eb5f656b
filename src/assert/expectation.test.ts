import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fuzzRuns } from '../../test/pipeline-run.ts';
import { UserError } from '../model/errors.ts';
import { culprits, truthOf } from './expectation.ts';
import { parseExpectation } from './expectation-parser.ts';
import { ASSERT_LIMITS } from './limits.ts';
import { quantityText } from './quantity.ts';

const parse = (text: string) => parseExpectation(text, ASSERT_LIMITS);

function mistakeIn(text: string): { message: string; hint: string | null; marked: string } {
  try {
    parse(text);
  } catch (error) {
    if (!(error instanceof UserError) || error.excerpt === null) throw error;
    const { excerpt } = error;
    return {
      message: error.message,
      hint: error.hint,
      marked: excerpt.text.slice(excerpt.start, excerpt.end),
    };
  }
  throw new Error(`${text} was understood`);
}

/** Truth with values given by the text of the measure. */
function truth(text: string, values: Readonly<Record<string, number | null>>): boolean | null {
  const { node, measures } = parse(text);
  return truthOf(
    node,
    measures.map((measure) => values[measure.text] ?? null),
  );
}

describe('expectations', () => {
  it.each([
    ['p99(total) < 300ms', { 'p99(total)': 299_999_999 }, true],
    ['p99(total) < 300ms', { 'p99(total)': 300_000_000 }, false],
    ['p99(total) <= 300ms', { 'p99(total)': 300_000_000 }, true],
    ['300ms > p99(total)', { 'p99(total)': 300_000_000 }, false],
    ['error_share < 1%', { error_share: 0.0099 }, true],
    ['error_share < 1%', { error_share: 0.01 }, false],
    ['error_share <= 0.01', { error_share: 0.01 }, true],
    ['rate > 5/s', { rate: 5.1 }, true],
    ['rate >= 300/min', { rate: 4.9 }, false],
    ['count == 3', { count: 3 }, true],
    ['count != 3', { count: 3 }, false],
    ['max(response.bytes) <= 10kB', { 'max(response.bytes)': 10_000 }, true],
    ['sum(request.bytes) < 1MiB', { 'sum(request.bytes)': 1_048_576 }, false],
    [
      'share(status == 429) < 5% && count(status >= 500) == 0',
      { 'share(status == 429)': 0.01, 'count(status >= 500)': 0 },
      true,
    ],
    ['p99(total) < 2s || p50(total) < 10ms', { 'p99(total)': 3e9, 'p50(total)': 9e6 }, true],
    ['p90(wait) < p99(wait)', { 'p90(wait)': 1, 'p99(wait)': 2 }, true],
    ['!(count > 3) and not rate < 1/s', { count: 3, rate: 1 }, true],
    ['count > 1 || count > 2 && count > 3', { count: 2 }, true],
    ['(count > 1 || count > 2) && count > 3', { count: 2 }, false],
    ['p99.9(total) < 0.5s', { 'p99.9(total)': 4e8 }, true],
    ['count(host == ")" || host == "(") > 0', { 'count(host == ")" || host == "(")': 1 }, true],
  ] as const)('%s with %j is %s', (text, values, result) => {
    expect(truth(text, values)).toBe(result);
  });

  it('what is not known decides nothing, in either direction', () => {
    expect(truth('p99(total) < 1s', {})).toBeNull();
    expect(truth('!(p99(total) < 1s)', {})).toBeNull();
    expect(truth('p99(total) < 1s || count > 0', { count: 1 })).toBe(true);
    expect(truth('p99(total) < 1s && count > 0', { count: 0 })).toBe(false);
    expect(truth('p99(total) < 1s && count > 0', { count: 1 })).toBeNull();
  });

  it('names the comparisons that broke it', () => {
    const { node, measures } = parse('p99(total) < 1s && !(count > 3) && rate > 1/s');
    const values: Readonly<Record<string, number>> = { 'p99(total)': 2e9, count: 5, rate: 2 };
    const broken = culprits(
      node,
      measures.map(({ text }) => values[text]),
    );
    expect(broken.map(({ text }) => text)).toEqual(['p99(total) < 1s', 'count > 3']);
  });

  it.each([
    ['', /ends here/, ''],
    ['p99(totl) < 1s', /no field totl/, 'totl'],
    ['p99(host) < 1s', /host is no amount/, 'host'],
    ['p99 < 1s', /p99 of what/, 'p99'],
    ['p101(total) < 1s', /not a percentile/, 'p101'],
    ['p99(total) < 300', /300 has no unit/, '300'],
    ['p99(total) < 3kB', /kB is not a unit of time/, '3kB'],
    ['error_share < 1', undefined, ''],
    ['error_share < 5', /more than everything/, '5'],
    ['rate > 5', /5 has no unit/, '5'],
    ['rate > 5/d', /not a rate/, '5/d'],
    ['count < 5ms', /not a number/, '5ms'],
    ['p99(total) < error_share', /p99\(total\) is a duration, error_share is a share/, 'error_share'],
    ['3 < 5', /two fixed values/, '3'],
    ['cont < 5', /no measure cont/, 'cont'],
    ['status < 500', /field of one exchange/, 'status'],
    ['count', /comparison is missing/, ''],
    ['1 < count < 5', /unexpected </, '<'],
    ['count < 5 count', /unexpected count/, 'count'],
    ['(count < 5', /not closed/, '('],
    ['share(status == ) < 5%', /./, ')'],
    ['share(sttus == 5) < 5%', /no field sttus/, 'sttus'],
    ['share < 5%', /share of what/, 'share'],
    ['share(status == 5 < 5%', /not closed|./, '('],
    ['error_share(status) < 5%', /stands alone/, '('],
    ['count < "5"', /unexpected text/, '"5"'],
    ['count = 5', /unexpected =/, '='],
  ])('%s: a mistake, marked where it is', (text, message, marked) => {
    if (message === undefined) {
      expect(() => parse(text)).not.toThrow();
      return;
    }
    const found = mistakeIn(text);
    expect(found.message).toMatch(message);
    if (marked !== '') expect(found.marked).toBe(marked);
  });

  it.each([
    ['avg(total) < 1s', 'did you mean mean?'],
    ['errors < 1%', 'did you mean error_share?'],
    ['p99(duration) < 1s', 'did you mean total?'],
    ['total < 1s', 'of a group, write p99(total), max(total) or mean(total)'],
  ])('%s: says what was probably meant', (text, hint) => {
    expect(mistakeIn(text).hint).toBe(hint);
  });

  it('expressions of any size and shape are refused or understood, never worse', () => {
    const pieces = ['p99', '(', ')', 'total', '<', '>=', '==', '300ms', '1%', '5/s', '&&', '||', '!', 'count', 'share', 'status', '"x"', 'error_share', '500', 'rate', ' ', '[', ',', 'max']; // biome-ignore format: a list
    const shapes = fc.oneof(
      fc.array(fc.constantFrom(...pieces), { maxLength: 40 }).map((parts) => parts.join(' ')),
      fc.string({ unit: 'binary', maxLength: 60 }),
    );
    fc.assert(
      fc.property(shapes, (text) => {
        try {
          const { node, measures } = parse(text);
          truthOf(
            node,
            measures.map(() => null),
          );
          culprits(
            node,
            measures.map(() => 0),
          );
        } catch (error) {
          if (!(error instanceof UserError)) throw error;
          expect(error.exitCode).toBe(2);
        }
      }),
      { numRuns: fuzzRuns(2000) },
    );
    for (const text of [
      '('.repeat(30_000),
      '!'.repeat(30_000),
      'count<1&&'.repeat(3000),
      'x'.repeat(100_000),
    ])
      expect(() => parse(text)).toThrow(UserError);
  });

  it('shows values so that what broke a bound differs from it', () => {
    expect(quantityText(300_100_000, 'duration')).toBe('300.1 ms');
    expect(quantityText(0.0101, 'share')).toBe('1.01 %');
    expect(quantityText(1234, 'number')).toBe('1,234');
    expect(quantityText(10_001, 'size')).toBe('10.001 kB');
    expect(quantityText(null, 'rate')).toBe('unknown');
  });
});
