import { describe, expect, it } from 'vitest';
import { fieldEntries } from '../filter/fields-doc.ts';
import { NO_STYLE } from '../report/style.ts';
import { fieldLines } from './commands/fields.ts';

describe('the list of fields', () => {
  const entries = fieldEntries();

  it('has one line per field where there is no bound', () => {
    const lines = fieldLines(entries, Number.POSITIVE_INFINITY, NO_STYLE);
    expect(lines).toHaveLength(entries.length + 1);
    expect(lines.find((line) => line.startsWith('wait '))).toMatch(
      /^wait +duration +ns us ms s min h +end of the request to the first byte of the response +wait > 200ms$/,
    );
  });

  it('keeps every word at 80 cells, and the examples whole', () => {
    const lines = fieldLines(entries, 80, NO_STYLE);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
    const words = lines.join(' ').replace(/\s+/g, ' ');
    for (const { name, example, about } of entries) {
      expect(
        lines.some((line) => line.startsWith(`${name} `)),
        name,
      ).toBe(true);
      expect(
        lines.some((line) => line.trim() === example),
        example,
      ).toBe(true);
      expect(words).toContain(about.split(' ').slice(0, 2).join(' '));
    }
  });
});
