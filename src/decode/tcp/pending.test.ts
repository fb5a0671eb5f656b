import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fuzzRuns } from '../../../test/pipeline-run.ts';
import { type PendingSegment, PendingSegments } from './pending.ts';

function segment(offset: number, text: string, wireBytes = text.length): PendingSegment {
  return {
    offset,
    bytes: Uint8Array.from(text, (character) => character.charCodeAt(0)),
    wireBytes,
    timeNs: 0,
    packet: 0,
    capture: 0,
    ackOffset: -1,
    arrival: 0,
  };
}

/** What is held, in order: place and text, with a dot for each byte that the snaplen cut. */
function drained(pending: PendingSegments): [number, string][] {
  const all: [number, string][] = [];
  while (pending.length > 0) {
    const { offset, bytes, wireBytes } = pending.first();
    all.push([offset, String.fromCharCode(...bytes).padEnd(wireBytes, '.')]);
    pending.removeFirst();
  }
  return all;
}

describe('waiting segments', () => {
  it.each<[string, [number, string][], [number, string][], number]>([
    ['are sorted', [[6, 'c'], [2, 'a'], [4, 'b']], [[2, 'a'], [4, 'b'], [6, 'c']], 0],
    ['keep the first of two equal ones', [[2, 'abc'], [2, 'ABC']], [[2, 'abc']], 3],
    ['take what sticks out before', [[2, 'bc'], [1, 'ABC']], [[1, 'A'], [2, 'bc']], 2],
    ['take what sticks out behind', [[2, 'bc'], [3, 'CDE']], [[2, 'bc'], [4, 'DE']], 1],
    ['take both ends of a longer one', [[3, 'c'], [1, 'ABCDE']], [[1, 'AB'], [3, 'c'], [4, 'DE']], 1],
    ['take what lies between several', [[1, 'a'], [3, 'c'], [5, 'e'], [0, '0123456']], [[0, '0'], [1, 'a'], [2, '2'], [3, 'c'], [4, '4'], [5, 'e'], [6, '6']], 3],
    ['do not join neighbours', [[1, 'ab'], [3, 'cd']], [[1, 'ab'], [3, 'cd']], 0],
  ])('%s', (_name, added, expected, covered) => {
    const pending = new PendingSegments();
    expect(added.reduce((sum, [offset, text]) => sum + pending.add(segment(offset, text)), 0)).toBe(covered);
    expect(drained(pending)).toEqual(expected);
    expect(pending.heldBytes).toBe(0);
  }); // biome-ignore format: one table

  it('notice other bytes at the same place, and only captured ones', () => {
    const same = new PendingSegments();
    same.add(segment(0, 'abc'));
    same.add(segment(1, 'bcd'));
    expect(same.conflict).toBe(false);
    same.add(segment(2, 'X'));
    expect(same.conflict).toBe(true);
    const cut = new PendingSegments();
    cut.add(segment(0, 'ab', 10));
    cut.add(segment(5, 'xyz'));
    expect(cut.conflict).toBe(false);
    expect(drained(cut)).toEqual([[0, 'ab........']]);
  });

  it('hold what a plain array of bytes holds, where the first byte seen at a place wins', () => {
    const pieces = fc.array(
      fc.record({
        offset: fc.nat(60),
        bytes: fc.uint8Array({ minLength: 1, maxLength: 25 }),
        cut: fc.nat(4),
      }),
      { maxLength: 40 },
    );
    fc.assert(
      fc.property(pieces, fc.integer({ min: 0, max: 10 }), (list, removeEvery) => {
        const pending = new PendingSegments();
        const oracle = new Array<number | undefined>(100).fill(undefined);
        const found = new Array<number | undefined>(100).fill(undefined);
        const take = (): void => {
          const { offset, bytes, wireBytes } = pending.first();
          for (let at = 0; at < wireBytes; at += 1) {
            expect(found[offset + at]).toBeUndefined();
            found[offset + at] = at < bytes.length ? bytes[at] : -1;
          }
          pending.removeFirst();
        };
        let floor = 0;
        list.forEach(({ offset, bytes, cut }, index) => {
          const start = Math.max(floor, offset);
          if (start >= offset + bytes.length + cut) return;
          const used = bytes.subarray(start - offset);
          let covered = 0;
          const wireBytes = offset + bytes.length + cut - start;
          for (let at = 0; at < wireBytes; at += 1) {
            if (oracle[start + at] !== undefined) covered += 1;
            else oracle[start + at] = at < used.length ? used[at] : -1;
          }
          const added = { ...segment(start, ''), bytes: used, wireBytes };
          expect(pending.add(added)).toBe(covered);
          if (removeEvery > 0 && index % removeEvery === 0 && pending.length > 0) {
            floor = pending.first().offset + pending.first().wireBytes;
            take();
          }
        });
        let last = -1;
        while (pending.length > 0) {
          expect(pending.first().offset).toBeGreaterThanOrEqual(last);
          last = pending.first().offset + pending.first().wireBytes;
          take();
        }
        expect(found).toEqual(oracle);
        expect(pending.heldBytes).toBe(0);
      }),
      { numRuns: fuzzRuns(1000) },
    );
  });
});
