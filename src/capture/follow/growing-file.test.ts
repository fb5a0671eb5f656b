import { describe, expect, it } from 'vitest';
import { pcapFile } from '../../../fixtures/build/capture-file.ts';
import { FakeFiles } from '../../../test/fake-files.ts';
import { beginFollowing, capture, follow, packet, records, told } from '../../../test/follow-run.ts';

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
    const { source } = await beginFollowing(files, ['a.pcap'], { idleMs: 1000 });
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
