import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { exchangesOf, goldenFolders, terse } from '../scripts/expected-exchanges.mjs';

describe('golden fixtures', () => {
  const folders = goldenFolders();

  it('are there', () => {
    expect(folders.length).toBeGreaterThan(60);
  });

  it.concurrent.for(folders)('$name', async ({ folder, capture }, { expect: check }) => {
    const file = path.join(folder, 'exchanges.json');
    check(existsSync(path.join(folder, 'about.md')), 'about.md is missing').toBe(true);
    check(existsSync(file), 'no expectation yet: npm run fixtures:accept').toBe(true);
    const expected = JSON.parse(readFileSync(file, 'utf8')) as unknown;
    check((await exchangesOf(folder, capture)).map(terse)).toEqual(expected);
  });
});
