import { Readable } from 'node:stream';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pcapFile, pcapngFile, type RecordedPacket } from '../../fixtures/build/capture-file.ts';
import {
  block,
  enhancedPacketBlock,
  FieldWriter,
  interfaceBlock,
  obsoletePacketBlock,
  sectionHeaderBlock,
  simplePacketBlock,
  statisticsBlock,
  ticksOf,
} from '../../fixtures/build/pcapng-blocks.ts';
import { recordedPackets, START_NS } from '../../test/capture-arbitraries.ts';
import { readBytes } from '../../test/capture-reading.ts';
import { LIMITS } from '../model/limits.ts';
import { openCaptures } from './open.ts';

const frame = Uint8Array.from({ length: 61 }, (_, index) => index);
const packet: RecordedPacket = { timeNs: START_NS + 123_456_789n, frame };
const ORDERS = ['little', 'big'] as const;
const nano = { linkType: 1, resolution: 9 } as const;
const ticks = ticksOf(packet.timeNs, nano);

/** A section of two interfaces in nanoseconds: numbers are packets at that many seconds, others are statistics. */
function section(...things: readonly (number | { at: number; dropped: bigint; interfaceId?: number })[]) {
  return [
    sectionHeaderBlock('little'),
    interfaceBlock('little', nano),
    interfaceBlock('little', nano),
    ...things.map((thing) => {
      const seconds = typeof thing === 'number' ? thing : thing.at;
      const at = ticksOf(START_NS + BigInt(Math.round(seconds * 1e9)), nano);
      if (typeof thing === 'number') return enhancedPacketBlock('little', { ticks: at, frame });
      const { dropped, interfaceId = 0 } = thing;
      return statisticsBlock('little', { interfaceId, interfaceDropped: dropped, ticks: at });
    }),
  ];
}

/** Seconds of packets, and `from-to: before-after` of the drops told between them. */
async function dropsIn(...blocks: readonly Uint8Array[]): Promise<(number | string)[]> {
  const told: (number | string)[] = [];
  const clock = { epochSeconds: Number(START_NS / 1_000_000_000n) };
  const source = await openCaptures(['-'], {
    clock,
    limits: LIMITS,
    stdin: Readable.from(blocks.map(Buffer.from)),
  });
  const offset = Number(START_NS % 1_000_000_000n) / 1e9;
  const seconds = (ns: number) => Math.round((ns / 1e9 - offset) * 1000) / 1000;
  source.onDrops = ({ fromNs, toNs, droppedBefore, dropped }) =>
    told.push(`${seconds(fromNs)}-${seconds(toNs)}: ${droppedBefore}-${dropped}`);
  do {
    while (source.next()) told.push(seconds(source.packet.timeNs));
  } while (await source.more());
  await source.close();
  return told;
}

