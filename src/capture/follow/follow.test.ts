import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pcapFile, pcapngFile, type RecordedPacket } from '../../../fixtures/build/capture-file.ts';
import { START_NS } from '../../../test/capture-arbitraries.ts';
import { readToEnd } from '../../../test/capture-reading.ts';
import { FakeFiles } from '../../../test/fake-files.ts';
import { UserError } from '../../model/errors.ts';
import { LIMITS } from '../../model/limits.ts';
import { followCaptures } from './follow.ts';
import type { FollowOptions } from './options.ts';
import type { FollowNotice } from './report.ts';
import type { FollowSource } from './source.ts';

/** A packet at `ms`, whose only byte is its mark. */
function packet(mark: number, ms = mark): RecordedPacket {
  return { timeNs: START_NS + BigInt(ms) * 1_000_000n, frame: Uint8Array.of(mark) };
}

const HEADER_BYTES = 24;
const packets = (...marks: number[]): RecordedPacket[] => marks.map((mark) => packet(mark));
const capture = (...marks: number[]): Uint8Array => pcapFile(packets(...marks));
/** Records without the file header. */
const records = (...marks: number[]): Uint8Array => capture(...marks).subarray(HEADER_BYTES);

interface Followed {
  readonly marks: number[];
  readonly source: FollowSource;
  readonly notices: FollowNotice[];
  readonly paths: string[];
}

async function follow(
  files: FakeFiles,
  targets: readonly string[],
  options: Partial<FollowOptions> = {},
): Promise<Followed> {
  const clock = { epochSeconds: null };
  const notices: FollowNotice[] = [];
  const source = await followCaptures(targets, {
    clock,
    limits: LIMITS,
    pollMs: 200,
    mergeWaitMs: 300,
    fromStart: false,
    idleMs: 10_000,
    watch: files,
    onNotice: (notice) => notices.push(notice),
    ...options,
  });
  const { packets: seen, facts } = await readToEnd(source, clock);
  expect(files.openCount).toBe(0);
  expect(files.closed).toBe(true);
  return {
    marks: seen.map(({ frame }) => frame[0] as number),
    source,
    notices,
    paths: facts.map(({ path }) => path),
  };
}

const told = ({ notices }: Followed): string[] => notices.map(({ path, text }) => `${path}: ${text}`);

describe('a file that grows', () => {
  it('waits for a record whose end is not there yet', async () => {
    const bytes = capture(1, 2, 3);
    const files = new FakeFiles();
    for (let at = 0; at < bytes.length; at++) {
      files.script(() => files.append('a.pcap', bytes.subarray(at, at + 1)));
    }
    const { marks, source } = await follow(files, ['a.pcap']);
    expect(marks).toEqual([1, 2, 3]);
    expect(source.facts).toHaveLength(1);
    expect(source.facts[0]?.damage).toBeNull();
    expect(source.report).toMatchObject({ files: 1, unfinished: 0 });
  });

  it('gives out what is there before it waits', async () => {
    const files = new FakeFiles();
    files.append('a.pcap', capture(1));
    const after: number[] = [];
    let given = 0;
    files.script(
      () => after.push(given),
      () => files.append('a.pcap', records(2)),
      () => after.push(given),
    );
    const source = await followCaptures(['a.pcap'], {
      clock: { epochSeconds: null },
      limits: LIMITS,
      pollMs: 200,
      mergeWaitMs: 300,
      fromStart: false,
      idleMs: 1000,
      watch: files,
    });
    do while (source.next()) given++;
    while (await source.more());
    expect(after).toEqual([1, 2]);
  });

  it('does not call an unfinished packet damage when reading ends', async () => {
    const files = new FakeFiles();
    files.append('a.pcap', capture(1, 2).subarray(0, -1));
    const { marks, source } = await follow(files, ['a.pcap']);
    expect(marks).toEqual([1]);
    expect(source.facts[0]?.damage).toBeNull();
    expect(source.report.unfinished).toBe(1);
  });

  it('tells at once of bytes that are no packets', async () => {
    const files = new FakeFiles();
    files.append('a.pcap', capture(1));
    files.script(() => files.append('a.pcap', new Uint8Array(40).fill(0xff)));
    const result = await follow(files, ['a.pcap']);
    expect(result.marks).toEqual([1]);
    expect(result.source.facts[0]?.damage).not.toBeNull();
    expect(told(result)).toEqual([expect.stringMatching(/^a\.pcap: packet 2 claims to have \d+ bytes/)]);
  });

  it('waits for a file that is not there yet', async () => {
    const files = new FakeFiles();
    files.script(
      () => {},
      () => files.append('a.pcap', capture(1)),
    );
    const result = await follow(files, ['a.pcap']);
    expect(result.marks).toEqual([1]);
    expect(told(result)).toEqual(['a.pcap: nothing to read yet']);
  });

  it('reads a packet larger than its buffer', async () => {
    const files = new FakeFiles();
    const large = pcapFile([{ ...packet(1), frame: new Uint8Array(5000).fill(1) }, packet(2)]);
    for (let at = 0; at < large.length; at += 700) {
      files.script(() => files.append('a.pcap', large.subarray(at, at + 700)));
    }
    expect((await follow(files, ['a.pcap'], { blockBytes: 64 })).marks).toEqual([1, 2]);
  });
});

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
      ...Array.from({ length: 30 }, () => () => {}),
      () => files.append('t0', records(3).subarray(0, 5)),
      ...Array.from({ length: 30 }, () => () => {}),
      () => files.append('t0', records(3).subarray(5)),
    );
    expect((await follow(files, ['t?'])).marks).toEqual([1, 2, 3]);
  });
});

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

