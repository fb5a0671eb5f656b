import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { excerptLines } from './excerpt.ts';
import { displayWidth, sanitise } from './terminal-text.ts';

describe('an excerpt', () => {
  it('has carets under the mistake', () => {
    expect(excerptLines({ text: 'a bcd e', start: 2, end: 5 }, 72)).toEqual(['a bcd e', '  ^^^']);
  });

  it('has one caret where something is missing at the end', () => {
    expect(excerptLines({ text: 'a ==', start: 4, end: 5 }, 72)).toEqual(['a ==', '    ^']);
  });

  it('counts cells, not characters, and escapes what a terminal would act on', () => {
    expect(excerptLines({ text: '日本 x', start: 3, end: 4 }, 72)).toEqual(['日本 x', '     ^']);
    expect(excerptLines({ text: '\x1b[1m x\ny', start: 5, end: 6 }, 72)).toEqual([
      '\\x1b[1m x y',
      '        ^',
    ]);
  });

  it('of a long text shows what is around the mistake', () => {
    const text = `${'a'.repeat(300)} WRONG ${'b'.repeat(300)}`;
    expect(excerptLines({ text, start: 301, end: 306 }, 60)).toEqual([
      `…${'a'.repeat(23)} WRONG ${'b'.repeat(28)}…`,
      `${' '.repeat(25)}^^^^^`,
    ]);
  });

  it('is never wider than asked for, safe, and points at the place, for any text', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 300 }),
        fc.nat(300),
        fc.nat(300),
        (text, from, length) => {
          const start = Math.min(from, text.length);
          const [line, carets] = excerptLines({ text, start, end: start + length }, 72);
          expect(displayWidth(line)).toBeLessThanOrEqual(72);
          expect(carets.length).toBeLessThanOrEqual(73);
          expect(sanitise(line)).toBe(line);
          expect(carets).toMatch(/^ *\^+$/);
        },
      ),
    );
  });
});
