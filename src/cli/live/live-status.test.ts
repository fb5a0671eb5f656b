import { describe, expect, it } from 'vitest';
import { displayWidth } from '../../report/terminal-text.ts';
import { readBudgets } from './budgets.ts';
import { LiveMeter, type LiveStatus, liveStatusText } from './live-status.ts';

const STATUS: LiveStatus = {
  elapsedNs: 151.4e9,
  packets: 1_000_000,
  exchanges: 100_000,
  packetsPerSecond: 12_345,
  exchangesPerSecond: 1_234,
  dropped: 0,
  droppedShare: 0,
  ringShare: 0.031,
  memoryBytes: 142e6,
  memoryBudgetBytes: 512e6,
  cpuCores: 0.34,
  cpuBudgetCores: 2,
};

describe('the status line', () => {
  it('has budgets and all where there is room', () => {
    expect(liveStatusText(STATUS, 200)).toBe(
      '2 min 31 s  12,345 packets/s  1,234 exchanges/s  0 dropped  ring 3 %  memory 142 MB of 512 MB  CPU 17 % of 2 cores',
    );
  });

  it('fits into 80 columns, with what was dropped, memory and processor', () => {
    expect(liveStatusText(STATUS, 79)).toBe(
      '12,345 packets/s  1,234 exchanges/s  0 dropped  ring 3 %  142 MB (28 %)  CPU 17 %'.replace(
        '  ring 3 %',
        '',
      ),
    );
    const worst = { ...STATUS, packetsPerSecond: 912_345, exchangesPerSecond: 91_234 };
    for (const dropped of [0, 1, 123_456_789]) {
      const text = liveStatusText({ ...worst, dropped, droppedShare: dropped === 0 ? 0 : 0.123 }, 79);
      expect(displayWidth(text), text).toBeLessThanOrEqual(79);
      expect(text).toMatch(/dropped/);
      expect(text).toMatch(/142 MB.*CPU 17 %/);
    }
  });

  it('says that a driver cannot tell, and never 0 for a little', () => {
    expect(liveStatusText({ ...STATUS, dropped: null, droppedShare: null }, 200)).toContain('drops unknown');
    expect(liveStatusText({ ...STATUS, dropped: 1, droppedShare: 1e-6 }, 200)).toContain('1 dropped (<1 %)');
  });
});

describe('the meter', () => {
  it('gives rates of the last second or so, not of the whole run', () => {
    let ms = 0;
    let cpuMs = 0;
    let exchanges = 0;
    const facts = [{ packets: 0 }] as unknown as ConstructorParameters<
      typeof LiveMeter
    >[0]['source']['facts'];
    const meter = new LiveMeter({
      source: {
        facts,
        counters: {
          ...{ received: 1000, dropped: 250, freezes: 0, loopbackCopies: 0 },
          ...{ ringUsedBytes: 16, ringBytes: 64 },
        },
      },
      exchanges: () => exchanges,
      now: () => ms,
      cost: () => ({ memoryBytes: 5, cpuMs }),
      budgets: { memoryBytes: 10, cores: 2 },
    });
    const step = (packets: number, perTick: number, busyMs: number): void => {
      ms += 100;
      (facts[0] as { packets: number }).packets += packets;
      exchanges += perTick;
      cpuMs += busyMs;
      meter.tick();
    };
    for (let tick = 0; tick < 100; tick++) step(1000, 10, 90);
    for (let tick = 0; tick < 20; tick++) step(100, 1, 10);
    const status = meter.status();
    expect(status.packetsPerSecond).toBeCloseTo(1000);
    expect(status.exchangesPerSecond).toBeCloseTo(10);
    expect(status.cpuCores).toBeCloseTo(0.1);
    expect(status).toMatchObject({ elapsedNs: 12e9, packets: 102_000, exchanges: 1020 });
    expect(status).toMatchObject({ dropped: 250, droppedShare: 0.25, ringShare: 0.25 });
  });
});

describe('budgets', () => {
  it.each([
    [{ '/sys/fs/cgroup/cpu.max': '50000 100000' }, 0.5],
    [
      {
        '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '25000',
        '/sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000',
      },
      0.25,
    ],
  ])('reads the quota of the control group from %j', (files: Record<string, string>, cores) => {
    expect(readBudgets((path) => files[path] ?? null).cores).toBe(cores);
  });

  it.each([
    [{ '/sys/fs/cgroup/cpu.max': 'max 100000' }],
    [{ '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '-1', '/sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000' }],
    [{}],
  ])('is the whole machine for %j', (files: Record<string, string>) => {
    const { cores, memoryBytes } = readBudgets((path) => files[path] ?? null);
    expect(Number.isInteger(cores) && cores >= 1).toBe(true);
    expect(memoryBytes).toBeGreaterThan(0);
  });
});
