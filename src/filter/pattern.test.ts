import fc from 'fast-check';
import { RE2JS } from 're2js';
import { describe, expect, it } from 'vitest';
import { compilePattern, literalTest, PatternError } from './pattern.ts';

const character = fc.constantFrom('a', 'b', '.', '-', '/', 'é', 'K', '\n', '\0', '😀', 'x');
const source = fc
  .tuple(
    fc.constantFrom('', '^'),
    fc.array(fc.constantFrom('a', 'b', '\\.', '-', '\\-', '/', 'é', 'K', 'x', '\\$', '\\\\', '\n', '\0')),
    fc.constantFrom('', '$'),
  )
  .map(([start, middle, end]) => start + middle.join('') + end);

describe('a pattern', () => {
  it('that is a plain text gives the answers of the engine', () => {
    fc.assert(
      fc.property(
        source,
        fc.string({ unit: character, maxLength: 8 }),
        fc.boolean(),
        (pattern, text, isPart) => {
          expect(literalTest(pattern), pattern).not.toBeNull();
          const quick = compilePattern(pattern, false);
          const plain = pattern.replace(/^\^|\$$/g, '').replace(/\\(.)/g, '$1');
          const tried = isPart ? text + plain + text.slice(1) : text;
          expect(quick.test(tried)).toBe(RE2JS.compile(pattern).test(tried));
          expect(quick.test(plain)).toBe(RE2JS.compile(pattern).test(plain));
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it('with any character that means more is left to the engine', () => {
    for (const more of [
      'a.b',
      'a|b',
      '(a)',
      'a*',
      '[a]',
      'a{2}',
      '\\d',
      '\\n',
      '\\x41',
      'a$b',
      'a^',
      '^^a',
      '$$',
      'a\\',
      '\ud83d',
      '😀',
    ])
      expect(literalTest(more), more).toBeNull();
  });

  it('that is none is an error that says why', () => {
    for (const wrong of [
      '(',
      'a{2,1}',
      '[z-a]',
      '\\1',
      '(?=a)',
      '(?<!a)b',
      '*',
      'a**',
      '\\',
      '(?z)',
      '\\p{Nope}',
      'a{1001}',
      '((a{100}){100}){100}',
    ])
      expect(() => compilePattern(wrong, false), wrong).toThrow(PatternError);
  });

  it('is answered in linear time where backtracking would not end', () => {
    const text = `${'a'.repeat(50_000)}!`;
    for (const evil of ['(a+)+$', '^(a|a)*$', '(a*)*b', '^(a?){50}a{50}$', '(.*a){20}x', '([a-z]+)*=']) {
      expect(compilePattern(evil, false).test(text), evil).toBe(false);
      expect(compilePattern(evil, true).test(text), evil).toBe(false);
    }
  });

  it('never throws anything but PatternError, whatever it is', () => {
    const piece = fc.constantFrom('a', '(', ')', '[', ']', '{', '}', '1', ',', '*', '+', '?', '|', '^', '$', '\\', '.', '-', 'p', 'Q', 'E', 'x', ':', '<', '>', '=', '!', 'P', 'é', '\u{1f600}', '\ud800'); // biome-ignore format: a list
    fc.assert(
      fc.property(fc.string({ unit: piece, maxLength: 20 }), fc.boolean(), (pattern, ignoreCase) => {
        try {
          compilePattern(pattern, ignoreCase).test('aé1 \u{1f600}-');
        } catch (error) {
          if (!(error instanceof PatternError)) throw error;
        }
      }),
      { numRuns: 5_000 },
    );
  });

  it('ignores case as Unicode folds it when asked to', () => {
    expect(compilePattern('straẞe|É', true).test('é')).toBe(true);
    expect(compilePattern('api', true).test('API')).toBe(true);
    expect(compilePattern('api', false).test('API')).toBe(false);
  });
});
