import { describe, expect, it } from 'vitest';
import { pcapngFile } from '../../../fixtures/build/capture-file.ts';
import { FakeFiles } from '../../../test/fake-files.ts';
import { capture, follow, nothing, packets, records } from '../../../test/follow-run.ts';

describe('files that follow each other', () => {
  it('goes on in the next file', async () => {
    const files = new FakeFiles();
    files.append('trace', capture(1, 2));
    files.script(
      () => files.append('trace', records(3)),
      () => files.append('trace1', capture(4)),
      () => files.append('trace1', records(5)),
      () => files.append('trace2', capture(6)),
    );
    const { marks, paths, source } = await follow(files, ['trace*']);
    expect(marks).toEqual([1, 2, 3, 4, 5, 6]);
    expect(paths).toEqual(['trace', 'trace1', 'trace2']);
    expect(source.report.late).toBe(0);
  });

  it('reads what came into the old file just before the new one began', async () => {
    const files = new FakeFiles();
    files.append('t0', capture(1));
    files.script(() => {
      files.append('t0', records(2, 3));
      files.append('t1', capture(4, 5));
    });
    const { marks, source } = await follow(files, ['t?']);
    expect(marks).toEqual([1, 2, 3, 4, 5]);
    expect(source.report.late).toBe(0);
  });

  it('keeps the interface number, so that a packet sent again is not taken for a second sighting', async () => {
    const files = new FakeFiles();
    files.append('t0', pcapngFile(packets(1)));
    files.script(() => files.append('t1', pcapngFile(packets(2))));
    const { source } = await follow(files, ['t?']);
    expect(source.facts.map(({ interfaces }) => interfaces.map(({ number }) => number))).toEqual([[0], [0]]);
  });

  it('reads only the newest of the files that are there, and the others when they grow', async () => {
    const files = new FakeFiles();
    files.append('t1', capture(1));
    files.append('t10', capture(10));
    files.append('t2', capture(2));
    files.script(
      () => {},
      () => files.append('t2', records(20)),
    );
    const { marks, source } = await follow(files, ['t*']);
    expect(marks).toEqual([10, 2, 20]);
    expect(source.report).toMatchObject({ leftOut: 2, files: 2, late: 1 });
  });

  it('reads all of them from the start, by their first packets', async () => {
    const files = new FakeFiles();
    files.append('a', capture(3, 4));
    files.append('b', capture(1, 2));
    files.append('c', capture(5));
    const { marks, source, paths } = await follow(files, ['?'], { fromStart: true });
    expect(marks).toEqual([1, 2, 3, 4, 5]);
    expect(paths).toEqual(['b', 'a', 'c']);
    expect(source.report.leftOut).toBe(0);
  });

  it('merges by time where they overlap', async () => {
    const files = new FakeFiles();
    files.append('a', capture(1, 4, 5));
    files.append('b', capture(2, 3, 6));
    expect((await follow(files, ['?'], { fromStart: true })).marks).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('marks a packet without its end as damage once another file has followed', async () => {
    const files = new FakeFiles();
    files.append('t0', capture(1, 2).subarray(0, -1));
    files.script(() => files.append('t1', capture(3)));
    const { marks, source } = await follow(files, ['t?']);
    expect(marks).toEqual([1, 3]);
    expect(source.facts[0]?.damage?.what).toContain('ends in the middle of packet 2');
    expect(source.facts[1]?.damage).toBeNull();
  });

  it('goes on with an old file that grows after all', async () => {
    const files = new FakeFiles();
    files.append('t0', capture(1));
    files.script(
      () => files.append('t1', capture(2)),
      ...nothing(30),
      () => files.append('t0', records(3).subarray(0, 5)),
      ...nothing(30),
      () => files.append('t0', records(3).subarray(5)),
    );
    expect((await follow(files, ['t?'])).marks).toEqual([1, 2, 3]);
  });
});
