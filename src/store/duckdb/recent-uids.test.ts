import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { batchOf, EPOCH_US, row } from '../../../test/store/server-rows.ts';
import { RecentUids } from './recent-uids.ts';

const hex = (value: number): string => value.toString(16).padStart(16, '0');
const batch = (rows: readonly (readonly [number, number])[]) =>
  batchOf(rows.map(([uid, us]) => row({ uid: hex(uid), started_us: EPOCH_US + us })));

describe('uids of late', () => {
  it('suspect every row that came before, also in the same batch', () => {
    const one = fc.tuple(fc.nat(50), fc.nat(5));
    fc.assert(
      fc.property(fc.array(fc.array(one, { minLength: 1, maxLength: 20 }), { maxLength: 10 }), (batches) => {
        const recent = new RecentUids(null);
        const came = new Set<string>();
        for (const rows of batches) {
          const suspects = recent.suspects([batch(rows)], null);
          for (const [uid, us] of rows) {
            if (came.has(`${uid} ${us}`)) expect(suspects?.knownPlaceOf(uid, 0)).toBeGreaterThanOrEqual(0);
            came.add(`${uid} ${us}`);
          }
        }
      }),
      { numRuns: 40 },
    );
  });

  it('suspect rows in the time that was stored before, and hardly any other', () => {
    const recent = new RecentUids({ oldestUs: EPOCH_US + 10, newestUs: EPOCH_US + 20 });
    for (const [us, isSuspect] of [
      [9, false],
      [10, true],
      [20, true],
      [21, false],
    ] as const)
      expect(recent.suspects([batch([[us, us]])], null) !== null, `${us}`).toBe(isSuspect);
    let suspected = 0;
    for (let from = 0; from < 100_000; from += 10_000) {
      const rows = Array.from({ length: 10_000 }, (_, index) => [from + index, 1000 + from + index] as const);
      suspected += recent.suspects([batch(rows)], null)?.size ?? 0;
    }
    expect(suspected).toBeLessThan(10);
  });
});
