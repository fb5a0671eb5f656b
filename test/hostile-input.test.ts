import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pcapFile, pcapngFile } from '../fixtures/build/capture-file.ts';
import { START_NS } from '../fixtures/build/conversation.ts';
import { framesOf, WRAPPING_NAMES, WRAPPINGS } from '../fixtures/build/frames.ts';
import { ipv4Fragments, ipv6Fragments, type Network } from '../fixtures/build/ip.ts';
import { ethernet } from '../fixtures/build/link.ts';
import { type Random, seededRandom } from '../fixtures/build/transform.ts';
import { tcp } from '../fixtures/build/transport.ts';
import { openCaptures } from '../src/capture/open.ts';
import { UserError } from '../src/model/errors.ts';
import { LIMITS } from '../src/model/limits.ts';
import { LINK_TYPE } from '../src/model/link-types.ts';
import { runPipeline } from '../src/pipeline.ts';
import { withFiles } from './capture-reading.ts';
import { type FedPacket, fuzzRuns, runPackets } from './pipeline-run.ts';
import { traffic } from './traffic.ts';

const LINK_TYPES = [...Object.values(LINK_TYPE), 147, 65_535];

/** Changes some bytes, cuts some packets, puts some bytes in. */
function damaged(packet: FedPacket, random: Random): FedPacket {
  const frame = packet.frame.slice();
  const kind = random();
  if (kind < 0.5) {
    for (let count = 1 + random() * 4; count > 1 && frame.length > 0; count -= 1) {
      const at = Math.floor(random() * Math.min(frame.length, random() < 0.8 ? 120 : frame.length));
      frame[at] = random() < 0.5 ? frame[at]! ^ (1 << Math.floor(random() * 8)) : Math.floor(random() * 256);
    }
    return { ...packet, frame };
  }
  if (kind < 0.65) {
    const kept = Math.floor(random() * frame.length);
    return { ...packet, frame: frame.subarray(0, kept), originalBytes: random() < 0.5 ? frame.length : kept };
  }
  if (kind < 0.75) return { ...packet, originalBytes: Math.floor(random() * 2 ** 32) };
  if (kind < 0.85) return { ...packet, timeNs: START_NS + BigInt(Math.floor((random() - 0.5) * 4e18)) };
  const at = Math.floor(random() * frame.length);
  const inserted = Uint8Array.from({ length: 1 + Math.floor(random() * 8) }, () =>
    Math.floor(random() * 256),
  );
  return { ...packet, frame: Uint8Array.of(...frame.subarray(0, at), ...inserted, ...frame.subarray(at)) };
}

function fragmentsOf(random: Random): Uint8Array[] {
  const payload = tcp({ from: 4000, to: 80, seq: 1, payload: 'GET / HTTP/1.1\r\nHost: f\r\n\r\n' });
  const four = ipv4Fragments({ from: '10.0.0.1', to: '10.0.0.2', payload, id: Math.floor(random() * 3) }, 16);
  const six = ipv6Fragments({ from: '::1', to: '::2', payload }, 16, Math.floor(random() * 3));
  return [...four, ...six].map((network: Network) => ethernet(network));
}

