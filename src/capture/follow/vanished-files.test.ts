import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { readToEnd } from '../../../test/capture-reading.ts';
import { FakeFiles } from '../../../test/fake-files.ts';
import { beginFollowing, capture, follow, told } from '../../../test/follow-run.ts';

describe('files that are gone before they were read', () => {
  it('counts those that were overwritten while they waited', async () => {
    const files = new FakeFiles();
    files.append('t0', capture(1));
    files.append('t1', capture(2));
    const { source, clock } = await beginFollowing(files, ['t?'], { fromStart: true, idleMs: 1000 });
    files.overwrite('t1', capture(3));
    const { packets: seen } = await readToEnd(source, clock);
    expect(seen.map(({ frame }) => frame[0])).toEqual([1, 3]);
    expect(source.report).toMatchObject({ vanished: 1, files: 2 });
  });

  it('counts a file that was listed and gone before it was looked at, once', async () => {
    const files = new FakeFiles();
    files.append('t0', capture(1));
    files.script(() => files.stale.add('t1'));
    const result = await follow(files, ['t?']);
    expect(result.source.report.vanished).toBe(1);
    expect(told(result)).toEqual(['t1: was gone before it could be read']);
  });

  it('does not count one that was read, when it is gone between listing and looking', async () => {
    const files = new FakeFiles();
    files.append('t0', capture(1));
    files.script(
      () => files.append('t1', capture(2)),
      () => {},
      () => {
        files.remove('t0');
        files.stale.add('t0');
      },
    );
    const { marks, source } = await follow(files, ['t?']);
    expect(marks).toEqual([1, 2]);
    expect(source.report.vanished).toBe(0);
  });

  it('does not count a file whose compressed copy is there, and reads that', async () => {
    const files = new FakeFiles();
    files.append('t1', capture(2).subarray(0, 30));
    files.append('t0', capture(1));
    files.script(() => {
      files.remove('t1');
      files.append('t1.gz', gzipSync(capture(2)));
    });
    const { marks, source } = await follow(files, ['t*'], { fromStart: true });
    expect(marks).toEqual([1, 2]);
    expect(source.report).toMatchObject({ vanished: 0, copies: 0 });
  });
});