describe('pcapng', () => {
  it('tells between the packets when drops were, where two statistics of an interface say so', async () => {
    expect(
      await dropsIn(
        ...section(1, { at: 1.5, dropped: 0n }, { at: 2, dropped: 3n }, 2.5, { at: 3, dropped: 3n }, 4, {
          at: 5,
          dropped: 9n,
        }),
      ),
    ).toEqual([1, '1.5-2: 0-3', 2.5, 4, '3-5: 3-9']);
  });

  it('does not tell when drops were where that is not known', async () => {
    // Once at the end, as dumpcap does.
    expect(await dropsIn(...section(1, 2, { at: 2, dropped: 7n }))).toEqual([1, 2]);
    // A minute or less apart, and more.
    const twice = (seconds: number) =>
      dropsIn(...section(1, { at: 1, dropped: 0n }, { at: 1 + seconds, dropped: 1n }));
    expect(await twice(60)).toEqual([1, '1-61: 0-1']);
    expect(await twice(60.001)).toEqual([1]);
    // Of different interfaces, and of different sections.
    expect(
      await dropsIn(...section(1, { at: 1, dropped: 0n }, { at: 2, dropped: 1n, interfaceId: 1 })),
    ).toEqual([1]);
    const parts = [section(1, { at: 1, dropped: 0n }), section(2, { at: 2, dropped: 1n })];
    expect(await dropsIn(...parts.flat())).toEqual([1, 2]);
    // Before the first packet, when times have nothing to begin with.
    expect(await dropsIn(...section({ at: 0, dropped: 0n }, 1, { at: 1, dropped: 1n }))).toEqual([1]);
    // A counter that goes back.
    expect(await dropsIn(...section(1, { at: 1, dropped: 9n }, { at: 2, dropped: 1n }))).toEqual([1]);
  });

  it('gives the packets that a pcap file gives, whatever block type and byte order', async () => {
    const property = fc.asyncProperty(
      recordedPackets(),
      fc.constantFrom(...ORDERS),
      fc.constantFrom('enhanced' as const, 'obsolete' as const),
      async (recorded, byteOrder, packetBlock) => {
        const fromPcap = await readBytes(pcapFile(recorded, { resolution: 'nano' }));
        const fromPcapng = await readBytes(pcapngFile(recorded, { byteOrder, packetBlock }));
        expect(fromPcapng.packets).toEqual(fromPcap.packets);
        expect(fromPcapng.facts[0]!.damage).toBeNull();
        expect(fromPcapng.facts[0]!.byteOrder).toBe(byteOrder);
      },
    );
    await fc.assert(property, { numRuns: 80 });
  });

  it('keeps interfaces apart, with their names, link types, resolutions and counters', async () => {
    const interfaces = [
      { linkType: 1, name: 'eth0', snaplen: 96, resolution: 9 },
      { linkType: 113, name: 'any' },
      { linkType: 101, resolution: 0x80 | 20 },
    ];
    const recorded = [0, 1, 2, 1].map((interfaceId) => ({ timeNs: START_NS, frame, interfaceId }));
    const statistics = [
      { interfaceId: 0, received: 10n, interfaceDropped: 1n, osDropped: 2n },
      { interfaceId: 0, received: 20n, interfaceDropped: 3n, osDropped: 4n },
      { interfaceId: 1, received: 5n },
    ];
    for (const byteOrder of ORDERS) {
      const { packets, facts } = await readBytes(pcapngFile(recorded, { byteOrder, interfaces, statistics }));
      expect(packets.map((one) => [one.interfaceNumber, one.linkType])).toEqual([
        [0, 1],
        [1, 113],
        [2, 101],
        [1, 113],
      ]);
      expect(packets.every((one) => one.timeNs === START_NS)).toBe(true);
      expect(facts[0]!.interfaces).toEqual([
        {
          number: 0,
          name: 'eth0',
          linkType: 1,
          snaplen: 96,
          timeDigits: 9,
          packets: 1,
          received: 20,
          dropped: 7,
        },
        {
          number: 1,
          name: 'any',
          linkType: 113,
          snaplen: 0,
          timeDigits: 6,
          packets: 2,
          received: 5,
          dropped: null,
        },
        {
          number: 2,
          name: null,
          linkType: 101,
          snaplen: 0,
          timeDigits: 7,
          packets: 1,
          received: null,
          dropped: null,
        },
      ]);
    }
  });

  it('starts anew with every section, also in another byte order', async () => {
    const first = pcapngFile([packet], { byteOrder: 'little', interfaces: [{ linkType: 1, name: 'a' }] });
    const second = pcapngFile([packet, packet], {
      byteOrder: 'big',
      interfaces: [{ linkType: 101, name: 'b' }],
    });
    const { packets, facts } = await readBytes(Buffer.concat([first, second]));
    expect(packets.map((one) => [one.number, one.interfaceNumber, one.linkType])).toEqual([
      [1, 0, 1],
      [2, 1, 101],
      [3, 1, 101],
    ]);
    expect(facts[0]!.interfaces.map((one) => one.name)).toEqual(['a', 'b']);
    expect(facts[0]!.byteOrder).toBe('little');
  });

  it('ignores the section length, right or wrong', async () => {
    for (const sectionLength of [-1n, 0n, 4n, 1n << 40n]) {
      const bytes = Buffer.concat([
        sectionHeaderBlock('little', { sectionLength }),
        interfaceBlock('little', nano),
        enhancedPacketBlock('little', { ticks, frame }),
      ]);
      expect((await readBytes(bytes)).packets).toHaveLength(1);
    }
  });

  it('keeps comments of sections, interfaces and packets, up to the limit', async () => {
    const interfaces = [{ linkType: 1, comments: ['on the interface'] }];
    const recorded = [{ ...packet, comments: ['one', 'two'] }, packet, { ...packet, comments: ['grüezi'] }];
    const bytes = pcapngFile(recorded, { interfaces, comments: ['on the section'] });
    const { facts } = await readBytes(bytes);
    expect(facts[0]!.comments).toEqual([
      { scope: 'section', packet: null, text: 'on the section' },
      { scope: 'interface', packet: null, text: 'on the interface' },
      { scope: 'packet', packet: 1, text: 'one' },
      { scope: 'packet', packet: 1, text: 'two' },
      { scope: 'packet', packet: 3, text: 'grüezi' },
    ]);
    const bounded = await readBytes(bytes, { limits: { ...LIMITS, captureComments: 2 } });
    expect(bounded.facts[0]!.comments).toHaveLength(2);
    expect(bounded.facts[0]!.commentsDropped).toBe(3);
  });

  it('finds a comment behind other options, and no comment in a packet without', async () => {
    const flags = { code: 2, value: Uint8Array.of(1, 0, 0, 0) };
    const bytes = Buffer.concat([
      sectionHeaderBlock('little'),
      interfaceBlock('little', nano),
      enhancedPacketBlock('little', { ticks, frame, options: [flags] }),
      enhancedPacketBlock('little', { ticks, frame, options: [flags], comments: ['here'] }),
    ]);
    expect((await readBytes(bytes)).facts[0]!.comments).toEqual([
      { scope: 'packet', packet: 2, text: 'here' },
    ]);
  });

  it('cuts simple packets to the snaplen, and gives them the time of their predecessor', async () => {
    for (const byteOrder of ORDERS) {
      const bytes = Buffer.concat([
        sectionHeaderBlock(byteOrder),
        interfaceBlock(byteOrder, { ...nano, snaplen: 50 }),
        simplePacketBlock(byteOrder, frame.slice(0, 50), 1500),
        enhancedPacketBlock(byteOrder, { ticks, frame }),
        simplePacketBlock(byteOrder, frame.slice(0, 30)),
      ]);
      const { packets, clock } = await readBytes(bytes);
      expect(packets.map((one) => [one.frame.length, one.originalBytes])).toEqual([
        [50, 1500],
        [61, 61],
        [30, 30],
      ]);
      expect(packets[2]!.timeNs).toBe(packet.timeNs);
      expect(clock.epochSeconds).toBe(1_700_000_000);
    }
  });

  it('counts from 1970 when no packet has a time', async () => {
    const { packets, clock } = await readBytes(pcapngFile([packet, packet], { packetBlock: 'simple' }));
    expect(packets.map((one) => one.timeNs)).toEqual([0n, 0n]);
    expect(clock.epochSeconds).toBe(0);
  });

  it('skips other blocks and counts them by type; some have a frame number in Wireshark', async () => {
    const write = new FieldWriter('little');
    const other = (type: number) => block('little', type, write.u32(7));
    const bytes = Buffer.concat([
      sectionHeaderBlock('little'),
      interfaceBlock('little', nano),
      other(4),
      other(10),
      other(0x7777),
      other(0x7777),
      enhancedPacketBlock('little', { ticks, frame }),
      other(0xbad),
      other(9),
      obsoletePacketBlock('little', { ticks, frame }),
    ]);
    const { packets, facts } = await readBytes(bytes);
    expect(packets.map((one) => one.number)).toEqual([1, 4]);
    expect(facts[0]!.packets).toBe(2);
    expect(facts[0]!.skippedBlocks).toEqual({
      '0x00000004': 1,
      '0x0000000a': 1,
      '0x00007777': 2,
      '0x00000bad': 1,
      '0x00000009': 1,
    });
  });

  it('bounds what it notes of a hostile file', async () => {
    const types = Array.from({ length: 2000 }, (_, index) =>
      block('little', 0x10000 + index, new Uint8Array(0)),
    );
    const { facts } = await readBytes(Buffer.concat([sectionHeaderBlock('little'), ...types]));
    expect(Object.keys(facts[0]!.skippedBlocks).length).toBeLessThan(300);
    const counted = Object.values(facts[0]!.skippedBlocks).reduce((sum, count) => sum + count, 0);
    expect(counted).toBe(2000);
    const one = interfaceBlock('little', nano);
    const many = Buffer.concat([sectionHeaderBlock('little'), ...Array.from({ length: 65_600 }, () => one)]);
    const hostile = await readBytes(many);
    expect(hostile.facts[0]!.interfaces).toHaveLength(65_536);
    expect(hostile.facts[0]!.damage!.what).toContain('65536 interfaces');
  });
});

