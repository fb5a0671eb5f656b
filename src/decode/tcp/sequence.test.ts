import { describe, expect, it } from 'vitest';
import { advance, distance } from './sequence.ts';

describe('sequence numbers', () => {
  it.each([
    [0, 0, 0],
    [0, 1, 1],
    [1, 0, -1],
    [0xffff_ffff, 0, 1],
    [0, 0xffff_ffff, -1],
    [0xffff_fff0, 0x10, 0x20],
    [0x10, 0xffff_fff0, -0x20],
    [0x7fff_ffff, 0x8000_0000, 1],
    [0x8000_0000, 0x7fff_ffff, -1],
    [0, 0x7fff_ffff, 0x7fff_ffff],
    [0, 0x8000_0001, -0x7fff_ffff],
    [0xdead_beef, 0xdead_beef, 0],
  ])('from %d to %d it is %d, signed or not', (from, to, expected) => {
    expect(distance(from, to)).toBe(expected);
    expect(distance(from | 0, to | 0)).toBe(expected);
    if (expected >= 0) expect(advance(from | 0, expected)).toBe(to | 0);
  });
});
