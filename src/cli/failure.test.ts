import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
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
  });
});
