import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readBytes } from '../../test/capture-reading.ts';
import { PcapngWriter } from './pcapng-writer.ts';

function written(fill: (writer: PcapngWriter) => void): Uint8Array {
  const parts: Uint8Array[] = [];
  const writer = new PcapngWriter((bytes) => parts.push(bytes), { application: 'wirelens test' });
  fill(writer);
  writer.finish();
  const file = Buffer.concat(parts);
  expect(file.length).toBe(writer.bytes);
  return file;
}

const EPOCH = 1_795_246_920;

describe('PcapngWriter', () => {
  const packet = fc.record({
    interface: fc.nat(2),
    timeNs: fc.nat(2_000_000_000),
    bytes: fc.uint8Array({ maxLength: 300 }),
    cutBytes: fc.nat(50),
    comments: fc.array(fc.string({ unit: 'grapheme', maxLength: 20 }), { maxLength: 3 }),
  });
  const shape = fc.record({
    linkType: fc.constantFrom(0, 1, 101, 113, 276),
    snaplen: fc.constantFrom(0, 96, 262_144),
    name: fc.constantFrom(null, 'eth0', 'Ä-1'),
    timeDigits: fc.constantFrom(6, 9),
  });

  it('writes what a reader gives back: times, lengths, interfaces, comments', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(packet, { maxLength: 20 }),
        fc.tuple(shape, shape, shape),
        async (packets, shapes) => {
          const file = written((writer) => {
            for (const one of shapes) writer.addInterface(one);
            for (const one of packets) {
              writer.packet({
                interfaceId: one.interface,
                epochSeconds: EPOCH,
                timeNs: one.timeNs,
                // Not at the beginning of its buffer, as packets of a capture are.
                bytes: Buffer.concat([Buffer.from('xyz'), one.bytes]),
                start: 3,
                end: 3 + one.bytes.length,
                originalBytes: one.bytes.length + one.cutBytes,
                comments: one.comments,
              });
            }
          });
          const { packets: seen, facts } = await readBytes(file);
          expect(facts[0].damage).toBeNull();
          expect(
            facts[0].interfaces.map(({ linkType, snaplen, name, timeDigits }) => ({
              linkType,
              snaplen,
              name,
              timeDigits,
            })),
          ).toEqual(shapes);
          const expected = packets.map((one) => {
            const ns = BigInt(EPOCH) * 1_000_000_000n + BigInt(one.timeNs);
            return {
              timeNs: shapes[one.interface].timeDigits === 9 ? ns : ns - (ns % 1000n),
              frame: Buffer.from(one.bytes),
              originalBytes: one.bytes.length + one.cutBytes,
              linkType: shapes[one.interface].linkType,
              interfaceNumber: one.interface,
            };
          });
          expect(
            seen.map(({ timeNs, frame, originalBytes, linkType, interfaceNumber }) => ({
              timeNs,
              frame: Buffer.from(frame),
              originalBytes,
              linkType,
              interfaceNumber,
            })),
          ).toEqual(expected);
          const comments = packets.flatMap(({ comments: texts }, index) =>
            texts.map((text) => `${index + 1} ${text.replaceAll('\0', '')}`),
          );
          expect(facts[0].comments.map((one) => `${one.packet} ${one.text}`)).toEqual(comments);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('keeps the counters of an interface', async () => {
    const file = written((writer) => {
      const id = writer.addInterface({ linkType: 1, snaplen: 0, name: null, timeDigits: 6 });
      writer.statistics(id, { received: 2 ** 40, dropped: 7 });
    });
    const { facts } = await readBytes(file);
    expect(facts[0].interfaces[0]).toMatchObject({ received: 2 ** 40, dropped: 7 });
  });

  it('takes packets larger than its buffer, and cuts comments that no option can hold', async () => {
    const frame = new Uint8Array(700_000).fill(7);
    const file = written((writer) => {
      const interfaceId = writer.addInterface({ linkType: 1, snaplen: 0, name: null, timeDigits: 6 });
      const one = { interfaceId, epochSeconds: 0, timeNs: 0, bytes: frame, start: 0, end: frame.length };
      writer.packet({ ...one, originalBytes: frame.length, comments: ['€'.repeat(40_000)] });
      writer.packet({ ...one, end: 10, originalBytes: 10 });
    });
    const { packets, facts } = await readBytes(file);
    expect(facts[0].damage).toBeNull();
    expect(packets.map(({ frame: { length } }) => length)).toEqual([700_000, 10]);
    expect(facts[0].comments[0].text).toMatch(/^€{1000,}\ufffd?…$/);
  });

  it('writes what is before 1970 as 1970', async () => {
    const file = written((writer) => {
      const interfaceId = writer.addInterface({ linkType: 1, snaplen: 0, name: null, timeDigits: 9 });
      writer.packet({
        interfaceId,
        epochSeconds: 0,
        timeNs: -5,
        bytes: new Uint8Array(4),
        start: 0,
        end: 4,
        originalBytes: 4,
      });
    });
    expect((await readBytes(file)).packets[0].timeNs).toBe(0n);
  });
});
