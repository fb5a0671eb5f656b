import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pcapFile, pcapngFile, type RecordedPacket } from '../fixtures/build/capture-file.ts';
import type { Segment } from '../fixtures/build/conversation.ts';
import { framesOf, WRAPPING_NAMES, WRAPPINGS, type WrappingName } from '../fixtures/build/frames.ts';
import {
  dealOut,
  duplicate,
  interleave,
  type Random,
  reorder,
  resegment,
  retransmit,
  rotate,
  seededRandom,
  toIpv6,
} from '../fixtures/build/transform.ts';
import { openCaptures } from '../src/capture/open.ts';
import type { Exchange } from '../src/model/exchange.ts';
import type { Ledger } from '../src/model/ledger.ts';
import { LIMITS } from '../src/model/limits.ts';
import type { ExchangeSink } from '../src/model/sink.ts';
import { runPipeline } from '../src/pipeline.ts';
import { withFiles } from './capture-reading.ts';
import { fuzzRuns, packetsOf, runPackets, runSegments } from './pipeline-run.ts';
import { type Planned, type TrafficOptions, traffic } from './traffic.ts';

const SHAPE: TrafficOptions = { connections: 2, exchanges: 5, pipelined: 3, largestBodyBytes: 2500 };

/** Everything of an exchange but its numbers, its addresses and its times. */
function essence(exchange: Exchange) {
  const { request, response, interim, pairing, outcome, ending, anomalies, position, connection } = exchange;
  return {
    connection: connection.client.port,
    opening: connection.opening,
    position,
    request: request && [
      request.method,
      request.target,
      request.version,
      request.host,
      request.headerBytes,
      request.bodyBytes,
      request.lostBytes,
    ],
    response: response && [
      response.status,
      response.reason,
      response.version,
      response.headers,
      response.headerBytes,
      response.bodyBytes,
      response.lostBytes,
    ],
    interim: interim.map(({ status }) => status),
    pairing,
    outcome,
    ending,
    anomalies: [...anomalies].sort(),
  };
}

type Essence = ReturnType<typeof essence>;

function essences(exchanges: readonly Exchange[]): Essence[] {
  return exchanges.map(essence).sort((a, b) => a.connection - b.connection || a.position - b.position);
}

/** Pipelining shows itself in when a request came, which disorder may hide; and so may it hide the opening. */
function withoutTiming(list: readonly Essence[]): Essence[] {
  const timing = new Set(['pipelined', 'early-response', 'mid-stream']);
  return list.map((one) => ({ ...one, anomalies: one.anomalies.filter((name) => !timing.has(name)) }));
}

function originalOf(planned: readonly Planned[], segments: readonly Segment[]): Essence[] {
  const run = runSegments(segments);
  expect(run.ledger.imbalances()).toEqual([]);
  expect(run.exchanges.length).toBe(planned.length);
  expect(run.exchanges.every(({ pairing, outcome }) => pairing === 'exact' && outcome === 'complete')).toBe(
    true,
  );
  return essences(run.exchanges);
}

/** The same exchanges come out of what `transform` makes of the traffic. */
function staysTheSame(
  transform: (segments: readonly Segment[], random: Random) => readonly Segment[],
  options: { runs?: number; shape?: TrafficOptions; timing?: boolean } = {},
): void {
  fc.assert(
    fc.property(fc.nat(), (seed) => {
      const random = seededRandom(seed);
      const { planned, segments } = traffic(options.shape ?? SHAPE, random);
      const original = originalOf(planned, segments);
      const run = runSegments(transform(segments, random));
      const found = essences(run.exchanges);
      if (options.timing === false) expect(withoutTiming(found)).toEqual(withoutTiming(original));
      else expect(found).toEqual(original);
      expect(run.ledger.imbalances()).toEqual([]);
      expect(run.ledger.gapBytes).toBe(0);
    }),
    { numRuns: fuzzRuns(options.runs ?? 20) },
  );
}

const anywhere = (random: Random, most: number): number => 1 + Math.floor(random() * most);

