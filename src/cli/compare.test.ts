import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { pcapFile } from '../../fixtures/build/capture-file.ts';
import { conversation } from '../../fixtures/build/conversation.ts';
import { framesOf } from '../../fixtures/build/frames.ts';
import { seededRandom } from '../../fixtures/build/transform.ts';
import { EXIT, UserError } from '../model/errors.ts';
import { analyze } from './commands/analyze.ts';
import { type AssertFlags, assert } from './commands/assert.ts';
import { type DiffFlags, diff } from './commands/diff.ts';

/* The commands that compare: captures with captures, captures with rules. */

const directory = mkdtempSync(join(tmpdir(), 'wirelens-compare-'));
afterAll(() => rmSync(directory, { recursive: true }));
// Every run of a command listens to the one standard output there is.
process.stdout.setMaxListeners(0);

interface Shape {
  readonly seed: number;
  readonly slower?: number;
  readonly failing?: number;
  readonly host?: string;
}

/** A capture of 300 requests on one connection, 20 ms apart, most of them answered after 2 to 6 ms. */
function capture(name: string, { seed, slower = 1, failing = 0, host = 'shop.test' }: Shape): string {
  const random = seededRandom(seed);
  const script = conversation({ client: { address: '10.0.0.1', port: 40_000 + seed } }).handshake();
  for (let index = 0; index < 300; index += 1) {
    const atMs = 10 + index * 20;
    const path = random() < 0.7 ? `/users/${Math.floor(random() * 1000)}` : '/orders';
    const waitMs = (2 + 4 * random()) * slower;
    const status = random() < failing ? '503 Unavailable' : '200 OK';
    script.fromClient(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`, { atMs });
    script.fromServer(`HTTP/1.1 ${status}\r\nContent-Length: 2\r\nX-Build: 7\r\n\r\nok`, {
      atMs: atMs + waitMs,
    });
  }
  const path = join(directory, name);
  writeFileSync(path, pcapFile(framesOf(script.fin().segments)));
  return path;
}

const BEFORE = capture('before.pcap', { seed: 1 });
const ALIKE = capture('alike.pcap', { seed: 2 });
const SLOWER = capture('slower.pcap', { seed: 3, slower: 1.5 });
const FAILING = capture('failing.pcap', { seed: 4, failing: 0.15 });
const ELSEWHERE = capture('elsewhere.pcap', { seed: 5, host: 'staging.test' });

/** Runs something and gives what it wrote to standard output, too. */
async function captured(run: () => Promise<number>): Promise<{ code: number; text: string }> {
  let text = '';
  const spy = vi.spyOn(process.stdout, 'write').mockImplementation(((chunk: string, done?: () => void) => {
    text += chunk;
    done?.();
    return true;
  }) as typeof process.stdout.write);
  try {
    return { code: await run(), text };
  } finally {
    spy.mockRestore();
  }
}

const QUIET = { color: 'never', progress: false, quiet: true } as const;
const compare = (before: string, after: string, flags: Partial<DiffFlags> = {}) =>
  captured(() =>
    diff(before, after, { ...QUIET, metric: 'total', failOn: 'worse', format: 'table', ...flags }, '0'),
  );

describe('wirelens diff', () => {
  it('of a capture with itself finds nothing', async () => {
    const { code, text } = await compare(BEFORE, BEFORE, { failOn: 'any', threshold: 0 });
    expect(code).toBe(EXIT.fine);
    expect(text).toContain('Verdict: nothing differs significantly in 2 routes');
  });

  it('of two captures of the same traffic finds nothing', async () => {
    expect((await compare(BEFORE, ALIKE, { failOn: 'any' })).code).toBe(EXIT.fine);
  });

  it.each([
    [
      'slower',
      SLOWER,
      /GET shop\.test\/users\/\{id\}: p50 \S+ ms → \S+ ms \(\+\d+ %\), significant \(p < 0\.001, n = \d+ \/ \d+\)/,
    ],
    ['failing', FAILING, /GET shop\.test\/users\/\{id\}: errors 0 % → \S+ % \(from none\), significant/],
  ])('says what is %s, and exits with 5', async (_, after, sentence) => {
    const { code, text } = await compare(BEFORE, after);
    expect(code).toBe(EXIT.found);
    expect(text).toMatch(sentence);
    expect((await compare(BEFORE, after, { failOn: 'never' })).code).toBe(EXIT.fine);
  });

  it('does not fail for what got better, unless asked to', async () => {
    const { code, text } = await compare(SLOWER, BEFORE);
    expect(code).toBe(EXIT.fine);
    expect(text).toContain('\nBetter\n');
    expect((await compare(SLOWER, BEFORE, { failOn: 'any' })).code).toBe(EXIT.found);
  });

  it('new and gone routes are different, not worse', async () => {
    const { code, text } = await compare(BEFORE, ELSEWHERE);
    expect(code).toBe(EXIT.fine);
    expect(text).toMatch(/GET staging\.test\/orders: new, /);
    expect(text).toMatch(/GET shop\.test\/orders: gone, /);
    expect((await compare(BEFORE, ELSEWHERE, { by: ['method', 'route'], failOn: 'any' })).code).toBe(
      EXIT.fine,
    );
  });

  it('reads SQLite files with the same result, and several files a side', async () => {
    const stored = async (path: string): Promise<string> => {
      const output = `${path}.sqlite`;
      await captured(() => analyze([path], { ...QUIET, output, summary: false }, '0'));
      return output;
    };
    const fromCaptures = await compare(BEFORE, SLOWER, { format: 'json' });
    const fromStores = await compare(await stored(BEFORE), await stored(SLOWER), { format: 'json' });
    const content = (text: string) => {
      const { before, after, ...rest } = JSON.parse(text);
      return { ...rest, before: { ...before, files: [] }, after: { ...after, files: [] } };
    };
    expect(content(fromStores.text)).toEqual(content(fromCaptures.text));
    expect(fromStores.code).toBe(EXIT.found);
    const several = await captured(() =>
      diff(
        SLOWER,
        undefined,
        { ...QUIET, metric: 'total', failOn: 'worse', format: 'json', before: [BEFORE, ELSEWHERE] },
        '0',
      ),
    );
    expect(JSON.parse(several.text).before.requests).toBe(600);
  });

  it.each([
    [BEFORE, undefined, {}, 'two inputs are needed'],
    [BEFORE, SLOWER, { before: [BEFORE], after: [SLOWER] }, 'is on neither side'],
    [BEFORE, SLOWER, { read: [BEFORE] }, '-r does not say'],
    [BEFORE, SLOWER, { by: ['rout'] }, 'there is no field rout'],
    [BEFORE, SLOWER, { by: ['time'] }, 'too many values'],
    ['-', '-', {}, 'only once'],
  ] as const)('wrong usage: %#', async (before, after, flags, message) => {
    const run = diff(
      before,
      after,
      { ...QUIET, metric: 'total', failOn: 'worse', format: 'table', ...flags },
      '0',
    );
    await expect(run).rejects.toThrow(message);
    await expect(run).rejects.toMatchObject({ exitCode: EXIT.usage });
  });
});

function rules(name: string, text: string): string {
  const path = join(directory, name);
  writeFileSync(path, `version: 1\nrules:\n${text}`);
  return path;
}

const check = (file: string, files: readonly string[], flags: Partial<AssertFlags> = {}) =>
  captured(() => assert(file, files, { ...QUIET, format: 'text', ...flags }, '0'));

describe('wirelens assert', () => {
  const FAST = rules(
    'fast.yaml',
    '  - {name: fast, by: route, expect: p99(total) < 8ms && error_share < 1%}\n',
  );

  it('passes and fails, and exits accordingly', async () => {
    expect((await check(FAST, [BEFORE])).code).toBe(EXIT.fine);
    const slow = await check(FAST, [SLOWER]);
    expect(slow.code).toBe(EXIT.found);
    expect(slow.text).toMatch(/✗ fast {2}\d of 2 groups failed/);
    expect((await check(FAST, [FAILING])).code).toBe(EXIT.found);
  });

  it('a warning is shown and does not fail', async () => {
    const soft = rules('soft.yaml', '  - {name: soft, severity: warning, none: error}\n');
    const { code, text } = await check(soft, [FAILING]);
    expect(code).toBe(EXIT.fine);
    expect(text).toMatch(/^! soft .*match error, none should\n {4}#\d+ GET shop\.test/);
  });

  it('keeps the header fields that rules ask for', async () => {
    const build = rules('build.yaml', `  - all: response.header["x-build"] == "7"\n`);
    expect((await check(build, [BEFORE])).code).toBe(EXIT.fine);
    expect((await check(build, [BEFORE], { where: 'status == 404' })).code).toBe(EXIT.found);
  });

  it('only checks the rules when asked to', async () => {
    expect((await check(FAST, [], { check: true })).text).toContain('1 rule, all understood');
    await expect(check(FAST, [BEFORE], { check: true })).rejects.toThrow(
      '--check reads nothing but the rules',
    );
  });

  it.each([
    ['wrong.yaml', '  - none: statu == 5\n', EXIT.usage, 'line 3, column 11: there is no field statu'],
    ['missing.yaml', null, EXIT.failed, 'no such file'],
  ])('rules that cannot be used: %s', async (name, text, exitCode, message) => {
    const path = text === null ? join(directory, name) : rules(name, text);
    const error = await check(path, [BEFORE]).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(UserError);
    expect(error).toMatchObject({ exitCode, message: expect.stringContaining(message) });
  });

  it('says that rules come first when a capture stands in their place', async () => {
    const error = await check(BEFORE, [BEFORE]).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      exitCode: EXIT.usage,
      message: expect.stringContaining('rules come first'),
    });
  });

  it('says so when a capture is damaged, and still fails for a rule', async () => {
    const broken = join(directory, 'broken.pcap');
    const whole = pcapFile(
      framesOf(
        conversation()
          .handshake()
          .fromClient('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
          .fromServer('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n').segments,
      ),
    );
    writeFileSync(broken, Buffer.concat([whole, Buffer.alloc(7)]));
    expect((await check(rules('ok.yaml', '  - none: error\n'), [broken])).code).toBe(EXIT.salvaged);
    expect((await check(rules('not.yaml', '  - all: error\n'), [broken])).code).toBe(EXIT.found);
  });
});
