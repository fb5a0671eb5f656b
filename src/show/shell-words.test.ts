import { execFileSync, spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { shellWord } from './shell-words.ts';

const hasBash = spawnSync('bash', ['-c', 'true']).status === 0;
if (!hasBash) console.warn('bash is not installed: shell words are not read back');

/** What bash makes of a list of words. */
function readByBash(words: readonly string[]): Buffer[] {
  const script = `printf '%s\\0' ${words.join(' ')}`;
  const output = execFileSync('bash', ['--norc', '-c', script], {
    maxBuffer: 1 << 26,
    env: { LC_ALL: 'C.UTF-8' },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const parts: Buffer[] = [];
  for (let at = 0; at < output.length; ) {
    const end = output.indexOf(0, at);
    parts.push(output.subarray(at, end));
    at = end + 1;
  }
  return parts;
}

describe.skipIf(!hasBash)('shellWord', () => {
  const hostile = [
    "it's",
    '$(touch /tmp/owned)',
    '`id`',
    '; rm -rf /',
    'a\nb',
    '\\',
    "\\'",
    '!!',
    '~',
    '*',
    '{a,b}',
    '-x',
    '',
    '\x1b]0;title\x07',
    '\u202e',
    'Ä€𝄞',
    '=foo',
    '#no',
    "'\n'",
    '\r0',
  ];

  it('is read by bash as what it stands for', () => {
    expect(readByBash(hostile.map(shellWord)).map(String)).toEqual(hostile);
  });

  it('is so for any bytes but NUL', () => {
    const bytes = fc.uint8Array({ maxLength: 40 }).map((all) => all.map((byte) => byte || 1));
    fc.assert(
      fc.property(
        fc.array(fc.oneof(bytes, fc.string({ unit: 'binary', maxLength: 20 })), { maxLength: 30 }),
        (list) => {
          const values = list.map((one) =>
            typeof one === 'string' ? Buffer.from(one.replaceAll('\0', '')) : Buffer.from(one),
          );
          const words = list.map((one, index) =>
            shellWord(typeof one === 'string' ? one.replaceAll('\0', '') : values[index]),
          );
          if (values.length > 0) expect(readByBash(words)).toEqual(values);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('never holds a raw control character', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(shellWord(text.replaceAll('\0', ''))).not.toMatch(/[\x00-\x1f\x7f-\x9f]/);
      }),
    );
  });
});
