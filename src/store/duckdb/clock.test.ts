import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import { batchOf, EPOCH_US, origin, row } from '../../../test/store/server-rows.ts';
import { Engine } from './engine.ts';

const directory = mkdtempSync(path.join(tmpdir(), 'wirelens-clock-'));
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(directory, { recursive: true, force: true });
});

const open = (): Promise<Engine> =>
  Engine.open({
    directory,
    memoryBytes: 128 * 1024 * 1024,
    maxAgeSeconds: null,
    maxBytes: null,
    diskReserveBytes: 0,
    log: () => {},
    committed: () => {},
  });

it('the time of receipt never goes back when the clock does, also over a restart', async () => {
  // Retention deletes from the oldest row on, and relies upon it.
  const nowMs = EPOCH_US / 1000;
  const clock = vi.spyOn(Date, 'now');
  const received: unknown[] = [];
  let engine = await open();
  for (const [index, steppedMs] of [0, -3_600_000, -1, 5, 'restart', -60_000, 6].entries()) {
    if (steppedMs === 'restart') {
      await engine.close();
      engine = await open();
      continue;
    }
    clock.mockReturnValue(nowMs + Number(steppedMs));
    await engine.append(batchOf([row({ started_ns: index })]), origin('a'), null, 1000);
    received.push((await engine.get(String(received.length + 1)))?.exchange.received_us);
  }
  await engine.close();
  expect(received.map((us) => Number(us) - EPOCH_US)).toEqual([0, 0, 0, 5000, 5000, 6000]);
});
