import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Key } from './key.ts';
import { KeyParser } from './key-parser.ts';

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Keys in short: names in <>, characters as they are, pastes in []. */
function short(key: Key): string {
  if (key.kind === 'named') return `<${key.name}>`;
  return key.kind === 'paste' ? `[${key.text}]` : key.text;
}

function keysOf(chunks: readonly Uint8Array[], expires = false): string {
  let text = '';
  const parser = new KeyParser((key) => {
    text += short(key);
  });
  for (const chunk of chunks) parser.feed(chunk);
  if (expires) parser.expire();
  return text;
}

describe('keys of a terminal', () => {
  it.each([
    ['arrows', '\x1b[A\x1b[B\x1b[C\x1b[D', '<up><down><right><left>'],
    ['arrows in application mode', '\x1bOA\x1bOB\x1bOC\x1bOD', '<up><down><right><left>'],
    ['arrows with Ctrl and Shift', '\x1b[1;5A\x1b[1;2D', '<up><left>'],
    ['Home and End of xterm', '\x1b[H\x1b[F\x1bOH\x1bOF', '<home><end><home><end>'],
    ['Home and End of the Linux console and rxvt', '\x1b[1~\x1b[4~\x1b[7~\x1b[8~', '<home><end><home><end>'],
    ['paging and Delete', '\x1b[5~\x1b[6~\x1b[3~\x1b[5;5~', '<page-up><page-down><delete><page-up>'],
    ['Enter, Tab, Backspace', '\r\n\t\x7f\x08\x1bOM', '<enter><enter><tab><backspace><backspace><enter>'],
    ['Ctrl', '\x01\x03\x0c\x1a', '<ctrl-a><ctrl-c><ctrl-l><ctrl-z>'],
    ['text', 'jé漢😀/', 'jé漢😀/'],
    ['Alt with a key', '\x1bq', '<escape>q'],
    ['Esc and then an arrow', '\x1b\x1b[A', '<escape><up>'],
    ['function keys, which mean nothing', 'a\x1b[15~b\x1b[[Ac\x1bOPd', 'abcd'],
    ['answers and mouse reports of the terminal', 'a\x1b[?1;2cb\x1b[<0;10;20Mc\x1b[Id', 'abcd'],
    ['a sequence broken off by Ctrl-C', '\x1b[1;\x03q', '<ctrl-c>q'],
    ['a paste', '\x1b[200~status\r\nq\x03\x1b[A\x1b[201~x', '[status\r\nq\x03\x1b[A]x'],
    ['a paste with the beginning of its end in it', '\x1b[200~a\x1b[20\x1b[201~b', '[a\x1b[20]b'],
    ['an empty paste', '\x1b[200~\x1b[201~b', 'b'],
    ['C1 controls and NUL, which are no characters', 'a\0\u0085\u009bb', 'ab'],
  ])('%s', (_, bytes, keys) => {
    expect(keysOf([encode(bytes)])).toBe(keys);
  });

  it('are the same however the bytes are cut', () => {
    const pieces = fc.constantFrom('\x1b[A', '\x1b', '[', '200~', '\x1b[200~', '\x1b[201~', 'O', 'q', '1', ';', '~', '\x03', 'é', '漢', '😀', '\x1b[5~'); // biome-ignore format: a list
    const bytes = fc.oneof(
      fc.array(pieces, { maxLength: 30 }).map((list) => encode(list.join(''))),
      fc.uint8Array({ maxLength: 60 }),
    );
    fc.assert(
      fc.property(bytes, fc.array(fc.nat(60), { maxLength: 12 }), (whole, cuts) => {
        const places = [
          0,
          ...cuts.map((cut) => Math.min(cut, whole.length)).sort((a, b) => a - b),
          whole.length,
        ];
        const chunks = places.slice(1).map((end, index) => whole.subarray(places[index], end));
        expect(keysOf(chunks, true)).toBe(keysOf([whole], true));
      }),
    );
  });

  it('let Esc be a key when nothing follows', () => {
    const keys: string[] = [];
    const parser = new KeyParser((key) => keys.push(short(key)));
    parser.feed(encode('\x1b'));
    expect(keys).toEqual([]);
    expect(parser.waitMs).toBeGreaterThan(0);
    parser.expire();
    expect(keys).toEqual(['<escape>']);
    expect(parser.waitMs).toBeNull();
    parser.feed(encode('[A'));
    expect(keys).toEqual(['<escape>', '[', 'A']);
  });

  it('come back when a paste never ends', () => {
    const keys: string[] = [];
    const parser = new KeyParser((key) => keys.push(short(key)));
    parser.feed(encode('\x1b[200~abc\x1b[20'));
    const waitMs = parser.waitMs as number;
    expect(waitMs).toBeGreaterThan(500);
    parser.expire();
    parser.feed(encode('q'));
    expect(keys).toEqual(['[abc]', 'q']);
  });

  it('keep a paste of any size within bounds', () => {
    let kept = 0;
    let after = '';
    const parser = new KeyParser((key) => {
      if (key.kind === 'paste') kept = key.text.length;
      else after += short(key);
    });
    parser.feed(encode('\x1b[200~'));
    for (let count = 0; count < 200; count += 1) parser.feed(encode('x'.repeat(10_000)));
    parser.feed(encode('\x1b[201~q'));
    expect(kept).toBe(65_536);
    expect(after).toBe('q');
  });
});
