import { describe, expect, it } from 'vitest';
import { FakeFiles } from '../../../test/fake-files.ts';
import { capture, follow, nothing, records } from '../../../test/follow-run.ts';

describe('files of several recorders', () => {
  it('orders packets by time as long as they come within the merge wait', async () => {
    const files = new FakeFiles();
    files.append('a', capture(1));
    files.append('b', capture(2));
    files.script(
      () => files.append('a', records(4)),
      () => files.append('b', records(3)),
      () => files.append('b', records(6)),
      () => files.append('a', records(5)),
    );
    const { marks, source } = await follow(files, ['a', 'b'], { pollMs: 100, mergeWaitMs: 250 });
    expect(marks).toEqual([1, 2, 3, 4, 5, 6]);
    expect(source.report.late).toBe(0);
  });

  it('does not wait longer, and counts what came too late', async () => {
    const files = new FakeFiles();
    files.append('a', capture(1));
    files.append('b', capture(2));
    files.script(
      () => files.append('a', records(4)),
      ...nothing(10),
      () => files.append('b', records(3)),
    );
    const { marks, source } = await follow(files, ['a', 'b'], { pollMs: 100, mergeWaitMs: 250 });
    expect(marks).toEqual([1, 2, 4, 3]);
    expect(source.report.late).toBe(1);
  });

  it('gives interfaces of files that overlap in time numbers of their own', async () => {
    const files = new FakeFiles();
    files.append('d/a', capture(1, 3));
    files.append('d/b', capture(2, 4));
    const { source } = await follow(files, ['d'], { fromStart: true });
    expect(source.facts.map(({ interfaces }) => interfaces[0]?.number)).toEqual([0, 1]);
  });
});
