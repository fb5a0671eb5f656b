import { describe, expect, it } from 'vitest';
import type { Key, KeyName } from './key.ts';
import { LineEditor, LineHistory } from './line-editor.ts';

const typed = (text: string): Key[] => [...text].map((one) => ({ kind: 'character', text: one }));
const named = (name: KeyName): Key => ({ kind: 'named', name });
const paste = (text: string): Key => ({ kind: 'paste', text });

function edited(
  start: string,
  keys: readonly (Key | readonly Key[])[],
  history = new LineHistory(),
): LineEditor {
  const editor = new LineEditor(start, history);
  for (const key of keys.flat()) editor.key(key);
  return editor;
}

describe('the filter line', () => {
  it.each([
    ['types at the end', 'ab', [typed('cd')], 'abcd'],
    ['inserts before the cursor', 'ab', [named('left'), typed('x')], 'axb'],
    ['goes to both ends', 'ab', [named('home'), typed('<'), named('end'), typed('>')], '<ab>'],
    ['takes back', 'ab', [named('backspace')], 'a'],
    ['takes back nothing at the start', 'ab', [named('home'), named('backspace')], 'ab'],
    ['deletes under the cursor', 'ab', [named('home'), named('delete')], 'b'],
    ['deletes nothing at the end', 'ab', [named('delete')], 'ab'],
    ['deletes to the start', 'one two', [named('left'), named('ctrl-u')], 'o'],
    ['deletes to the end', 'one two', [named('home'), named('right'), named('ctrl-k')], 'o'],
    ['deletes a word and the spaces behind it', 'one two  ', [named('ctrl-w')], 'one '],
    ['counts an emoji as one character', 'a😀b', [named('left'), named('backspace')], 'ab'],
    ['makes one line of a paste', '', [paste('status\r\n>= 500\u2028&& x\n')], 'status >= 500 && x'],
    ['ignores keys that mean nothing', 'a', [named('tab'), named('page-up')], 'a'],
  ] as const)('%s', (_, start, keys, text) => {
    expect(edited(start, keys).text).toBe(text);
  });

  it('brings back lines entered before, and what was being typed', () => {
    const history = new LineHistory();
    for (const line of ['one', 'two', 'one']) history.add(line);
    const editor = edited('ne', [], history);
    const texts = (['up', 'up', 'up', 'down', 'down', 'down'] as const).map((name) => {
      editor.key(named(name));
      return editor.text;
    });
    expect(texts).toEqual(['one', 'two', 'two', 'one', 'ne', 'ne']);
  });

  it('is bounded', () => {
    expect(edited('', [paste('x'.repeat(100_000))]).text.length).toBe(4096);
  });

  it('shows the end of a long line, with the mark where the mistake is', () => {
    const editor = edited('0123456789', []);
    expect(editor.window(20, { start: 2, end: 4 })).toEqual({
      text: '0123456789',
      cursor: 10,
      mark: { from: 2, to: 4 },
    });
    // Five cells: four characters and the cursor behind them.
    expect(editor.window(5, null)).toEqual({ text: '6789', cursor: 4, mark: null });
    expect(editor.window(5, { start: 7, end: 8 }).mark).toEqual({ from: 1, to: 2 });
    // The mistake lies to the left of what is shown.
    expect(editor.window(5, { start: 0, end: 2 }).mark).toEqual({ from: 0, to: 1 });
    // At the end of the text: the place where something is missing.
    expect(editor.window(20, { start: 10, end: 10 }).mark).toEqual({ from: 10, to: 11 });
  });

  it('counts cells of wide characters, and shows no control character', () => {
    expect(edited('漢字=', []).window(20, { start: 2, end: 3 })).toEqual({
      text: '漢字=',
      cursor: 5,
      mark: { from: 4, to: 5 },
    });
    expect(edited('a\u202e', []).window(20, null).text).toBe('a\\u{202e}');
  });
});
