import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { body, drained, positionOf, segmentsOf, spoolPlace, textOf } from '../../../test/spool-directory.ts';

const { fresh, open, root } = spoolPlace();

describe('a spool', () => {
  it('hands out batches in order, again after a restart, and forgets what was sent', async () => {
    const directory = fresh();
    const first = await open(directory);
    for (const text of ['a', 'b', 'c']) first.append({ rows: 10, body: body(text, 100) });
    await first.settled();
    expect(first.counts).toMatchObject({ waitingBatches: 3, waitingRows: 30, sent: 0 });
    const [batch, ...others] = await first.take(2);
    expect([batch?.number, batch?.rows, textOf(batch?.body as Buffer)]).toEqual([1, 10, 'a']);
    expect(others.map(({ number }) => number)).toEqual([2]);
    // The second one will come again.
    first.settle(['sent']);
    await first.take();
    first.settle([]);
    await first.close();

    const second = await open(directory);
    expect(second.stream).toBe(first.stream);
    expect(second.counts).toMatchObject({ waitingBatches: 2, waitingRows: 20, sent: 0, damaged: 0 });
    second.append({ rows: 1, body: body('d') });
    await second.settled();
    expect(await drained(second)).toEqual(['b', 'c', 'd']);
    expect(second.counts).toMatchObject({ waitingBatches: 0, waitingRows: 0, waitingBytes: 0, sent: 21 });
    await second.close();
    expect(positionOf(directory)).toMatchObject({ sent: 31, done: 4, writtenRows: 31, doneRows: 31 });

    const third = await open(directory);
    expect(segmentsOf(directory)).toEqual([]);
    third.append({ rows: 1, body: body('e') });
    await third.settled();
    // Whatever is on the disk, a number that was used is not used again.
    expect((await third.take())[0]?.number).toBe(5);
    await third.close();
  });

  it('is for one agent', async () => {
    const directory = fresh();
    const spool = await open(directory);
    await expect(open(directory)).rejects.toMatchObject({ code: 'spool-in-use', name: 'UserError' });
    await spool.close();
    await (await open(directory)).close();
  });

  it('refuses a directory that cannot be one, with a word about what to do', async () => {
    const file = path.join(root, 'file');
    writeFileSync(file, '');
    await expect(open(file)).rejects.toMatchObject({
      name: 'UserError',
      code: 'spool',
      place: { file },
      hint: expect.stringContaining('--spool'),
    });
  });
});