describe('files that are gone before they were read', () => {
  it('counts those that were overwritten while they waited', async () => {
    const files = new FakeFiles();
    files.append('t0', capture(1));
    files.append('t1', capture(2));
    const clock = { epochSeconds: null };
    const source = await followCaptures(['t?'], {
      clock,
      limits: LIMITS,
      pollMs: 200,
      mergeWaitMs: 300,
      fromStart: true,
      idleMs: 1000,
      watch: files,
    });
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
    const { gzipSync } = await import('node:zlib');
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

describe('compressed files', () => {
  it('does not read the compressed copy of a file that was read', async () => {
    const { gzipSync } = await import('node:zlib');
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
    const { gzipSync } = await import('node:zlib');
    const files = new FakeFiles();
    files.append('t0', capture(1));
    files.script(() => files.append('t1.gz', gzipSync(capture(2, 3))));
    expect((await follow(files, ['t*'])).marks).toEqual([1, 2, 3]);
  });

  it('gives no packet twice when a compressed file grows after it was read', async () => {
    const { gzipSync } = await import('node:zlib');
    const whole = [gzipSync(capture(1, 2)), gzipSync(records(3))];
    const files = new FakeFiles();
    files.append('t.gz', whole[0] as Uint8Array);
    files.script(...Array.from({ length: 20 }, () => () => {}), () =>
      files.append('t.gz', whole[1] as Uint8Array),
    );
    expect((await follow(files, ['t.gz'])).marks).toEqual([1, 2, 3]);
  });
});

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
      ...Array.from({ length: 10 }, () => () => {}),
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

describe('the end', () => {
  it('comes when nothing has grown for the idle time, not before', async () => {
    const files = new FakeFiles();
    files.append('t', capture(1));
    files.script(...Array.from({ length: 4 }, () => () => {}), () => files.append('t', records(2)));
    expect((await follow(files, ['t'], { idleMs: 700 })).marks).toEqual([1]);
    const patient = new FakeFiles();
    patient.append('t', capture(1));
    patient.script(...Array.from({ length: 4 }, () => () => {}), () => patient.append('t', records(2)));
    expect((await follow(patient, ['t'], { idleMs: 1100 })).marks).toEqual([1, 2]);
  });

  it.each([
    [false, [1]],
    [true, [1, 2, 3]],
  ])('comes when it is asked for (with the rest: %s)', async (readRest, expected) => {
    const files = new FakeFiles();
    files.append('t', capture(1));
    const clock = { epochSeconds: null };
    const source = await followCaptures(['t?', 't'], {
      clock,
      limits: LIMITS,
      pollMs: 200,
      mergeWaitMs: 300,
      fromStart: false,
      idleMs: null,
      watch: files,
    });
    files.script(() => {
      files.append('t', records(2));
      files.append('t2', capture(3));
      source.stop(readRest);
    });
    const { packets: seen } = await readToEnd(source, clock);
    expect(seen.map(({ frame }) => frame[0])).toEqual(expected);
  });
});

describe('any cutting', () => {
  const marks = Array.from({ length: 12 }, (_, index) => index + 1);

  /** Ring, or numbered files; writes cut anywhere inside a file, or several at once; a file begins after its predecessor ended. */
  it('of a capture into files and writes gives the same packets', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 11 }), { maxLength: 4 }),
        fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 8 }),
        fc.array(fc.nat(3), { minLength: 1, maxLength: 8 }),
        fc.constantFrom('numbered', 'ring', 'pcapng'),
        fc.integer({ min: 1, max: 300 }),
        async (rotations, sizes, pauses, kind, blockBytes) => {
          const bounds = [0, ...new Set(rotations.sort((a, b) => a - b)), marks.length];
          const files = new FakeFiles();
          let turn = 0;
          for (let index = 0; index + 1 < bounds.length; index++) {
            const part = packets(...marks.slice(bounds[index], bounds[index + 1]));
            const bytes = kind === 'pcapng' ? pcapngFile(part) : pcapFile(part);
            const path = kind === 'ring' ? `t${index % 2}` : `t${index}`;
            if (kind === 'ring' && index >= 2) {
              // A ring is read as long as the reader comes by once a lap.
              files.script(
                () => {},
                () => files.overwrite(path, new Uint8Array(0)),
              );
            }
            for (let at = 0; at < bytes.length; turn++) {
              const size = sizes[turn % sizes.length] as number;
              const piece = bytes.subarray(at, at + size);
              files.script(() => files.append(path, piece));
              for (let pause = pauses[turn % pauses.length] as number; pause > 0; pause--)
                files.script(() => {});
              at += size;
            }
          }
          const { marks: seen, source } = await follow(files, ['t?'], { blockBytes });
          expect(files.stepsLeft).toBe(0);
          expect(seen).toEqual(marks);
          expect(source.report).toMatchObject({ vanished: 0, damaged: 0, late: 0, unfinished: 0 });
          expect(source.report.files).toBe(bounds.length - 1);
        },
      ),
      { numRuns: 150 },
    );
  });
});
