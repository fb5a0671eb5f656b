import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { body, drained, positionOf, segmentsOf, spoolPlace, textOf } from '../../../test/spool-directory.ts';

const { fresh, logged, open } = spoolPlace();

describe('a spool', () => {
  it('removes no segment before its position is on the disk', async () => {
    // Batches are settled at every moment while the disk is at work.
    for (let turns = 0; turns < 12; turns += 1) {
      const directory = fresh();
      const spool = await open(directory, 8_000);
      for (const text of ['a', 'b', 'c']) {
        spool.append({ rows: 1, body: body(text, 1500) });
        await spool.settled();
      }
      const [name] = segmentsOf(directory);
      await spool.take();
      let working = true;
      const work = spool.settled().finally(() => {
        working = false;
      });
      for (let turn = 0; working; turn += 1) {
        if (turn === turns) spool.settle(['sent']);
        await new Promise((resolve) => setImmediate(resolve));
        if (!segmentsOf(directory).includes(name as string)) expect(positionOf(directory).done).toBe(1);
      }
      await work;
      await spool.close();
    }
  });

  it('leaves out what is damaged in the middle, and counts it exactly', async () => {
    const directory = fresh();
    const spool = await open(directory);
    for (const text of ['a', 'b', 'c', 'd']) spool.append({ rows: 10, body: body(text, 500) });
    await spool.close();
    const file = path.join(directory, segmentsOf(directory)[0] as string);
    const bytes = readFileSync(file);
    // The second body, and the third header.
    const record = bytes.length / 4;
    bytes[record + 100] ^= 1;
    bytes[2 * record + 20] ^= 1;
    writeFileSync(file, bytes);
    const again = await open(directory);
    expect(logged()).toContain('a part of the spool is torn or damaged and was left out');
    expect(await drained(again)).toEqual(['a', 'd']);
    expect(again.counts).toMatchObject({ sent: 20, damaged: 20, waitingRows: 0 });
    await again.close();
  });

  it('sends everything again under the same numbers when only the position was lost', async () => {
    const directory = fresh();
    const spool = await open(directory);
    for (const text of ['a', 'b']) spool.append({ rows: 3, body: body(text) });
    await spool.settled();
    await spool.take();
    spool.settle(['sent']);
    await spool.close();
    writeFileSync(path.join(directory, 'position'), 'x'.repeat(512));
    const again = await open(directory);
    again.append({ rows: 1, body: body('new') });
    await again.settled();
    const taken: [number, string][] = [];
    for (let [batch] = await again.take(); batch !== undefined; [batch] = await again.take()) {
      taken.push([batch.number, textOf(batch.body)]);
      again.settle(['sent']);
    }
    expect(taken.slice(0, 2)).toEqual([
      [1, 'a'],
      [2, 'b'],
    ]);
    expect(taken[2]?.[1]).toBe('new');
    // Far above whatever may have been used and forgotten.
    expect(taken[2]?.[0]).toBeGreaterThan(100_000);
    await again.close();
  });
});
