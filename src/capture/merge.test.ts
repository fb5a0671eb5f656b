import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pcapFile, pcapngFile, type RecordedPacket } from '../../fixtures/build/capture-file.ts';
import { recordedPackets, START_NS } from '../../test/capture-arbitraries.ts';
import { readBytes, readPaths, readToEnd, withFiles } from '../../test/capture-reading.ts';
import { LIMITS } from '../model/limits.ts';
import { openCaptures } from './open.ts';

const at = (ns: number, mark: number): RecordedPacket => ({
  timeNs: START_NS + BigInt(ns),
  frame: Uint8Array.of(mark),
});
const marks = (packets: readonly { frame: Uint8Array }[]) => packets.map(({ frame }) => frame[0]);

describe('several captures', () => {
  it('come by time; of equal times the earlier capture first, of one capture in its own order', async () => {
    const files = [
      pcapFile([at(10, 1), at(5, 2), at(40, 3)], { resolution: 'nano' }),
      pcapngFile([at(10, 4), at(20, 5), at(40, 6)]),
      pcapFile([at(0, 7), at(10, 8)], { resolution: 'nano', byteOrder: 'big' }),
    ];
    await withFiles(files, async (paths) => {
      const { packets, facts } = await readPaths(paths);
      expect(marks(packets)).toEqual([7, 1, 2, 4, 8, 5, 3, 6]);
      expect(packets.map((packet) => packet.capture)).toEqual([2, 0, 0, 1, 2, 1, 0, 1]);
      expect(packets.map((packet) => packet.number)).toEqual([1, 1, 2, 1, 2, 2, 3, 3]);
      expect(facts.map((one) => [one.path, one.format, one.packets, one.timeReversals])).toEqual([
        [paths[0], 'pcap', 3, 1],
        [paths[1], 'pcapng', 3, 0],
        [paths[2], 'pcap', 2, 0],
      ]);
    });
  });

  it('split from one give that one back, in whatever order they are named', async () => {
    const property = fc.asyncProperty(
      recordedPackets({ sorted: true, minLength: 1, maxLength: 30 }).map(distinctTimes),
      fc.array(fc.nat(3), { minLength: 30, maxLength: 30 }),
      fc.constantFrom(1, 16, 4096),
      async (recorded, owners, blockBytes) => {
        const parts = [0, 1, 2, 3].map((owner) => recorded.filter((_, index) => owners[index] === owner));
        const files = parts.map((part, index) =>
          index === 1
            ? pcapngFile(part)
            : index === 2
              ? gzipSync(pcapFile(part, { resolution: 'nano' }))
              : pcapFile(part, { resolution: 'nano' }),
        );
        const whole = await readBytes(pcapFile(recorded, { resolution: 'nano' }));
        await withFiles(files, async (paths) => {
          const merged = await readPaths(paths, { blockBytes });
          const core = (list: typeof whole.packets) =>
            list.map((one) => [one.timeNs, one.frame, one.originalBytes]);
          expect(core(merged.packets)).toEqual(core(whole.packets));
          expect(merged.clock).toEqual(whole.clock);
          expect(merged.facts.map((one) => one.packets)).toEqual(parts.map((part) => part.length));
          const firsts = merged.facts.map((one) => one.firstNs ?? Number.POSITIVE_INFINITY);
          expect(Math.min(...firsts)).toBe(whole.facts[0]!.firstNs);
        });
      },
    );
    await fc.assert(property, { numRuns: 40 });
  });

  it('have interface numbers that are unique over the run', async () => {
    const interfaces = [{ linkType: 1 }, { linkType: 101 }];
    const two = (ns: number) => pcapngFile([at(ns, 1), { ...at(ns, 2), interfaceId: 1 }], { interfaces });
    await withFiles([two(0), pcapFile([at(1000, 3)]), two(2000)], async (paths) => {
      const { packets, facts } = await readPaths(paths);
      expect(facts.flatMap((one) => one.interfaces.map((shown) => shown.number))).toEqual([0, 1, 2, 3, 4]);
      expect(new Set(packets.map((packet) => packet.interfaceNumber)).size).toBe(5);
      expect(facts.flatMap((one) => one.interfaces.map((shown) => shown.packets))).toEqual([1, 1, 1, 1, 1]);
    });
  });

  it('can have standard input among them, and captures without packets', async () => {
    const stdin = Readable.from([Buffer.from(pcapFile([at(2000, 1), at(4000, 2)]))]);
    await withFiles([pcapFile([at(1000, 3), at(3000, 4)]), pcapFile([])], async ([full, empty]) => {
      const { packets, facts } = await readPaths([empty!, full!, '-'], { stdin });
      expect(marks(packets)).toEqual([3, 1, 4, 2]);
      expect(facts.map((one) => one.packets)).toEqual([0, 2, 2]);
    });
  });

  it('share the second of the earliest first packet as their epoch, also with standard input', async () => {
    const second = 1_000_000_000;
    const stdin = Readable.from([Buffer.from(pcapFile([at(7 * second, 1), at(5 * second, 2)]))]);
    await withFiles([pcapFile([at(9 * second, 3)]), pcapFile([at(3 * second, 4)])], async ([late, early]) => {
      const { packets, clock, facts } = await readPaths([late!, '-', early!], { stdin });
      expect(clock.epochSeconds).toBe(1_700_000_003);
      expect(packets.map((packet) => packet.timeNs - START_NS)).toEqual(
        [3n, 7n, 5n, 9n].map((s) => s * 1_000_000_000n),
      );
      expect(facts.map((one) => [one.firstNs, one.lastNs])).toEqual([
        [6 * second, 6 * second],
        [2 * second, 4 * second],
        [0, 0],
      ]);
    });
  });

  it('are opened only when their time has come', async () => {
    const hour = 3_600_000_000_000;
    await withFiles([pcapFile([at(hour, 1)]), pcapFile([at(0, 2), at(10, 3)])], async (paths) => {
      const clock = { epochSeconds: null };
      const source = await openCaptures(paths, { clock, limits: LIMITS });
      await source.more();
      source.next();
      expect(source.facts.map((one) => one.packets)).toEqual([0, 1]);
      expect(marks((await readToEnd(source, clock)).packets)).toEqual([3, 1]);
    });
  });

  it('keep damage to the capture that has it', async () => {
    const broken = pcapFile([at(1000, 1), at(2000, 2)]);
    await withFiles([broken.subarray(0, broken.length - 1), pcapFile([at(5000, 3)])], async (paths) => {
      const { packets, facts } = await readPaths(paths);
      expect(marks(packets)).toEqual([1, 3]);
      expect(facts[0]!.damage).toMatchObject({ packet: 1 });
      expect(facts[1]!.damage).toBeNull();
    });
  });

  it('say nothing of packets that are still to come', async () => {
    await withFiles([pcapFile([at(0, 1)]), pcapFile([at(9000, 2)])], async (paths) => {
      const clock = { epochSeconds: null };
      const source = await openCaptures(paths, { clock, limits: LIMITS });
      expect(clock.epochSeconds).toBe(1_700_000_000);
      expect(source.facts.map((one) => [one.path, one.packets, one.firstNs])).toEqual([
        [paths[0], 0, null],
        [paths[1], 0, null],
      ]);
      expect((await readToEnd(source, clock)).facts.map((one) => one.packets)).toEqual([1, 1]);
    });
  });

  it('fail before the first packet when one of them is not a capture', async () => {
    await withFiles([pcapFile([at(0, 1)]), Buffer.from('not a capture')], async (paths) => {
      await expect(readPaths(paths)).rejects.toMatchObject({
        code: 'not-a-capture',
        place: { file: paths[1] },
      });
    });
  });

  it('can be many more than a process may have open when they follow each other', async () => {
    const files = Array.from({ length: 1200 }, (_, index) => pcapFile([at(index * 1000, index & 0xff)]));
    await withFiles(files, async (paths) => {
      const { packets } = await readPaths(paths);
      expect(marks(packets)).toEqual(files.map((_, index) => index & 0xff));
    });
  });
});

function distinctTimes(packets: RecordedPacket[]): RecordedPacket[] {
  return packets.map((packet, index) => ({ ...packet, timeNs: packet.timeNs + BigInt(index) }));
}
