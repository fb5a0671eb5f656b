import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DropWindows } from './drop-windows.ts';

function observed(
  ...readings: readonly (readonly [nowNs: number | null, dropped: number | null])[]
): DropWindows {
  const windows = new DropWindows();
  for (const [nowNs, dropped] of readings) windows.observe({ counters: { dropped }, nowNs });
  return windows;
}

describe('windows of time in which packets were dropped', () => {
  it('touches what was under way between the two readings, and nothing else', () => {
    const windows = observed([100, 0], [200, 0], [300, 5], [400, 5]);
    expect(windows.touched(0, 200)).toBe(false);
    expect(windows.touched(0, 201)).toBe(true);
    expect(windows.touched(250, 260)).toBe(true);
    expect(windows.touched(300, 350)).toBe(true);
    expect(windows.touched(301, 400)).toBe(false);
    expect(windows.touched(0, Number.POSITIVE_INFINITY)).toBe(true);
  });

  it('answers with one comparison while nothing is dropped', () => {
    const windows = observed([100, 0], [200, 0]);
    expect(windows.latestNs).toBe(Number.NEGATIVE_INFINITY);
    expect(windows.touched(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY)).toBe(false);
  });

  it('knows nothing where the driver cannot tell', () => {
    expect(observed([100, null], [200, null]).touched(0, 1000)).toBe(false);
  });

  it('counts what was dropped before the first packet towards what comes first', () => {
    const windows = observed([null, 0], [null, 7], [1000, 7]);
    expect(windows.touched(500, 900)).toBe(true);
    expect(windows.touched(1001, 2000)).toBe(false);
  });

  it('makes one window of drops that go on', () => {
    const windows = observed([100, 0], [200, 1], [300, 2], [400, 2], [500, 3]);
    expect(windows.count).toBe(2);
    expect(windows.touched(301, 399)).toBe(false);
  });

  it('stays small, and then says too much rather than too little', () => {
    const windows = new DropWindows();
    const model: [number, number][] = [];
    let dropped = 0;
    for (let now = 0; now < 20_000; now += 10) {
      if (now % 30 === 0) {
        dropped += 1;
        model.push([now - 10, now]);
      }
      windows.observe({ counters: { dropped }, nowNs: now });
    }
    expect(windows.count).toBeLessThanOrEqual(256);
    for (const [from, to] of model) expect(windows.touched(from + 1, to)).toBe(true);
    // The latest ones are exact.
    expect(windows.touched(20_000, 30_000)).toBe(false);
  });

  it('agrees with a list of all windows', () => {
    const readings = fc.array(fc.tuple(fc.nat(9), fc.nat(2)), { maxLength: 60 });
    fc.assert(
      fc.property(readings, fc.nat(400), fc.nat(60), (steps, start, length) => {
        const windows = new DropWindows();
        const all: [number, number][] = [];
        let now = 0;
        let dropped = 0;
        let before = Number.NEGATIVE_INFINITY;
        for (const [pause, more] of steps) {
          now += pause;
          dropped += more;
          if (more > 0) all.push([before, now]);
          windows.observe({ counters: { dropped }, nowNs: now });
          before = now;
        }
        const expected = all.some(([from, to]) => start <= to && start + length > Math.min(from, to));
        expect(windows.touched(start, start + length)).toBe(expected);
      }),
    );
  });
});
