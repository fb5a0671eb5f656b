import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { csvRow, jsonRow, type RowValue } from './rows.ts';

/** Reads one RFC 4180 record the slow way. */
function readCsv(text: string): string[] {
  const fields: string[] = [];
  let rest = text;
  for (;;) {
    const match = /^(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|$)/.exec(rest);
    if (match === null) throw new Error(`not a record: ${rest}`);
    fields.push(match[1] === undefined ? match[2] : match[1].replaceAll('""', '"'));
    if (match[3] === '') return fields;
    rest = rest.slice(match[0].length);
  }
}

describe('rows of a query', () => {
  it('as CSV read back as they were (RFC 4180)', () => {
    const field = fc.string({ unit: fc.constantFrom('"', ',', '\r', '\n', 'a', 'é', ' ') });
    fc.assert(
      fc.property(fc.array(field, { minLength: 1 }), (row) => {
        expect(readCsv(csvRow(row))).toEqual(row);
      }),
    );
    expect(csvRow([null, 1.5, 12n, new Uint8Array([1, 255]), 'a"b'])).toBe(',1.5,12,01ff,"a""b"');
  });

  it('as JSON keep their types', () => {
    const row: RowValue[] = [
      null,
      1.5,
      9007199254740993n,
      new Uint8Array([1, 255]),
      'a"b\n',
      Number.POSITIVE_INFINITY,
    ];
    expect(jsonRow(['a', 'b', 'c', 'd', 'e "x"', 'f'], row)).toBe(
      '{"a":null,"b":1.5,"c":9007199254740993,"d":"01ff","e \\"x\\"":"a\\"b\\n","f":null}',
    );
  });
});
