import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { asRing, type RingPacket, ringBlock } from '../../../test/ring-block.ts';
import { BlockWalker } from './tpacket.ts';

const BLOCK_BYTES = 16 * 1024;
const packets = fc.array(
  fc.record({
    seconds: fc.integer({ min: 0, max: 0xffff_ffff }),
    nanoseconds: fc.integer({ min: 0, max: 999_999_999 }),
    bytes: fc.uint8Array({ maxLength: 300 }),
    originalBytes: fc.integer({ min: 0, max: 100_000 }),
    macOffset: fc.constantFrom(68, 82, 96),
    interfaceIndex: fc.integer({ min: 1, max: 0x7fff_ffff }),
  }),
  { maxLength: 30 },
);

function walk(walker: BlockWalker): { bytes: number[]; originalBytes: number; interfaceIndex: number }[] {
  const found = [];
  while (walker.step()) {
    const { start, end, originalBytes, interfaceIndex } = walker;
    found.push({ bytes: [...walker.bytes.subarray(start, end)], originalBytes, interfaceIndex });
  }
  return found;
}

describe('walking a block of the ring', () => {
  it('gives the packets that were put in, in their order', () => {
    const property = fc.property(packets, (given: RingPacket[]) => {
      const walker = new BlockWalker(asRing(ringBlock(given, BLOCK_BYTES)));
      walker.begin(0, BLOCK_BYTES);
      expect(walk(walker)).toEqual(
        given.map(({ bytes, originalBytes, interfaceIndex }) => ({
          bytes: [...bytes],
          originalBytes,
          interfaceIndex,
        })),
      );
      expect(walker.damaged).toBe(false);
      expect(walker.left).toBe(0);
    });
    void fc.assert(property);
  });

  it('never leaves the block, whatever stands in it, and comes to an end', () => {
    const change = fc.record({
      word: fc.nat(BLOCK_BYTES / 4 - 1),
      near: fc.nat(120),
      value: fc.oneof(fc.nat(400), fc.constantFrom(0, 8, 0xffff_fff8, 0xffff_ffff, 0x8000_0000), fc.nat()),
      first: fc.boolean(),
    });
    const property = fc.property(
      packets,
      fc.array(change, { minLength: 1, maxLength: 12 }),
      (given, changes) => {
        // Between two others, so that what is outside exists and could be reached.
        const ring = new ArrayBuffer(3 * BLOCK_BYTES);
        new Uint8Array(ring).set(ringBlock(given, BLOCK_BYTES), BLOCK_BYTES);
        const words = new Uint32Array(ring, BLOCK_BYTES, BLOCK_BYTES / 4);
        for (const { word, near, value, first } of changes) words[first ? near : word] = value;
        const walker = new BlockWalker(ring);
        walker.begin(BLOCK_BYTES, BLOCK_BYTES);
        let steps = 0;
        while (walker.step()) {
          steps += 1;
          const { at, start, end } = walker;
          expect(at).toBeGreaterThanOrEqual(BLOCK_BYTES + 48);
          expect(start).toBeGreaterThanOrEqual(at + 68);
          expect(end).toBeGreaterThanOrEqual(start);
          expect(end).toBeLessThanOrEqual(2 * BLOCK_BYTES);
        }
        expect(steps).toBeLessThanOrEqual(BLOCK_BYTES / 68);
        if (walker.left > 0) expect(walker.damaged).toBe(true);
      },
    );
    void fc.assert(property, { numRuns: 1000 });
  });
});