describe('a broken pcapng', () => {
  const good = Buffer.concat([sectionHeaderBlock('little'), interfaceBlock('little', nano)]);
  const epb = enhancedPacketBlock('little', { ticks, frame });
  const withWord = (at: number, value: number) => {
    const copy = Buffer.from(epb);
    copy.writeUInt32LE(value, at < 0 ? copy.length + at : at);
    return copy;
  };
  it.each([
    ['two lengths differ', withWord(-4, 100)],
    ['impossible length', withWord(4, 8)],
    ['impossible length', withWord(4, 0xfffffff0)],
    ['interface 5', withWord(8, 5)],
    ['more than its block can hold', withWord(20, 500)],
    ['without a byte-order magic', block('little', 0x0a0d0d0a, new Uint8Array(16))],
    ['only 16 bytes', block('little', 6, new Uint8Array(4))],
    ['only 12 bytes', block('little', 1, new Uint8Array(0))],
  ])('says "%s" and keeps the packets before', async (what, bad) => {
    const bytes = Buffer.concat([good, epb, epb, bad, epb]);
    const { packets, facts } = await readBytes(bytes);
    expect(packets).toHaveLength(2);
    expect(facts[0]!.damage).toMatchObject({ packet: 2, byteOffset: good.length + 2 * epb.length });
    expect(facts[0]!.damage!.what).toContain(what);
  });

  it('bears with statistics of an interface that does not exist', async () => {
    const bytes = Buffer.concat([good, statisticsBlock('little', { interfaceId: 9, received: 1n }), epb]);
    const { packets, facts } = await readBytes(bytes);
    expect(packets).toHaveLength(1);
    expect(facts[0]!.damage).toBeNull();
  });
});
