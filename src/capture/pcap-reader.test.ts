import { createRequire } from 'node:module';
import { Readable } from 'node:stream';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pcapFile, type RecordedPacket } from '../../fixtures/build/capture-file.ts';
import { recordedPackets, START_NS } from '../../test/capture-arbitraries.ts';
import { readBytes, type SeenPacket } from '../../test/capture-reading.ts';
import { LIMITS } from '../model/limits.ts';

const frame = Uint8Array.from({ length: 60 }, (_, index) => index);
const packets = (count: number): RecordedPacket[] =>
  Array.from({ length: count }, (_, index) => ({ timeNs: START_NS + BigInt(index) * 1_001_000n, frame }));

/** What both a recorded and a read packet say. */
const core = (list: readonly (RecordedPacket | SeenPacket)[]) =>
  list.map((packet) => ({
    timeNs: packet.timeNs,
    frame: Buffer.from(packet.frame).toString('hex'),
    originalBytes: packet.originalBytes ?? packet.frame.length,
  }));

describe('pcap', () => {
  it.each([
    { byteOrder: 'little', resolution: 'micro' },
    { byteOrder: 'big', resolution: 'micro' },
    { byteOrder: 'little', resolution: 'nano' },
    { byteOrder: 'big', resolution: 'nano' },
  ] as const)('$byteOrder-endian with $resolution seconds', async (shape) => {
    const unitNs = shape.resolution === 'micro' ? 1000n : 1n;
    const property = fc.asyncProperty(recordedPackets({ unitNs }), async (recorded) => {
      const { packets: seen, facts } = await readBytes(pcapFile(recorded, shape));
      expect(core(seen)).toEqual(core(recorded));
      expect(facts[0]!.damage).toBeNull();
      expect(facts[0]!.byteOrder).toBe(shape.byteOrder);
      expect(facts[0]!.interfaces[0]!.timeDigits).toBe(shape.resolution === 'nano' ? 9 : 6);
    });
    await fc.assert(property, { numRuns: 40 });
  });

  it("reads Kuznetzov's longer record headers in both byte orders", async () => {
    for (const byteOrder of ['little', 'big'] as const) {
      const { packets: seen } = await readBytes(pcapFile(packets(3), { byteOrder, modified: true }));
      expect(core(seen)).toEqual(core(packets(3)));
    }
  });

  it('numbers packets from 1 and sets the epoch to the first whole second', async () => {
    const { packets: seen, clock } = await readBytes(pcapFile(packets(3)));
    expect(seen.map((packet) => packet.number)).toEqual([1, 2, 3]);
    expect(clock.epochSeconds).toBe(1_700_000_000);
  });

  it('leaves an epoch alone that is already set', async () => {
    const clock = { epochSeconds: 1_700_000_010 };
    const { packets: seen } = await readBytes(pcapFile(packets(2)), { clock });
    expect(clock.epochSeconds).toBe(1_700_000_010);
    expect(core(seen)).toEqual(core(packets(2)));
  });

  it('keeps the length of the frame check sequence out of the link type', async () => {
    const { packets: seen, facts } = await readBytes(pcapFile(packets(1), { linkType: 0x24000071 }));
    expect(seen[0]!.linkType).toBe(0x71);
    expect(facts[0]!.interfaces[0]!.linkType).toBe(0x71);
  });

  it('bears with odd versions and with records longer than the snaplen or than their original', async () => {
    const recorded = [{ timeNs: START_NS, frame, originalBytes: 20 }];
    const { packets: seen, facts } = await readBytes(pcapFile(recorded, { snaplen: 10, version: [7, 9] }));
    expect(seen[0]!.frame).toEqual(frame);
    expect(seen[0]!.originalBytes).toBe(60);
    expect(facts[0]!.damage).toBeNull();
  });

  it('exchanges the two lengths in files of versions before 2.4, as libpcap does', async () => {
    const whole = pcapFile([{ timeNs: START_NS, frame, originalBytes: 1500 }], { version: [2, 3] });
    const view = new DataView(whole.buffer);
    view.setUint32(32, 1500, true);
    view.setUint32(36, 60, true);
    const { packets: seen } = await readBytes(whole);
    expect([seen[0]!.frame.length, seen[0]!.originalBytes]).toEqual([60, 1500]);
  });

  it('counts what it has read', async () => {
    const recorded = [...packets(3), { timeNs: START_NS, frame, originalBytes: 100 }];
    const bytes = pcapFile(recorded);
    const { facts } = await readBytes(bytes);
    expect(facts).toHaveLength(1);
    expect(facts[0]).toMatchObject({
      path: '-',
      format: 'pcap',
      compression: 'none',
      packets: 4,
      capturedBytes: 240,
      originalBytes: 280,
      fileBytes: bytes.length,
      firstNs: 0,
      lastNs: 2_002_000,
      timeReversals: 1,
      damage: null,
    });
    expect(facts[0]!.interfaces).toEqual([
      {
        number: 0,
        name: null,
        linkType: 1,
        snaplen: 262144,
        timeDigits: 6,
        packets: 4,
        received: null,
        dropped: null,
      },
    ]);
  });

  it('stops where a record claims more bytes than a packet can have', async () => {
    const bytes = pcapFile(packets(3));
    new DataView(bytes.buffer).setUint32(24 + 76 + 8, LIMITS.packetBytes + 1, true);
    const { packets: seen, facts } = await readBytes(bytes);
    expect(seen).toHaveLength(1);
    expect(facts[0]!.damage).toMatchObject({ packet: 1, byteOffset: 100 });
    expect(facts[0]!.damage!.what).toContain('packet 2 claims');
  });

  it('stops where zeros take the place of packets', async () => {
    const bytes = Buffer.concat([pcapFile(packets(2)), new Uint8Array(4096)]);
    const { packets: seen, facts } = await readBytes(bytes);
    expect(seen).toHaveLength(2);
    expect(facts[0]!.damage).toMatchObject({ packet: 2, byteOffset: 24 + 2 * 76 });
  });

  it('takes a packet that is longer than many read blocks', async () => {
    const long = new Uint8Array(3_000_000).map((_, index) => index % 251);
    const recorded = [...packets(1), { timeNs: START_NS, frame: long }, ...packets(1)];
    const { packets: seen } = await readBytes(pcapFile(recorded), { blockBytes: 50_000 });
    expect(core(seen)).toEqual(core(recorded));
  });
});

