import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { FIELDS } from './fields.ts';
import { fieldsDocument } from './fields-doc.ts';
import { parseFilter } from './filter.ts';
import { FILTER_LIMITS } from './limits.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const read = (name: string): string => readFileSync(path.join(ROOT, 'docs', name), 'utf8');

describe('docs/fields.md', () => {
  it('is what the catalogue says; npm run docs writes it', () => {
    expect(read('fields.md')).toBe(fieldsDocument());
  });

  it('has a row for every field', () => {
    for (const { name } of FIELDS) expect(read('fields.md')).toContain(`\n| \`${name}\` |`);
  });
});

describe('docs/filter.md', () => {
  const text = read('filter.md');

  it('shows only expressions that are right', () => {
    const blocks = [...text.matchAll(/```filter\n([\s\S]*?)```/g)].flatMap(([, block]) =>
      (block as string).split('\n').filter((line) => line !== ''),
    );
    expect(blocks.length).toBeGreaterThan(10);
    for (const line of blocks) expect(() => parseFilter(line), line).not.toThrow();
  });

  it('has every limit with its value', () => {
    for (const [name, value] of Object.entries(FILTER_LIMITS))
      expect(text, name).toMatch(
        new RegExp(`^\\| \`${name}\` \\| ${value.toLocaleString('en-GB')} \\|`, 'm'),
      );
  });
});