describe('the same exchanges and a balanced ledger', () => {
  it('however the bytes are cut into segments', () => {
    staysTheSame((segments, random) => {
      const most = anywhere(random, 400);
      return resegment(segments, () => anywhere(random, most));
    });
  });

  it('when every segment is one byte', () => {
    const shape = { connections: 1, exchanges: 3, pipelined: 2, largestBodyBytes: 300 };
    staysTheSame((segments) => resegment(segments, () => 1), { shape, runs: 10 });
  });

  it.each([2, 8, 30])('when packets come up to %d places late, those of the handshake too', (places) => {
    staysTheSame((segments, random) => reorder(segments, places, random), { timing: false });
  });

  it('when small segments come in disorder', () => {
    staysTheSame(
      (segments, random) =>
        reorder(
          resegment(segments, () => anywhere(random, 300)),
          20,
          random,
        ),
      { timing: false },
    );
  });

  it('when packets are there twice', () => {
    staysTheSame((segments, random) => duplicate(segments, 0.4, random));
  });

  it('when bytes are sent again, in part or in other pieces', () => {
    staysTheSame((segments, random) => retransmit(segments, 0.4, random));
  });

  it('when all of that happens at once', () => {
    staysTheSame(
      (segments, random) =>
        reorder(
          duplicate(
            retransmit(
              resegment(segments, () => anywhere(random, 700)),
              0.2,
              random,
            ),
            0.1,
            random,
          ),
          6,
          random,
        ),
      { timing: false, runs: 30 },
    );
  });

  it('when sequence numbers run over their end', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(4000), fc.nat(4000), (seed, clientBack, serverBack) => {
        const sequence = { client: 2 ** 32 - 1 - clientBack, server: 2 ** 32 - 1 - serverBack };
        const wrapping = traffic({ ...SHAPE, sequence }, seededRandom(seed));
        const plain = traffic({ ...SHAPE, sequence: { client: 1, server: 1 } }, seededRandom(seed));
        expect(essences(runSegments(wrapping.segments).exchanges)).toEqual(
          originalOf(plain.planned, plain.segments),
        );
        const disordered = reorder(wrapping.segments, 6, seededRandom(seed));
        expect(withoutTiming(essences(runSegments(disordered).exchanges))).toEqual(
          withoutTiming(originalOf(plain.planned, plain.segments)),
        );
      }),
      { numRuns: fuzzRuns(15) },
    );
  });

  it('over IPv6', () => {
    staysTheSame((segments) => toIpv6(segments), { runs: 20 });
  });

  it.each(WRAPPING_NAMES)('in %s, and in disorder there', (wrapping: WrappingName) => {
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const random = seededRandom(seed);
        const { planned, segments } = traffic(SHAPE, random);
        const original = originalOf(planned, segments);
        const run = runSegments(segments, {}, wrapping);
        expect(essences(run.exchanges)).toEqual(original);
        const late = runPackets(reorder(packetsOf(segments, wrapping), 5, random));
        expect(withoutTiming(essences(late.exchanges))).toEqual(withoutTiming(original));
        expect([...run.ledger.imbalances(), ...late.ledger.imbalances()]).toEqual([]);
      }),
      { numRuns: fuzzRuns(2) },
    );
  });

  it('with other connections between', () => {
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const random = seededRandom(seed);
        const { planned, segments } = traffic(SHAPE, random);
        const original = originalOf(planned, segments);
        const others = traffic({ ...SHAPE, connections: 4 }, random).segments.map((segment) => ({
          ...segment,
          from: elsewhere(segment.from),
          to: elsewhere(segment.to),
        }));
        const run = runSegments(interleave(segments, others));
        const mine = run.exchanges.filter(({ client }) => client.address.startsWith('10.0.1.'));
        expect(essences(mine)).toEqual(original);
        expect(run.ledger.imbalances()).toEqual([]);
      }),
      { numRuns: fuzzRuns(20) },
    );
  });

  it('when two interfaces see every packet: each counts once', () => {
    fc.assert(
      fc.property(fc.nat(), fc.boolean(), (seed, sameInterface) => {
        const random = seededRandom(seed);
        const { planned, segments } = traffic(SHAPE, random);
        const original = originalOf(planned, segments);
        const packets = packetsOf(segments).flatMap((packet) => [
          packet,
          { ...packet, interfaceNumber: sameInterface ? 0 : 1, timeNs: packet.timeNs + 20_000n },
        ]);
        const run = runPackets(packets);
        expect(essences(run.exchanges)).toEqual(original);
        expect(run.ledger.imbalances()).toEqual([]);
        expect(run.ledger.segments).toBe(segments.length);
        expect(run.ledger.duplicateBytes).toBe(0);
        for (const { connection, tcp } of run.exchanges) {
          expect(connection.fromClient.retransmissions + connection.fromServer.retransmissions).toBe(0);
          expect(tcp.responseRetransmissions).toBe(0);
        }
      }),
      { numRuns: fuzzRuns(20) },
    );
  });
});