describe('the pipeline never throws and keeps its ledger balanced', () => {
  it('on random bytes of every link type', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            frame: fc.uint8Array({ maxLength: 120 }),
            linkType: fc.constantFrom(...LINK_TYPES),
            originalBytes: fc.oneof(fc.nat(200), fc.nat(2 ** 31)),
            timeNs: fc.bigInt({ min: START_NS - 10n ** 12n, max: START_NS + 10n ** 12n }),
          }),
          { maxLength: 60 },
        ),
        (packets) => {
          const { ledger } = runPackets(
            packets.map((packet) => ({
              ...packet,
              originalBytes: Math.max(packet.frame.length, packet.originalBytes),
            })),
          );
          expect(ledger.imbalances()).toEqual([]);
          expect(ledger.packetsRead).toBe(packets.length);
        },
      ),
      { numRuns: fuzzRuns(80) },
    );
  });

  it('on headers with random content behind them', () => {
    fc.assert(
      fc.property(fc.nat(), fc.constantFrom(...WRAPPING_NAMES), (seed, name) => {
        const random = seededRandom(seed);
        const { segments } = traffic(
          { connections: 1, exchanges: 2, pipelined: 2, largestBodyBytes: 100 },
          random,
        );
        const { linkType } = WRAPPINGS[name];
        const packets = framesOf(segments, name).map(({ frame, timeNs }) => {
          const noisy = frame.slice();
          for (let at = Math.floor(random() * noisy.length); at < noisy.length; at += 1) {
            noisy[at] = Math.floor(random() * 256);
          }
          return { frame: noisy, timeNs, linkType };
        });
        expect(runPackets(packets).ledger.imbalances()).toEqual([]);
      }),
      { numRuns: fuzzRuns(50) },
    );
  });

  it.each([
    ['with the usual limits', {}],
    ['with very small limits', {
      connections: 2, closedConnections: 1, pendingBytesPerDirection: 700, pendingBytesTotal: 1500,
      reorderPackets: 2, fragmentedDatagrams: 2, fragmentBytes: 60, headBytes: 40, pendingRequests: 2,
    }],
  ])('on damaged traffic, %s', (_name, limits) => {
    fc.assert(
      fc.property(fc.nat(), fc.constantFrom(...WRAPPING_NAMES), (seed, name) => {
        const random = seededRandom(seed);
        const { segments } = traffic({ connections: 2, exchanges: 4, pipelined: 3, largestBodyBytes: 800 }, random);
        const { linkType } = WRAPPINGS[name];
        const part = random();
        const packets = framesOf(segments, name).flatMap((timed) => {
          const packet = { ...timed, linkType };
          const extra = linkType === 1 && random() < 0.1 ? fragmentsOf(random).map((frame) => ({ ...packet, frame })) : [];
          return [packet, ...extra].map((one) => (random() < part ? damaged(one, random) : one));
        });
        const { ledger } = runPackets(packets, { limits });
        expect(ledger.imbalances()).toEqual([]);
        expect(ledger.packetsRead).toBe(packets.length);
      }),
      { numRuns: fuzzRuns(80) },
    );
  }); // biome-ignore format: one table

  it('on damaged HTTP in sound packets', () => {
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const random = seededRandom(seed);
        const { segments } = traffic(
          { connections: 2, exchanges: 5, pipelined: 3, largestBodyBytes: 300 },
          random,
        );
        const broken = segments.map((segment) => {
          if (segment.payload.length === 0 || random() < 0.5) return segment;
          const payload = segment.payload.slice();
          for (let count = 1 + random() * 3; count > 1; count -= 1) {
            const odd = '\r\n\0 :,;0f+GH'.charCodeAt(Math.floor(random() * 13));
            payload[Math.floor(random() * payload.length)] =
              random() < 0.7 ? odd : Math.floor(random() * 256);
          }
          return { ...segment, payload };
        });
        expect(runPackets(framesOf(broken), { limits: { headBytes: 300 } }).ledger.imbalances()).toEqual([]);
      }),
      { numRuns: fuzzRuns(80) },
    );
  });
});

describe('a damaged capture file', () => {
  it('gives a balanced ledger or one clear error', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.boolean(), async (seed, ng) => {
        const random = seededRandom(seed);
        const { segments } = traffic(
          { connections: 1, exchanges: 4, pipelined: 2, largestBodyBytes: 300 },
          random,
        );
        const packets = framesOf(segments);
        const file = (ng ? pcapngFile(packets) : pcapFile(packets)).slice();
        for (let count = 1 + random() * 20; count > 1; count -= 1) {
          file[Math.floor(random() * file.length)] = Math.floor(random() * 256);
        }
        const cut = random() < 0.3 ? file.subarray(0, Math.floor(random() * file.length)) : file;
        await withFiles([cut], async (paths) => {
          try {
            const clock = { epochSeconds: null };
            const source = await openCaptures(paths, { clock, limits: LIMITS });
            const run = await runPipeline(source, clock, [], {
              limits: LIMITS,
              ports: null,
              reveal: false,
              checksums: false,
            });
            expect(run.ledger.imbalances()).toEqual([]);
          } catch (error) {
            expect(error).toBeInstanceOf(UserError);
          }
        });
      }),
      { numRuns: fuzzRuns(60) },
    );
  });
});
