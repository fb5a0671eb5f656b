import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pcapFile, pcapngFile, type RecordedPacket } from '../../fixtures/build/capture-file.ts';
import { recordedPackets, START_NS } from '../../test/capture-arbitraries.ts';
import { readBytes } from '../../test/capture-reading.ts';
import { UserError } from '../model/errors.ts';

const recorded: RecordedPacket[] = [40, 0, 61, 18].map((length, index) => ({
  timeNs: START_NS + BigInt(index) * 1000n,
  frame: new Uint8Array(length).fill(index + 1),
  comments: [`packet ${index}`],
}));
const shapes: [string, Uint8Array][] = [
  ['pcap', pcapFile(recorded)],
  ['pcap, big-endian, nanoseconds', pcapFile(recorded, { byteOrder: 'big', resolution: 'nano' })],
  ['pcap, modified', pcapFile(recorded, { modified: true })],
  ['pcapng', pcapngFile(recorded, { comments: ['a section'], statistics: [{ received: 4n }] })],
  ['pcapng, big-endian', pcapngFile(recorded, { byteOrder: 'big' })],
  ['pcapng, two sections', Buffer.concat([pcapngFile(recorded), pcapngFile(recorded, { byteOrder: 'big' })])],
];

/** Anything but a UserError fails the test by being thrown on. */
async function survive(bytes: Uint8Array, blockBytes = 4096) {
  try {
    return await readBytes(bytes, { blockBytes });
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
}

describe.each(shapes)('%s', (_, bytes) => {
  it('gives the same whatever the size of the read blocks', async () => {
    const whole = await readBytes(bytes);
    for (const blockBytes of [1, 2, 3, 5, 7, 16, 31, 64, 100, 1024, 65_536]) {
      expect(await readBytes(bytes, { blockBytes })).toEqual(whole);
    }
  });

  it('cut at any place gives the packets before, and damage unless it is cut between records', async () => {
    const whole = await readBytes(bytes);
    let undamaged = 0;
    for (let cut = 4; cut < bytes.length; cut++) {
      const { packets, facts } = await readBytes(bytes.subarray(0, cut), { blockBytes: 4096 });
      const { damage, fileBytes } = facts[0]!;
      expect(packets).toEqual(whole.packets.slice(0, packets.length));
      if (damage === null) {
        undamaged++;
        expect(fileBytes).toBe(cut);
      } else {
        expect(damage.packet).toBe(packets.length);
        expect(damage.byteOffset).toBeLessThan(cut);
        expect(damage.what).toMatch(/^it ends in the middle of /);
      }
    }
    // Only at the ends of records is a cut invisible.
    expect(undamaged).toBeLessThan(2 * (recorded.length + 5));
  });

  it('with wrong bytes anywhere never throws anything but a UserError, and counts what it gives', async () => {
    const change = fc.record({
      at: fc.nat(bytes.length - 1),
      to: fc.oneof(fc.nat(255), fc.constantFrom(0, 0xff)),
    });
    const property = fc.asyncProperty(
      fc.array(change, { minLength: 1, maxLength: 6 }),
      fc.constantFrom(1, 7, 64, 4096),
      async (changes, blockBytes) => {
        const mutated = Uint8Array.from(bytes);
        for (const { at, to } of changes) mutated[at] = to;
        const got = await survive(mutated, blockBytes);
        if (got instanceof UserError) return;
        expect(got.facts[0]!.packets).toBe(got.packets.length);
        expect(got.facts[0]!.fileBytes).toBeLessThanOrEqual(bytes.length);
        for (const packet of got.packets) {
          expect(packet.originalBytes).toBeGreaterThanOrEqual(packet.frame.length);
        }
      },
    );
    await fc.assert(property, { numRuns: 150 });
  });
});

describe('any bytes', () => {
  const starts = [
    '',
    'd4c3b2a1',
    'a1b2c3d4',
    '4d3cb2a1',
    '34cdb2a1',
    '0a0d0d0a1c0000004d3c2b1a',
    '1f8b0800',
    '28b52ffd',
  ];

  it('never throw anything but a UserError', async () => {
    const property = fc.asyncProperty(
      fc.constantFrom(...starts),
      fc.uint8Array({ maxLength: 400 }),
      async (start, rest) => {
        await survive(Buffer.concat([Buffer.from(start, 'hex'), rest]));
      },
    );
    await fc.assert(property, { numRuns: 500 });
  });

  it('after the beginning of a capture are found implausible or are packets', async () => {
    const property = fc.asyncProperty(
      recordedPackets({ minLength: 1, maxLength: 3 }),
      fc.uint8Array({ minLength: 1, maxLength: 300 }),
      async (some, rest) => {
        const bytes = Buffer.concat([pcapngFile(some), rest]);
        const { packets, facts } = await readBytes(bytes);
        expect(packets.length).toBeGreaterThanOrEqual(some.length);
        expect(facts[0]!.damage).not.toBeNull();
      },
    );
    await fc.assert(property, { numRuns: 100 });
  });
});
