import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { essence } from '../../test/redact-essence.ts';
import { redactFiles } from '../../test/redact-run.ts';

const FIXTURES = path.resolve(import.meta.dirname, '../../fixtures');
const NAMES = readdirSync(FIXTURES, { withFileTypes: true })
  .filter(
    (entry) => entry.isDirectory() && readdirSync(path.join(FIXTURES, entry.name)).includes('capture.pcap'),
  )
  .map(({ name }) => name);

describe('a redacted fixture', () => {
  it.each(NAMES)('%s has the same exchanges', async (name) => {
    const capture = readFileSync(path.join(FIXTURES, name, 'capture.pcap'));
    const { before, after } = await redactFiles([capture]);
    expect(after.map(essence)).toEqual(before.map(essence));
  });
});
