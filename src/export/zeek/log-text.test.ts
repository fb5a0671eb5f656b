import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readZeekLog } from '../../../test/read-zeek.ts';
import { jsonLine, seconds, tsvFooter, tsvHeader, tsvLine, type ZeekField } from './log-text.ts';

const FIELDS: readonly ZeekField[] = [
  { name: 'ts', type: 'time' },
  { name: 'text', type: 'string' },
  { name: 'count', type: 'count' },
  { name: 'several', type: 'vector[string]' },
];

describe("Zeek's tab-separated format", () => {
  it('has the header and footer of its ASCII writer', () => {
    expect(tsvHeader('http', FIELDS, 1_795_246_920) + tsvFooter(1_795_246_981)).toBe(
      [
        '#separator \\x09',
        '#set_separator\t,',
        '#empty_field\t(empty)',
        '#unset_field\t-',
        '#path\thttp',
        '#open\t2026-11-21-07-42-00',
        '#fields\tts\ttext\tcount\tseveral',
        '#types\ttime\tstring\tcount\tvector[string]',
        '#close\t2026-11-21-07-43-01',
        '',
      ].join('\n'),
    );
  });

  // As Zeek's issue tracker and documentation show its output for these strings.
  it.each([
    ['\t', '\\x09'],
    ['a\nb', 'a\\x0ab'],
    ['back\\slash', 'back\\\\slash'],
    ['-', '\\x2d'],
    ['(empty)', '\\x28empty)'],
    ['', '(empty)'],
    ['--', '--'],
    ['a,b', 'a,b'],
    ['é', 'é'],
    ['\x1b[1m', '\\x1b[1m'],
    ['\x85', '\\xc2\\x85'],
    ['\u202e', '\\xe2\\x80\\xae'],
  ])('writes %j as %s', (text, written) => {
    expect(tsvLine([text])).toBe(written);
  });

  it('escapes the comma inside sets only', () => {
    expect(tsvLine([['a,b', 'c', '', '-']])).toBe('a\\x2cb,c,(empty),\\x2d');
    expect(tsvLine([[], null])).toBe('(empty)\t-');
  });

  it('reads back, whatever the texts', () => {
    const text = fc
      .oneof(
        fc.string({ unit: 'binary' }),
        fc.constantFrom('-', '(empty)', '', '\\x09', '\\', '\t', ',', '#close'),
      )
      .map((one) => Buffer.from(one).toString());
    // The format has the same form for a set of one empty string and for an empty set.
    const several = fc.array(text).filter((list) => list.length !== 1 || list[0] !== '');
    const row = fc.record({
      text: fc.option(text),
      count: fc.option(fc.nat()),
      several: fc.option(several),
    });
    fc.assert(
      fc.property(fc.array(row), (rows) => {
        const lines = rows.map((one) => `${tsvLine(['1.000000', one.text, one.count, one.several])}\n`);
        const log = readZeekLog(tsvHeader('http', FIELDS, 0) + lines.join('') + tsvFooter(1));
        expect(log.rows).toEqual(
          rows.map((one) => ({
            ...one,
            ts: '1.000000',
            count: one.count === null ? null : String(one.count),
          })),
        );
      }),
      { numRuns: 500 },
    );
  });
});

describe("Zeek's JSON format", () => {
  it('has numbers for times and counts, and leaves out what is unset', () => {
    expect(jsonLine(FIELDS, ['1591367999.305980', 'a\tb', 3, []])).toBe(
      '{"ts":1591367999.30598,"text":"a\\tb","count":3,"several":[]}',
    );
    expect(jsonLine(FIELDS, ['1591367999.000000', null, null, null])).toBe('{"ts":1591367999.0}');
    expect(jsonLine(FIELDS, ['10.000000', '\x9b', null, null])).toBe('{"ts":10.0,"text":"\\u009b"}');
  });
});

describe('seconds', () => {
  it.each([
    [1_591_367_999, 305_988_000, '1591367999.305988'],
    [1_591_367_999, 61_000_000_500, '1591368060.000001'],
    [1_591_367_999, 999_999_600, '1591368000.000000'],
    [0, 66_852_000, '0.066852'],
    [10, -1_000, '9.999999'],
    [0, -1_000, '-0.000001'],
    [0, -1_500_000_000, '-1.500000'],
    [0, -2e9, '-2.000000'],
  ])('of %d s and %d ns', (whole, ns, text) => {
    expect(seconds(whole, ns)).toBe(text);
  });
});
