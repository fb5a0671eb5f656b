import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ticksOf } from '../../fixtures/build/pcapng-blocks.ts';
import { InterfaceClock } from './interface-clock.ts';

const EPOCH = 1_700_000_000;
const DAYS_104_NS = 104n * 86_400n * 1_000_000_000n;

/** The obviously right way: everything in BigInt. */
function exactNs(ticks: bigint, resolution: number, offsetSeconds: bigint, epoch: number): bigint {
  const exponent = BigInt(resolution & 0x7f);
  const perSecond = resolution & 0x80 ? 2n ** exponent : 10n ** exponent;
  return (ticks * 1_000_000_000n) / perSecond + (offsetSeconds - BigInt(epoch)) * 1_000_000_000n;
}

const decimal = Array.from({ length: 20 }, (_, exponent) => exponent);
const binary = Array.from({ length: 64 }, (_, exponent) => 0x80 | exponent);

describe('times of a pcapng interface', () => {
  it('are exact to the nanosecond for every resolution, within 104 days of the epoch', async () => {
    const property = fc.property(
      fc.constantFrom(...decimal, ...binary),
      fc.bigInt({ min: -DAYS_104_NS, max: DAYS_104_NS }),
      fc.constantFrom(0n, 3600n, -7200n, 1_699_999_990n),
      (resolution, sinceEpochNs, offset) => {
        const wholeNs = BigInt(EPOCH) * 1_000_000_000n + sinceEpochNs;
        const ticks = ticksOf(wholeNs, { resolution, timeOffset: offset });
        if (ticks < 0n || ticks >= 1n << 64n) return; // not in the range of such a time stamp
        const clock = new InterfaceClock(resolution, offset);
        clock.setEpoch(EPOCH);
        const got = clock.nanoseconds(Number(ticks >> 32n), Number(ticks & 0xffff_ffffn));
        expect(BigInt(got)).toBe(exactNs(ticks, resolution, offset, EPOCH));
      },
    );
    await fc.assert(property, { numRuns: 5000 });
  });

  it('stay finite for any bytes', async () => {
    const word = fc.integer({ min: 0, max: 0xffff_ffff });
    const property = fc.property(
      fc.nat(255),
      fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n }),
      word,
      word,
      (resolution, offset, high, low) => {
        const clock = new InterfaceClock(resolution, offset);
        const seconds = clock.wholeSeconds(high, low);
        clock.setEpoch(seconds);
        expect(Number.isInteger(seconds)).toBe(true);
        expect(Number.isFinite(clock.nanoseconds(high, low))).toBe(true);
      },
    );
    await fc.assert(property, { numRuns: 2000 });
  });

  it('tell how many digits they have, nine at most', () => {
    const digits = [0, 3, 6, 9, 12, 0x80 | 10, 0x80 | 32].map((one) => new InterfaceClock(one, 0n).digits);
    expect(digits).toEqual([0, 3, 6, 9, 9, 4, 9]);
  });
});
