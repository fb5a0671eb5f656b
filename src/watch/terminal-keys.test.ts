import { describe, expect, it } from 'vitest';
import { canWatch, showsUnicode } from './terminal-keys.ts';

const TTY = { isTTY: true };
const PIPE = {};

describe('whether a table can be shown', () => {
  it.each([
    ['on a terminal', { TERM: 'xterm-256color' }, TTY, TTY, false, true],
    ['not when the output goes elsewhere', { TERM: 'xterm' }, TTY, PIPE, true, false],
    ['not on a dumb terminal', { TERM: 'dumb' }, TTY, TTY, true, false],
    ['not on a terminal of unknown kind', {}, TTY, TTY, true, false],
    [
      'with a capture on standard input, when keys come from the terminal',
      { TERM: 'xterm' },
      PIPE,
      TTY,
      true,
      true,
    ],
    ['not without any place for keys', { TERM: 'xterm' }, PIPE, TTY, false, false],
  ])('%s', (_, env, stdin, stdout, hasTerminal, expected) => {
    expect(canWatch(env, stdin, stdout, () => hasTerminal)).toBe(expected);
  });
});

describe('the locale', () => {
  it.each([
    [{ LANG: 'en_GB.UTF-8' }, true],
    [{ LANG: 'C.utf8' }, true],
    [{ LANG: 'C' }, false],
    [{}, false],
    [{ LANG: 'en_GB.UTF-8', LC_ALL: 'C' }, false],
    [{ LANG: 'C', LC_CTYPE: 'C.UTF-8' }, true],
    [{ LANG: 'C.UTF-8', LC_ALL: '' }, true],
  ])('%j: %s', (env, expected) => {
    expect(showsUnicode(env)).toBe(expected);
  });
});
