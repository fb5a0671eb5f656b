import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isPattern, nameMatcher } from './pattern.ts';

describe('file name patterns', () => {
  it.each([
    ['trace*', 'trace', true],
    ['trace*', 'trace.pcap12', true],
    ['trace*', 'a-trace', false],
    ['*.pcap', 'a.pcap', true],
    ['*.pcap', 'a.pcap.gz', false],
    ['t?', 't1', true],
    ['t?', 't', false],
    ['t?', 't10', false],
    ['t[0-3]', 't3', true],
    ['t[0-3]', 't4', false],
    ['t[!0-3]', 't4', true],
    ['t[^0-3]', 't3', false],
    ['t[]a]', 't]', true],
    ['t[', 't[', true],
    ['a\\*b', 'a*b', true],
    ['a\\*b', 'axb', false],
    ['*a*b*c*', 'xxaxxbxxcxx', true],
    ['*a*b*c*', 'xxaxxcxxbxx', false],
    ['*', '.hidden', false],
    ['.h*', '.hidden', true],
    ['**', 'anything', true],
    ['ä?', 'ä😀', true],
  ])('%s and %s: %s', (pattern, name, expected) => {
    expect(nameMatcher(pattern)(name)).toBe(expected);
  });

  it('match what a regular expression for the same matches', () => {
    const letters = fc.stringMatching(/^[ab]{0,8}$/);
    const pieces = fc.array(fc.constantFrom('a', 'b', '*', '?'), { maxLength: 7 });
    void fc.assert(
      fc.property(pieces, letters, (pattern, name) => {
        const expression = pattern.map((piece) => (piece === '*' ? '.*' : piece === '?' ? '.' : piece));
        expect(nameMatcher(pattern.join(''))(name)).toBe(new RegExp(`^${expression.join('')}$`).test(name));
      }),
    );
  });

  it('do not take for ever', () => {
    expect(nameMatcher(`${'*a'.repeat(40)}b`)('a'.repeat(255))).toBe(false);
  });

  it('are told from plain names', () => {
    expect(['a*', 'a?', 'a[1]', 'a-b_c.pcap'].map(isPattern)).toEqual([true, true, true, false]);
  });
});
