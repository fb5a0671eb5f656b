import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { FakeFiles } from '../../../test/fake-files.ts';
import { capture, follow, nothing, records } from '../../../test/follow-run.ts';

describe('compressed files', () => {
  it('does not read the compressed copy of a file that was read', async () => {
    const files = new FakeFiles();
    files.append('t0', capture(1));
    files.script(
      () => files.append('t1', capture(2)),
      () => files.append('t0.gz', gzipSync(capture(1)).subarray(0, 10)),
      () => files.append('t0.gz', gzipSync(capture(1)).subarray(10)),
      () => files.remove('t0'),
    );
    const { marks, source } = await follow(files, ['t*']);
    expect(marks).toEqual([1, 2]);
    expect(source.report).toMatchObject({ copies: 1, vanished: 0, files: 2 });
  });

  it('reads a compressed file whose original was never there', async () => {
    const files = new FakeFiles();
    files.append('t0', capture(1));
    files.script(() => files.append('t1.gz', gzipSync(capture(2, 3))));
    expect((await follow(files, ['t*'])).marks).toEqual([1, 2, 3]);
  });

  it('gives no packet twice when a compressed file grows after it was read', async () => {
    const whole = [gzipSync(capture(1, 2)), gzipSync(records(3))];
    const files = new FakeFiles();
    files.append('t.gz', whole[0] as Uint8Array);
    files.script(...nothing(20), () => files.append('t.gz', whole[1] as Uint8Array));
    expect((await follow(files, ['t.gz'])).marks).toEqual([1, 2, 3]);
  });
});
