import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { runHere } from '../../test/run-here.ts';
import { UserError } from '../model/errors.ts';
import { reportFailure } from './failure.ts';

describe('a failure', () => {
  let printed = '';
  beforeEach(() => {
    printed = '';
    vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
      printed += String(text);
      return true;
    });
  });
  afterEach(() => vi.restoreAllMocks());

  it('of the user is one line with its place and what to do, made safe for the terminal', () => {
    const place = { file: 'a\x1b[31m.pcap', packet: 3, byteOffset: 99 };
    expect(
      reportFailure(new UserError('x', 'this is wrong', { place, hint: 'do that', exitCode: 2 }), false),
    ).toBe(2);
    expect(printed).toBe('wirelens: a\\x1b[31m.pcap, packet 3, byte 99: this is wrong; do that\n');
  });

  it('of the user in an expression is shown with its place below the line', () => {
    const excerpt = { text: 'a \x1b= 1', start: 3, end: 4 };
    reportFailure(new UserError('filter', 'wrong', { excerpt, exitCode: 2 }), false);
    expect(printed).toBe('wirelens: wrong\n  a \\x1b= 1\n        ^\n');
    printed = '';
    reportFailure(new UserError('filter', 'empty', { excerpt: { text: ' ', start: 0, end: 1 } }), false);
    expect(printed).toBe('wirelens: empty\n');
  });

  it('of our own is one line that asks for a report, with the stack only when asked for', () => {
    expect(reportFailure(new TypeError('oops'), false)).toBe(1);
    expect(printed).toBe('wirelens: internal error: oops; run again with --debug and report it\n');
    printed = '';
    expect(reportFailure(new TypeError('oops'), true)).toBe(1);
    expect(printed).toMatch(/internal error: oops; .*\nTypeError: oops\n {4}at /);
    printed = '';
    reportFailure(new TypeError('o\x1b[31m'), true);
    expect(printed).toMatch(/\nTypeError: o\\x1b\[31m\n {4}at /);
  });
});

describe('files that cannot be read', () => {
  it.each([
    ['sql', ['sql', 'no-such.sqlite', 'SELECT 1'], 'no-such.sqlite: cannot be read: no such file; check the path'],
    ['sql', ['sql', '/', 'SELECT 1'], '/: cannot be read: it is a directory; name a SQLite file in it'],
    ['query', ['query', '--token-file', 'no-such'], 'no-such: the token cannot be read: no such file; check the path'],
    ['server', ['server', '--data', 'd', '--tls-cert', 'no-such', '--tls-key', 'no-such'], 'no-such: cannot be read: no such file; check the path'],
    ['a name that is empty', ['doctor', ''], "'': no such file; check the path"],
  ])('%s: one line says which, why, and what to do', async (_name, args, message) => {
    expect(await runHere(args)).toEqual({ code: 1, err: `wirelens: ${message}\n` });
  }); // biome-ignore format: one table
});

describe('wrong usage', () => {
  it.each(['-', ''])('a SQLite file is not written to %o', async (name) => {
    const { code, err } = await runHere(['analyze', 'no-such.pcap', '-o', name]);
    expect([code, err]).toEqual([2, expect.stringContaining("option '-o, --output <file>' argument")]);
  });

  it('names the help of the command that was called', async () => {
    const { code, err } = await runHere(['stat', 'a.pcap', '--no-such']);
    expect(code).toBe(2);
    expect(err).toBe(
      "wirelens: unknown option '--no-such'\nwirelens stat --help tells what is understood.\n",
    );
    expect((await runHere(['--no-such'])).err).toContain('\nwirelens --help tells');
  });

  it('help on a command that there is not says so, and proposes one', async () => {
    const { code, err } = await runHere(['help', 'analyse']);
    expect(code).toBe(2);
    expect(err).toMatch(/^wirelens: unknown command 'analyse'\n\(Did you mean analyze\?\)\n/);
  });
});
