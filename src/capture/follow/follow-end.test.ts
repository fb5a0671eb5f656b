import { describe, expect, it } from 'vitest';
import { readToEnd } from '../../../test/capture-reading.ts';
import { FakeFiles } from '../../../test/fake-files.ts';
import { beginFollowing, capture, follow, nothing, records } from '../../../test/follow-run.ts';

describe('the end', () => {
  it('comes when nothing has grown for the idle time, not before', async () => {
    const files = new FakeFiles();
    files.append('t', capture(1));
    files.script(...nothing(4), () => files.append('t', records(2)));
    expect((await follow(files, ['t'], { idleMs: 700 })).marks).toEqual([1]);
    const patient = new FakeFiles();
    patient.append('t', capture(1));
    patient.script(...nothing(4), () => patient.append('t', records(2)));
    expect((await follow(patient, ['t'], { idleMs: 1100 })).marks).toEqual([1, 2]);
  });

  it.each([
    [false, [1]],
    [true, [1, 2, 3]],
  ])('comes when it is asked for (with the rest: %s)', async (readRest, expected) => {
    const files = new FakeFiles();
    files.append('t', capture(1));
    const { source, clock } = await beginFollowing(files, ['t?', 't'], { idleMs: null });
    files.script(() => {
      files.append('t', records(2));
      files.append('t2', capture(3));
      source.stop(readRest);
    });
    const { packets: seen } = await readToEnd(source, clock);
    expect(seen.map(({ frame }) => frame[0])).toEqual(expected);
  });
});
