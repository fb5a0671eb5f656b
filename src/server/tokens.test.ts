import { describe, expect, it } from 'vitest';
import { TokenSet } from './tokens.ts';

describe('tokens', () => {
  it('reads one a line, and skips what is none', () => {
    const set = TokenSet.parse('# agents\n\n  first-token-1 \r\nsecond/token+2==\n', 'a.txt');
    expect(set.size).toBe(2);
    expect(set.has('first-token-1')).toBe(true);
    expect(set.has('second/token+2==')).toBe(true);
    for (const wrong of ['', 'first-token-', 'first-token-11', '# agents', 'FIRST-TOKEN-1'])
      expect(set.has(wrong)).toBe(false);
  });

  it('says where a token is wrong, and never the token', () => {
    for (const [text, line] of [
      ['good-token-1\nshort\n', 2],
      ['with space in it\n', 1],
      [`${'x'.repeat(1025)}`, 1],
      ['tökens-are-ascii', 1],
    ] as const) {
      try {
        TokenSet.parse(text, 'a.txt');
        expect.unreachable();
      } catch (error) {
        expect((error as Error).message).toContain(`a.txt, line ${line}: `);
        for (const token of text.split('\n'))
          if (token !== '') expect((error as Error).message).not.toContain(token);
      }
    }
    expect(() => TokenSet.parse('\n# none\n', 'a.txt')).toThrow('a.txt holds no token');
  });

  it('knows when two kinds share one', () => {
    const one = TokenSet.parse('shared-token\nown-token-1', 'a');
    expect(one.overlaps(TokenSet.parse('other-token\nshared-token', 'b'))).toBe(true);
    expect(one.overlaps(TokenSet.parse('other-token', 'b'))).toBe(false);
  });
});
