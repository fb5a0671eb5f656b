import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RING, ringShape } from './ring-shape.ts';

describe('the blocks of a ring', () => {
  it('are powers of two, enough of them, each with room for a packet of 64 KiB, and no more than was asked for', () => {
    const property = fc.property(fc.integer({ min: 0, max: 2 ** 31 }), (ringBytes) => {
      const { blockBytes, blocks } = ringShape(ringBytes);
      expect(Math.log2(blockBytes) % 1).toBe(0);
      expect(blockBytes).toBeGreaterThan(65_536 + 1024);
      expect(blocks).toBeGreaterThanOrEqual(8);
      expect(blockBytes * blocks).toBeLessThanOrEqual(Math.max(ringBytes, RING.leastBytes));
      expect(blockBytes * blocks).toBeLessThanOrEqual(2 ** 30);
    });
    void fc.assert(property);
    expect(ringShape(64 * 1024 * 1024)).toEqual({ blockBytes: 1024 * 1024, blocks: 64 });
  });
});
