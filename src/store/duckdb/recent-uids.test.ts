import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { batchOf, EPOCH_US, row } from '../../../test/store/server-rows.ts';
import { RecentUids } from './recent-uids.ts';

const hex = (value: number): string => value.toString(16).padStart(16, '0');
const batch = (rows: readonly (readonly [number, number])[]) =>
  batchOf(rows.map(([uid, us]) => row({ uid: hex(uid), started_us: EPOCH_US + us })));
const S = 1_000_000;

describe('uids of late', () => {
  it('suspect every uid that came up to two minutes before, however many came since', () => {
    const one = fc.tuple(fc.nat(50), fc.nat(120 * S));
    fc.assert(
      fc.property(
        fc.array(fc.array(one, { minLength: 1, maxLength: 20 }), { minLength: 1, maxLength: 10 }),
        fc.constantFrom(1, 10, 1000),
        (batches, setRows) => {
          const recent = new RecentUids(null, setRows);
          const came = new Set<number>();
          let span: { oldestUs: number; newestUs: number } | null = null;
          for (const rows of batches) {
            const suspects = recent.suspects([batch(rows)], span);
            for (const [uid, us] of rows) {
              if (came.has(uid)) expect(suspects?.knownPlaceOf(uid, 0)).toBeGreaterThanOrEqual(0);
              came.add(uid);
              const oldestUs: number = Math.min(span?.oldestUs ?? Number.POSITIVE_INFINITY, EPOCH_US + us);
              const newestUs: number = Math.max(span?.newestUs ?? 0, EPOCH_US + us);
              span = { oldestUs, newestUs };
            }
          }
        },
      ),
      { numRuns: 15 },
    );
  });

  it('suspect rows around the time that was stored before, and hardly any other', () => {
    const recent = new RecentUids({ oldestUs: EPOCH_US + 200 * S, newestUs: EPOCH_US + 300 * S });
    for (const [us, isSuspect] of [
      [80 * S - 1, false],
      [80 * S, true],
      [420 * S, true],
      [420 * S + 1, false],
    ] as const)
      expect(recent.suspects([batch([[us, us]])], null) !== null, `${us}`).toBe(isSuspect);
    let suspected = 0;
    for (let from = 0; from < 100_000; from += 10_000) {
      const rows = Array.from({ length: 10_000 }, (_, index) => [from + index, 500 * S] as const);
      suspected += recent.suspects([batch(rows)], null)?.size ?? 0;
    }
    expect(suspected).toBeLessThan(10);
  });
});