function elsewhere<T extends { address: string }>(side: T): T {
  return { ...side, address: side.address.replace(/^10\.0\./, '10.7.') };
}

interface FileRun {
  readonly exchanges: Exchange[];
  readonly ledger: Ledger;
}

async function runFiles(files: readonly Uint8Array[], blockBytes?: number): Promise<FileRun> {
  return withFiles(files, async (paths) => {
    const exchanges: Exchange[] = [];
    const sink: ExchangeSink = {
      exchange: (exchange) => exchanges.push(exchange),
      connection: () => {},
      drain: () => null,
      finish: async () => {},
      abort: async () => {},
    };
    const clock = { epochSeconds: null };
    const options = { clock, limits: LIMITS, ...(blockBytes === undefined ? {} : { blockBytes }) };
    const source = await openCaptures(paths, options);
    const { ledger } = await runPipeline(source, clock, [sink], {
      limits: LIMITS,
      ports: null,
      reveal: true,
      checksums: false,
    });
    return { exchanges, ledger };
  });
}

describe('the same exchanges, with their times, out of', () => {
  const FORMS: readonly [string, (packets: RecordedPacket[], random: Random) => Uint8Array[], number?][] = [
    ['a big-endian pcap', (packets) => [pcapFile(packets, { byteOrder: 'big' })]],
    ['a pcap with nanoseconds', (packets) => [pcapFile(packets, { resolution: 'nano' })]],
    ['a pcapng', (packets) => [pcapngFile(packets)]],
    ['a pcapng in obsolete blocks', (packets) => [pcapngFile(packets, { packetBlock: 'obsolete' })]],
    ['files of a rotation', (packets) => rotate(packets, 4).map((part) => pcapFile(part))],
    ['files of several interfaces', (packets, random) => dealOut(packets, 3, random).map((part) => pcapFile(part))],
    ['pcap and pcapng together', (packets, random) => {
      const [one, two] = dealOut(packets, 2, random) as [RecordedPacket[], RecordedPacket[]];
      return [pcapFile(one), pcapngFile(two)];
    }],
    ['reads of 7 bytes', (packets) => [pcapFile(packets)], 7],
    ['reads of 1000 bytes', (packets) => [pcapngFile(packets)], 1000],
  ]; // biome-ignore format: one table

  it.each(FORMS)('%s', async (_name, write, blockBytes) => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), async (seed) => {
        const random = seededRandom(seed);
        const { segments } = traffic({ ...SHAPE, largestBodyBytes: 800 }, random);
        // Whole microseconds and different ones, so that every form keeps them and merging keeps the order.
        const packets = framesOf(segments).map(({ frame }, index) => ({
          frame,
          timeNs: 1_700_000_000_000_000_000n + BigInt(index) * 137_000n,
        }));
        const timed = ({ exchanges, ledger }: FileRun) => ({
          ledger: ledger.imbalances(),
          list: exchanges
            .map((exchange) => ({
              ...essence(exchange),
              times: [exchange.request, exchange.response].map(
                (one) => one && [one.firstByteNs, one.lastByteNs],
              ),
            }))
            .sort((a, b) => a.connection - b.connection || a.position - b.position),
        });
        const original = timed(await runFiles([pcapFile(packets)]));
        expect(original.ledger).toEqual([]);
        const filled = write(packets, random).filter((file) => file.length > 0);
        expect(timed(await runFiles(filled, blockBytes))).toEqual(original);
      }),
      { numRuns: fuzzRuns(2) },
    );
  });

  it('every link type that has a wrapping of its own', async () => {
    const { segments } = traffic(SHAPE, seededRandom(11));
    const original = essences((await runFiles([pcapFile(framesOf(segments))])).exchanges);
    for (const name of WRAPPING_NAMES) {
      const file = pcapFile(framesOf(segments, name), { linkType: WRAPPINGS[name].linkType });
      expect(essences((await runFiles([file])).exchanges), name).toEqual(original);
    }
  });
});