interface OraclePacket {
  header: { timestampSeconds: number; timestampMicroseconds: number; originalLength: number };
  data: Buffer;
}

const { parse } = createRequire(import.meta.url)('pcap-parser') as {
  parse(stream: Readable): NodeJS.EventEmitter;
};

/** The same capture as the npm package pcap-parser reads it. */
async function readByOracle(bytes: Uint8Array, chunkBytes: number): Promise<SeenLike[]> {
  const chunks: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += chunkBytes)
    chunks.push(Buffer.from(bytes.subarray(at, at + chunkBytes)));
  const parser = parse(Readable.from(chunks));
  const found: SeenLike[] = [];
  parser.on('packet', ({ header, data }: OraclePacket) => {
    const timeNs =
      BigInt(header.timestampSeconds) * 1_000_000_000n + BigInt(header.timestampMicroseconds) * 1000n;
    found.push({ timeNs, frame: new Uint8Array(data), originalBytes: header.originalLength });
  });
  await new Promise<void>((resolve, reject) => parser.on('end', resolve).on('error', reject));
  return found;
}

type SeenLike = Pick<SeenPacket, 'timeNs' | 'frame'> & { originalBytes: number };

describe('pcap-parser as an oracle', () => {
  it('finds the same packets in classic captures', async () => {
    const property = fc.asyncProperty(
      recordedPackets({ unitNs: 1000n, minLength: 1 }),
      fc.constantFrom('little' as const, 'big' as const),
      fc.integer({ min: 7, max: 500 }),
      async (recorded, byteOrder, chunkBytes) => {
        const bytes = pcapFile(recorded, { byteOrder });
        const expected = await readByOracle(bytes, chunkBytes);
        const { packets: seen } = await readBytes(bytes, { blockBytes: chunkBytes });
        expect(core(seen)).toEqual(core(expected as SeenPacket[]));
      },
    );
    await fc.assert(property, { numRuns: 60 });
  });
});
