import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DropWindows } from './drop-windows.ts';

function windowsOf(...list: readonly (readonly [fromNs: number, toNs: number])[]): DropWindows {
  const windows = new DropWindows();
  for (const [fromNs, toNs] of list) windows.add(fromNs, toNs);
  return windows;
}

describe('windows of time in which packets were dropped', () => {
  it('touch what was under way within them, and nothing else', () => {
    const windows = windowsOf([200, 300]);
    expect(windows.touched(0, 200)).toBe(false);
    expect(windows.touched(0, 201)).toBe(true);
    expect(windows.touched(250, 260)).toBe(true);
    expect(windows.touched(300, 350)).toBe(true);
    expect(windows.touched(301, 400)).toBe(false);
    expect(windows.touched(0, Number.POSITIVE_INFINITY)).toBe(true);
  });

  it('answer with one comparison while nothing is dropped', () => {
    const windows = windowsOf();
    expect(windows.latestNs).toBe(Number.NEGATIVE_INFINITY);
    expect(windows.touched(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY)).toBe(false);
  });

  it('are one where drops go on', () => {
    const windows = windowsOf([100, 200], [200, 300], [400, 500]);
    expect(windows.count).toBe(2);
    expect(windows.touched(301, 399)).toBe(false);
  });

  it('stay few, and then say too much rather than too little', () => {
    const windows = new DropWindows();
    const model: [number, number][] = [];
    for (let now = 0; now < 20_000; now += 30) {
      model.push([now - 10, now]);
      windows.add(now - 10, now);
    }
    expect(windows.count).toBeLessThanOrEqual(256);
    for (const [from, to] of model) expect(windows.touched(from + 1, to)).toBe(true);
    // The latest ones are exact.
    expect(windows.touched(20_000, 30_000)).toBe(false);
  });

  it('agree with a list of all of them, in whatever order they come', () => {
    const one = fc.tuple(fc.nat(400), fc.integer({ min: 1, max: 40 }));
    fc.assert(
      fc.property(fc.array(one, { maxLength: 60 }), fc.nat(400), fc.nat(60), (list, start, length) => {
        const all = list.map(([from, span]) => [from, from + span] as const);
        const windows = windowsOf(...all);
        const expected = all.some(([from, to]) => start <= to && start + length > from);
        expect(windows.touched(start, start + length)).toBe(expected);
        expect(windows.latestNs).toBe(Math.max(Number.NEGATIVE_INFINITY, ...all.map(([, to]) => to)));
      }),
    );
  });
});
