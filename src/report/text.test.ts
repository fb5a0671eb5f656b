import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NO_STYLE } from './style.ts';
import { displayWidth, pad, sanitise, shorten, wrap } from './terminal-text.ts';
import { renderTable } from './text-table.ts';
import { formatBytes, formatCount, formatDuration, formatRate } from './units.ts';

const anyText = fc.string({
  unit: fc.oneof(
    fc.constantFrom(
      '\x1b',
      '\x9b',
      '\x07',
      '\r',
      '\n',
      '\u202e',
      '\u2066',
      '\u200b',
      '\ufeff',
      '\ud800',
      '例',
      'é',
      '\u0301',
      '👍',
      'a',
      ' ',
    ),
    fc.string({ minLength: 1, maxLength: 1, unit: 'binary' }),
  ),
});

describe('text from traffic on a terminal', () => {
  it('shows what a terminal could act on instead of doing it', () => {
    expect(sanitise('\x1b[31mred\x1b]0;title\x07')).toBe('\\x1b[31mred\\x1b]0;title\\x07');
    expect(sanitise('gpj\u202eexe.')).toBe('gpj\\u{202e}exe.');
    expect(sanitise('a\u200bb\ufeffc\u{e0041}')).toBe('a\\u{200b}b\\u{feff}c\\u{e0041}');
    expect(sanitise('\x9b2J\r\n\t\0')).toBe('\\x9b2J\\x0d\\x0a\\x09\\x00');
    expect(sanitise('\ud83d')).toBe('\\u{d83d}');
    expect(sanitise('naïve 例え 👍')).toBe('naïve 例え 👍');
  });

  it('leaves no control, format or lone surrogate character, whatever comes in', () => {
    fc.assert(fc.property(anyText, (text) => !/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u.test(sanitise(text))));
  });

  it('measures wide and combining characters', () => {
    expect(displayWidth('abc')).toBe(3);
    expect(displayWidth('例え.テスト')).toBe(11);
    expect(displayWidth('e\u0301')).toBe(1);
    expect(displayWidth('👍')).toBe(2);
    expect(displayWidth('…–µ')).toBe(3);
    expect(displayWidth('한글ｆ')).toBe(6);
  });

  it('cuts to the room there is and never beyond it, also inside wide characters', () => {
    expect(shorten('abcdef', 4)).toBe('abc…');
    expect(shorten('abcdef', 5, 'middle')).toBe('ab…ef');
    expect(shorten('例例例', 4)).toBe('例…');
    fc.assert(
      fc.property(anyText, fc.nat(12), fc.constantFrom('end', 'middle'), (text, cells, cut) => {
        const safe = sanitise(text);
        const fitted = shorten(safe, cells, cut);
        expect(displayWidth(fitted)).toBeLessThanOrEqual(cells);
        if (displayWidth(safe) <= cells) expect(fitted).toBe(safe);
        expect(displayWidth(pad(fitted, cells))).toBe(cells);
      }),
    );
  });

  it('wraps sentences at spaces without losing a word', () => {
    expect(wrap('one two three', 8)).toEqual(['one two', 'three']);
    fc.assert(
      fc.property(
        fc.array(fc.stringMatching(/^\w{1,9}$/), { minLength: 1 }),
        fc.integer({ min: 1, max: 30 }),
        (words, cells) => {
          expect(wrap(words.join(' '), cells).join(' ')).toBe(words.join(' '));
        },
      ),
    );
  });
});

describe('tables', () => {
  const columns = [
    { title: 'name', shrinkTo: 5, cut: 'middle' as const },
    { title: 'n', align: 'right' as const },
    { title: 'extra', expendable: 1 },
  ];

  it('aligns numbers to the right and ends no line in blanks', () => {
    expect(
      renderTable(
        columns,
        [
          ['a', '1', ''],
          ['long name', '1,000', 'x'],
        ],
        80,
        NO_STYLE,
      ),
    ).toEqual(['  name           n  extra', '  a              1', '  long name  1,000  x']);
  });

  it('shortens before it leaves columns out, and fits', () => {
    const row = ['abcdefghijkl', '12', 'yes'];
    expect(renderTable(columns, [row], 20, NO_STYLE)).toEqual(['  name      n  extra', '  abc…jkl  12  yes']);
    expect(renderTable(columns, [row], 12, NO_STYLE)).toEqual(['  name     n', '  abc…kl  12']);
  });

  it('never exceeds its width as long as the fixed columns fit, whatever the cells hold', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(anyText, fc.nat(9999).map(String), anyText), { minLength: 1 }),
        fc.integer({ min: 14, max: 60 }),
        (rows, width) => {
          const safe = rows.map((row) => row.map(sanitise));
          for (const line of renderTable(columns, safe, width, NO_STYLE))
            expect(displayWidth(line)).toBeLessThanOrEqual(width);
        },
      ),
    );
  });
});

describe('units', () => {
  it.each([
    [0, '0 ns'],
    [999, '999 ns'],
    [1234, '1.23 µs'],
    [999_499, '999 µs'],
    [999_500, '1.00 ms'],
    [12_345_678, '12.3 ms'],
    [1.5e9, '1.50 s'],
    [119e9, '119 s'],
    [123e9, '2 min 3 s'],
    [120e9, '2 min'],
    [7200e9, '2 h'],
    [86_400e9 * 3 + 3600e9, '3 d 1 h'],
    [null, '–'],
  ])('%s ns is %s', (ns, text) => expect(formatDuration(ns)).toBe(text));

  it('counts bytes in powers of 1000 and numbers in groups of three', () => {
    expect([0, 999, 1000, 1_460, 999_499, 999_500, 911e6].map(formatBytes)).toEqual([
      '0 B',
      '999 B',
      '1.00 kB',
      '1.46 kB',
      '999 kB',
      '1.00 MB',
      '911 MB',
    ]);
    expect([0, 999, 1000, 1_234_567].map(formatCount)).toEqual(['0', '999', '1,000', '1,234,567']);
    expect([0, 0.001, 0.5, 27.25, 27_700].map(formatRate)).toEqual(['0', '<0.01', '0.50', '27.3', '27,700']);
  });
});
