import { describe, expect, it } from 'vitest';
import { FakeFiles } from '../../../test/fake-files.ts';
import { capture, follow, told } from '../../../test/follow-run.ts';
import { UserError } from '../../model/errors.ts';

describe('what is not a capture', () => {
  it('is told once and left out in a directory', async () => {
    const files = new FakeFiles();
    files.append('d/notes.txt', new TextEncoder().encode('what I saw in this capture, and when\n'));
    files.append('d/t0', capture(1));
    files.script(
      () => files.append('d/notes.txt', Uint8Array.of(10)),
      () => files.append('d/t1', capture(2)),
    );
    const result = await follow(files, ['d']);
    expect(result.marks).toEqual([1, 2]);
    expect(told(result)).toEqual(['d/notes.txt: is text, not a capture; it is left out']);
  });

  it('is an error where it is the one file that was named', async () => {
    const files = new FakeFiles();
    files.append('notes.txt', new TextEncoder().encode('what I saw in this capture, and when\n'));
    await expect(follow(files, ['notes.txt'])).rejects.toThrow(UserError);
    expect(files.closed).toBe(true);
  });

  it('is read when a capture takes its place', async () => {
    const files = new FakeFiles();
    files.append(
      'd/a',
      new TextEncoder().encode('this is a text that is longer than a capture would be, by far, it goes on'),
    );
    files.script(
      () => {},
      () => files.overwrite('d/a', capture(1)),
    );
    expect((await follow(files, ['d'])).marks).toEqual([1]);
  });

  it('is not standard input', async () => {
    await expect(follow(new FakeFiles(), ['-'])).rejects.toThrow(/cannot be followed/);
  });
});

describe('permissions', () => {
  it('are told once and tried again', async () => {
    const files = new FakeFiles();
    files.append('t0', capture(1));
    files.script(
      () => {
        files.append('t1', capture(2));
        files.forbid('t1', true);
      },
      () => {},
      () => {},
      () => files.forbid('t1', false),
    );
    const result = await follow(files, ['t?']);
    expect(result.marks).toEqual([1, 2]);
    expect(told(result)).toEqual(['t1: permission denied; it is read as soon as that is allowed']);
  });
});
