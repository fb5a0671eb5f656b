import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { pcapFile, type RecordedPacket } from '../../../fixtures/build/capture-file.ts';
import { START_NS } from '../../../test/capture-arbitraries.ts';
import { readToEnd } from '../../../test/capture-reading.ts';
import { LIMITS } from '../../model/limits.ts';
import { followCaptures } from './follow.ts';
import { type FileWatch, nodeFileWatch } from './watch.ts';

let folder = '';
const place = (name: string): string => path.join(folder, name);
beforeEach(() => {
  folder = fs.mkdtempSync(path.join(tmpdir(), 'wirelens-follow-'));
});
afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));

/** The real file system, in which the next step happens with every wait, and time passes only then. */
function scripted(steps: (() => void)[]): FileWatch {
  const real = nodeFileWatch();
  let clockMs = 0;
  return {
    list: (directory) => real.list(directory),
    facts: (one) => real.facts(one),
    open: (one) => real.open(one),
    heed() {},
    wake() {},
    close: () => real.close(),
    nowMs: () => clockMs,
    async wait(ms) {
      clockMs += ms;
      steps.shift()?.();
    },
  };
}

const packet = (mark: number): RecordedPacket => ({
  timeNs: START_NS + BigInt(mark) * 1_000_000n,
  frame: Uint8Array.of(mark),
});
const capture = (...marks: number[]): Uint8Array => pcapFile(marks.map(packet));

async function followed(watch: FileWatch, target: string): Promise<number[]> {
  const clock = { epochSeconds: null };
  const source = await followCaptures([target], {
    clock,
    limits: LIMITS,
    pollMs: 100,
    mergeWaitMs: 200,
    fromStart: true,
    idleMs: 3000,
    watch,
  });
  return (await readToEnd(source, clock)).packets.map(({ frame }) => frame[0] as number);
}

describe('real files', () => {
  it('that grow, rotate, are truncated and used again, renamed and deleted', async () => {
    const steps = [
      () => fs.writeFileSync(place('t0'), capture(1, 2).subarray(0, 50)),
      () => fs.appendFileSync(place('t0'), capture(1, 2).subarray(50)),
      () => fs.writeFileSync(place('t1'), capture(3)),
      // The same inode, as tcpdump -W does it.
      () => fs.writeFileSync(place('t0'), capture(4, 5)),
      () => fs.renameSync(place('t1'), place('t1.old')),
      () => fs.writeFileSync(place('t1'), capture(6)),
      // A new inode under the old name.
      () => {
        fs.rmSync(place('t0'));
        fs.writeFileSync(place('t0'), capture(7));
      },
      () => fs.rmSync(place('t1')),
      () => fs.symlinkSync('t0', place('t-latest')),
      () => fs.writeFileSync(place('t2'), capture(8)),
    ];
    expect(await followed(scripted(steps), place('t*'))).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(steps).toEqual([]);
  });

  it('are compared by content when an inode number comes back', async () => {
    const steps = [
      () => fs.writeFileSync(place('a'), capture(1)),
      () => {},
      () => {
        // Most file systems give the number of the deleted file to the next one.
        fs.rmSync(place('a'));
        fs.writeFileSync(place('b'), capture(2));
      },
      () => {
        fs.rmSync(place('b'));
        fs.writeFileSync(place('c'), capture(3));
      },
    ];
    expect(await followed(scripted(steps), folder)).toEqual([1, 2, 3]);
  });
});

describe('the wait', () => {
  it('ends when somebody wakes it, and is shortened by a change', async () => {
    const watch = nodeFileWatch();
    const woken = watch.wait(3_600_000);
    watch.wake();
    await woken;
    watch.heed(folder);
    const changed = watch.wait(3_600_000);
    // Told again and again, because the system may begin to tell only after a while.
    const timer = setInterval(() => fs.writeFileSync(place('x'), String(Math.random())), 20);
    await changed;
    clearInterval(timer);
    watch.close();
  });

  it('bears directories that cannot be watched', async () => {
    const watch = nodeFileWatch();
    watch.heed(place('missing'));
    await watch.wait(1);
    watch.close();
  });
});
