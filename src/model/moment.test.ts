import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { momentText, parseMoment } from './moment.ts';

const NOW = 1_795_246_920_000_000;

describe('times in queries', () => {
  // Seconds by `date -u -d TEXT +%s`.
  const known: readonly [string, number][] = [
    ['2026-11-21T07:42:00Z', 1_795_246_920e6],
    ['2026-11-21t07:42:00z', 1_795_246_920e6],
    ['2026-11-21 07:42:00Z', 1_795_246_920e6],
    ['2026-11-21T09:12:00.25+01:30', 1_795_246_920e6 + 250_000],
    ['2026-11-20T22:42:00-09:00', 1_795_246_920e6],
    ['2024-02-29T00:00:00Z', 1_709_164_800e6],
    ['1969-12-31T23:59:59.999999Z', -1],
    ['0001-01-01T00:00:00Z', -62_135_596_800e6],
    ['2016-12-31T23:59:60Z', 1_483_228_800e6],
    ['2026-11-21T07:42:00.123456789Z', 1_795_246_920e6 + 123_456],
    ['0', 0],
    ['1795246920', 1_795_246_920e6],
    ['1795246920.000001', 1_795_246_920e6 + 1],
    ['now', NOW],
    ['-0s', NOW],
    ['-15m', NOW - 900e6],
    ['-15min', NOW - 900e6],
    ['-2h', NOW - 7200e6],
    ['-1d', NOW - 86_400e6],
  ];
  for (const [text, us] of known) it(`reads ${text}`, () => expect(parseMoment(text, NOW)).toBe(us));

  for (const text of [
    '',
    ' ',
    '-15',
    '15m',
    '+15m',
    '-1.5h',
    '-1w',
    '2026-11-21',
    '2026-02-30T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-11-21T24:00:00Z',
    '2026-11-21T07:60:00Z',
    '2026-11-21T07:42:00',
    '2026-11-21T07:42:00+25:00',
    '1e9',
    '-1',
    '1795246920.',
    'NaN',
    'yesterday',
    `1${'0'.repeat(20)}`,
  ])
    it(`does not guess '${text}'`, () => expect(parseMoment(text, NOW)).toBeNull());

  it('reads what it writes', () => {
    // From year 0000 to year 9999, which is what RFC 3339 can say.
    fc.assert(
      fc.property(
        fc.integer({ min: -62_167_219_200, max: 253_402_300_799 }),
        fc.nat(999_999),
        (second, fraction) => {
          const us = second * 1e6 + fraction;
          expect(parseMoment(momentText(us) as string, NOW)).toBe(us);
        },
      ),
    );
    expect(momentText(null)).toBeNull();
    expect(momentText(Number.MAX_SAFE_INTEGER)).toBe('2255-06-05T23:47:34.740991Z');
  });
});
