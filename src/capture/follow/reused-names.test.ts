import { describe, expect, it } from 'vitest';
import { FakeFiles } from '../../../test/fake-files.ts';
import { capture, follow, records, told } from '../../../test/follow-run.ts';

describe('names that are used again', () => {
  const ring = (change: 'overwrite' | 'replace'): FakeFiles => {
    const files = new FakeFiles();
    files.append('t0', capture(1));
    return files.script(
      () => files.append('t1', capture(2)),
      () => files[change]('t0', capture(3)),
      () => files[change]('t1', capture(4)),
      () => files[change]('t0', capture(5, 6)),
    );
  };

  it.each(['overwrite', 'replace'] as const)(
    'takes the new content for the next file (%s)',
    async (change) => {
      const { marks, paths, source } = await follow(ring(change), ['t?']);
      expect(marks).toEqual([1, 2, 3, 4, 5, 6]);
      expect(paths).toEqual(['t0', 't1', 't0', 't1', 't0']);
      expect(source.report).toMatchObject({ files: 5, vanished: 0, damaged: 0 });
      expect(source.facts.every(({ damage }) => damage === null)).toBe(true);
    },
  );

  it('notices new content that is as long as the old one', async () => {
    const files = new FakeFiles();
    files.append('t', capture(1, 2));
    files.script(
      () => {},
      () => files.overwrite('t', capture(3, 4)),
    );
    expect((await follow(files, ['t'])).marks).toEqual([1, 2, 3, 4]);
  });

  it('notices longer new content and does not read on in the middle of it', async () => {
    const files = new FakeFiles();
    files.append('t', capture(1, 2));
    files.script(
      () => {},
      () => files.overwrite('t', capture(3, 4, 5, 6, 7)),
    );
    const { marks, source } = await follow(files, ['t']);
    expect(marks).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(source.report.damaged).toBe(0);
  });

  it('tells how much of a file was lost when it was overwritten too early', async () => {
    const files = new FakeFiles();
    files.append('t', capture(1, 2).subarray(0, -1));
    files.script(
      () => {},
      () => files.overwrite('t', capture(3)),
    );
    const result = await follow(files, ['t']);
    expect(result.marks).toEqual([1, 3]);
    // The second record without its last byte: 16 bytes of header.
    expect(told(result)).toEqual([
      't: it was overwritten before it was read to its end: at least 16 bytes are lost',
    ]);
    expect(result.source.facts[0]?.damage?.packet).toBe(1);
  });

  it('follows a file that is renamed within the pattern, without reading it twice', async () => {
    const files = new FakeFiles();
    files.append('t', capture(1));
    files.script(
      () => {},
      () => {
        files.rename('t', 't.1');
        files.append('t.1', records(2));
        files.append('t', capture(3));
      },
    );
    const { marks, source } = await follow(files, ['t*']);
    expect(marks).toEqual([1, 2, 3]);
    expect(source.report.files).toBe(2);
  });

  it('reads a deleted file to its end', async () => {
    const files = new FakeFiles();
    files.append('t0', capture(1));
    files.script(
      () => {},
      () => {
        files.append('t0', records(2));
        files.remove('t0');
        files.append('t1', capture(3));
      },
    );
    const { marks, source } = await follow(files, ['t?']);
    expect(marks).toEqual([1, 2, 3]);
    expect(source.report.vanished).toBe(0);
  });
});
