import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { START_NS } from '../../fixtures/build/conversation.ts';
import { WRAPPING_NAMES } from '../../fixtures/build/frames.ts';
import { type Random, seededRandom } from '../../fixtures/build/transform.ts';
import { readBytes } from '../../test/capture-reading.ts';
import { type FedPacket, fuzzRuns, packetsOf } from '../../test/pipeline-run.ts';
import { captureOf, redactFiles } from '../../test/redact-run.ts';
import { traffic } from '../../test/traffic.ts';
import { UserError } from '../model/errors.ts';
import { LINK_TYPE } from '../model/link-types.ts';

const LINK_TYPES = [...Object.values(LINK_TYPE), 147, 65_535];
/** In every body, and nowhere else; of letters that no header has in a row. */
const MARK = 'The quick brown fox';

function damaged(packet: FedPacket, random: Random): FedPacket {
  const frame = packet.frame.slice();
  const kind = random();
  if (kind < 0.6) {
    for (let count = 1 + random() * 4; count > 1 && frame.length > 0; count -= 1) {
      const at = Math.floor(random() * Math.min(frame.length, random() < 0.8 ? 90 : frame.length));
      frame[at] = Math.floor(random() * 256);
    }
    return { ...packet, frame };
  }
  if (kind < 0.8) {
    const kept = Math.floor(random() * frame.length);
    return { ...packet, frame: frame.subarray(0, kept), originalBytes: random() < 0.5 ? frame.length : kept };
  }
  if (kind < 0.9) return { ...packet, linkType: LINK_TYPES[Math.floor(random() * LINK_TYPES.length)]! };
  return { ...packet, originalBytes: frame.length + Math.floor(random() * 2 ** 30) };
}

describe('a damaged or hostile capture', () => {
  it('is redacted: every packet is there, at its length and time, without its payload', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), async (seed) => {
        const random = seededRandom(seed);
        const { segments } = traffic({ connections: 2, exchanges: 3, pipelined: 2, mss: 400 }, random);
        const wrapping = WRAPPING_NAMES[Math.floor(random() * WRAPPING_NAMES.length)]!;
        const packets = packetsOf(segments, wrapping).map((one) =>
          random() < 0.3 ? damaged(one, random) : one,
        );
        const capture = captureOf(packets);
        fc.pre(Buffer.from(capture).includes(MARK));
        const { bytes } = await redactFiles([capture]);
        const [original, copy] = [await readBytes(capture), await readBytes(bytes)];
        const outside = ({
          frame,
          originalBytes,
          timeNs,
          linkType,
        }: (typeof original.packets)[number]): unknown[] => [frame.length, originalBytes, timeNs, linkType];
        expect(copy.packets.map(outside)).toEqual(original.packets.map(outside));
        expect(copy.facts.every(({ damage }) => damage === null)).toBe(true);
        expect(Buffer.from(bytes).includes(MARK)).toBe(false);
      }),
      { numRuns: fuzzRuns(60) },
    );
  });

  it('of random bytes comes out without them', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({
            frame: fc.uint8Array({ minLength: 40, maxLength: 160 }),
            linkType: fc.constantFrom(...LINK_TYPES),
            originalBytes: fc.nat(2 ** 31),
          }),
          { minLength: 1, maxLength: 20 },
        ),
        async (frames) => {
          const packets = frames.map(({ frame, linkType, originalBytes }, index) => ({
            frame,
            linkType,
            originalBytes: Math.max(frame.length, originalBytes),
            timeNs: START_NS + BigInt(index),
          }));
          const { bytes } = await redactFiles([captureOf(packets)]);
          const copy = Buffer.from(bytes);
          // Headers may be understood by chance, but what they carry never stays.
          for (const { frame } of packets) {
            const tail = Buffer.from(frame.subarray(-12));
            if (tail.some((byte) => byte !== 0)) expect(copy.includes(tail)).toBe(false);
          }
        },
      ),
      { numRuns: fuzzRuns(60) },
    );
  });

  it('with mutated bytes of the file ends in a copy or in an error for the user', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), async (seed) => {
        const random = seededRandom(seed);
        const { segments } = traffic({ connections: 1, exchanges: 3, pipelined: 1 }, random);
        const capture = captureOf(packetsOf(segments)).slice();
        for (let count = 0; count < 1 + random() * 20; count += 1)
          capture[Math.floor(random() * capture.length)] = Math.floor(random() * 256);
        try {
          const { bytes } = await redactFiles([capture]);
          const { facts } = await readBytes(bytes);
          expect(facts[0]?.damage).toBeNull();
          expect(Buffer.from(bytes).includes(MARK)).toBe(false);
        } catch (error) {
          expect(error).toBeInstanceOf(UserError);
        }
      }),
      { numRuns: fuzzRuns(60) },
    );
  });
});
