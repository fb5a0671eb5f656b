import { mkdirSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { body, drained, positionOf, segmentsOf, spoolPlace } from '../../../test/spool-directory.ts';

const { fresh, logged, open } = spoolPlace();

describe('a spool', () => {
  it('drops the oldest segment when it is full, and counts its exchanges', async () => {
    const directory = fresh();
    const spool = await open(directory, 64_000);
    for (let index = 0; index < 100; index += 1) {
      spool.append({ rows: 7, body: body(`${index}`, 1000) });
      await spool.settled();
    }
    const { counts } = spool;
    expect(counts.fileBytes).toBeLessThanOrEqual(64_000);
    expect(counts.droppedFull).toBeGreaterThan(0);
    expect(counts.droppedFull + counts.waitingRows).toBe(700);
    expect(
      segmentsOf(directory).reduce((sum, name) => sum + statSync(path.join(directory, name)).size, 0),
    ).toBe(counts.fileBytes);
    const left = await drained(spool);
    expect(left.at(-1)).toBe('99');
    expect(left).toEqual(Array.from({ length: left.length }, (_, index) => `${100 - left.length + index}`));
    expect(logged().filter((line) => line.includes('the spool is full'))).toHaveLength(1);
    await spool.close();
    const { sent, dropped, doneRows } = positionOf(directory);
    expect(sent + dropped).toBe(700);
    expect(doneRows).toBe(700);
  });

  it('counts a batch that was dropped while it was sent by what became of it', async () => {
    for (const arrived of [true, false]) {
      const directory = fresh();
      const spool = await open(directory, 16_000);
      spool.append({ rows: 5, body: body('in hand', 1000) });
      await spool.settled();
      await spool.take();
      for (let index = 0; index < 30; index += 1) {
        spool.append({ rows: 1, body: body(`${index}`, 1000) });
        await spool.settled();
      }
      expect(spool.counts.droppedFull + spool.counts.waitingRows).toBe(35);
      const before = spool.counts.droppedFull;
      spool.settle(arrived ? ['sent'] : []);
      expect(spool.counts.sent).toBe(arrived ? 5 : 0);
      expect(spool.counts.droppedFull).toBe(arrived ? before : before + 5);
      expect(await drained(spool)).not.toContain('in hand');
      expect(spool.counts.droppedFull + spool.counts.sent).toBe(35);
      await spool.close();
    }
  });

  it('goes on while nothing can be written, and loses no more than does not fit into memory', async () => {
    const directory = fresh();
    const spool = await open(directory, 1024 * 1024, 10_000);
    spool.append({ rows: 1, body: body('before') });
    await spool.settled();
    await drained(spool);
    await spool.settled();
    // The next segment cannot be made, and what is in the open one cannot be found again.
    rmSync(directory, { recursive: true });
    for (let index = 0; index < 20; index += 1)
      spool.append({ rows: 2, body: body(`${index}`, 200_000 / 20) });
    for (let index = 0; index < 20; index += 1) spool.append({ rows: 2, body: body(`late ${index}`, 1000) });
    await spool.settled();
    expect(spool.failure).toContain('ENOENT');
    const { waitingRows, droppedUnwritten } = spool.counts;
    expect(waitingRows).toBeGreaterThan(0);
    expect(waitingRows + droppedUnwritten).toBe(80);
    mkdirSync(directory);
    await spool.settled();
    expect(spool.failure).toBeNull();
    const left = await drained(spool);
    expect(left.at(-1)).toBe('late 19');
    expect(spool.counts).toMatchObject({ waitingRows: 0, droppedUnwritten });
    expect(spool.counts.sent + spool.counts.damaged + droppedUnwritten).toBe(81);
    expect(logged().filter((line) => line.startsWith('the spool c'))).toEqual([
      'the spool cannot be written; exchanges wait in memory',
      'the spool can be written again',
    ]);
    await spool.close();
  });
});
