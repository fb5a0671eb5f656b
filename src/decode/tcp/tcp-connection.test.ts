import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { conversation, type Segment, START_NS } from '../../../fixtures/build/conversation.ts';
import { framesOf } from '../../../fixtures/build/frames.ts';
import {
  duplicate,
  lose,
  type Random,
  reorder,
  resegment,
  retransmit,
  seededRandom,
} from '../../../fixtures/build/transform.ts';
import type { Connection } from '../../../src/model/exchange.ts';
import { fuzzRuns } from '../../../test/pipeline-run.ts';
import { Ledger } from '../../model/ledger.ts';
import { LIMITS, type Limits } from '../../model/limits.ts';
import { emptyPacket } from '../../model/packet.ts';
import { type Direction, FROM_CLIENT, FROM_SERVER, type StreamConsumer } from '../../model/stream.ts';
import { Decoder } from '../decoder.ts';
import { TcpTracker } from './tcp-tracker.ts';

/** One direction as it was handed on: bytes, with -1 for each missing one. */
type Stream = number[];

class Recorder implements StreamConsumer {
  readonly streams: [Stream, Stream] = [[], []];
  /** `c5` five bytes of the client, `s-3` a gap of three in what the server sent, `cF` its FIN, `sR` its reset. */
  readonly log: string[] = [];
  readonly #first: [number, number] = [-1, -1];
  readonly #next: [number, number] = [-1, -1];
  /** Set when something was delivered before what its segment acknowledges. */
  broken: string | null = null;

  data(direction: Direction, bytes: Uint8Array, start: number, end: number, offset: number): void {
    this.#follow(direction, offset, end - start);
    for (let at = start; at < end; at += 1) this.streams[direction].push(bytes[at] as number);
    this.#note(`${direction === FROM_CLIENT ? 'c' : 's'}${end - start}`);
  }

  gap(direction: Direction, offset: number, length: number): void {
    this.#follow(direction, offset, length);
    for (let at = 0; at < Math.min(length, 100_000); at += 1) this.streams[direction].push(-1);
    this.#note(`${direction === FROM_CLIENT ? 'c' : 's'}-${length}`);
  }

  fin(direction: Direction): void {
    this.#note(direction === FROM_CLIENT ? 'cF' : 'sF');
  }

  reset(by: Direction): void {
    this.#note(by === FROM_CLIENT ? 'cR' : 'sR');
  }

  anomaly(_direction: Direction, anomaly: string): void {
    this.#note(anomaly);
  }

  finish(reason: string): void {
    this.#note(reason);
  }

  text(direction: Direction): string {
    return this.streams[direction].map((byte) => (byte < 0 ? '_' : String.fromCharCode(byte))).join('');
  }

  /** Offsets go on without holes and without going back. */
  #follow(direction: Direction, offset: number, length: number): void {
    if (length <= 0) this.broken ??= 'an empty delivery';
    if (this.#first[direction] < 0) this.#first[direction] = offset;
    else if (offset !== this.#next[direction])
      this.broken ??= `offset ${offset}, expected ${this.#next[direction]}`;
    this.#next[direction] = offset + length;
  }

  #note(text: string): void {
    this.log.push(text);
  }
}

interface Reassembled {
  readonly recorders: readonly Recorder[];
  readonly connections: readonly Connection[];
  readonly ledger: Ledger;
}

function reassemble(segments: readonly Segment[], limits: Partial<Limits> = {}): Reassembled {
  const all = { ...LIMITS, ...limits };
  const ledger = new Ledger();
  const recorders: Recorder[] = [];
  const connections: Connection[] = [];
  const decoder = new Decoder({ limits: all, checksums: false });
  const tracker = new TcpTracker({
    onSegment: null,
    onSighting: null,
    limits: all,
    ledger,
    consumerFor: () => {
      const recorder = new Recorder();
      recorders.push(recorder);
      return recorder;
    },
    onConnection: (connection) => connections.push(connection),
  });
  const packet = emptyPacket();
  const buffer = new Uint8Array(70_000);
  framesOf(segments).forEach(({ frame, timeNs }, index) => {
    buffer.set(frame);
    Object.assign(packet, {
      bytes: buffer,
      end: frame.length,
      originalBytes: frame.length,
      timeNs: Number(timeNs - START_NS),
      linkType: 1,
      number: index + 1,
    });
    if (decoder.decode(packet) === null && !tracker.isFurtherSighting(decoder.frame, packet, true))
      tracker.segment(decoder.frame, packet);
    buffer.fill(0xee, 0, frame.length);
  });
  tracker.finish();
  for (const { broken } of recorders) expect(broken).toBeNull();
  const { payloadBytes, deliveredBytes, duplicateBytes, cutBytes, discardedBytes } = ledger;
  expect(deliveredBytes + duplicateBytes + cutBytes + discardedBytes).toBe(payloadBytes);
  expect(ledger.connectionsClosed).toBe(ledger.connectionsOpened);
  return { recorders, connections, ledger };
}

/** What a single connection was reassembled to. */
function one(
  segments: readonly Segment[],
  limits: Partial<Limits> = {},
): Reassembled & { recorder: Recorder } {
  const result = reassemble(segments, limits);
  expect(result.recorders.length).toBe(1);
  return { ...result, recorder: result.recorders[0] as Recorder };
}

/** The slow, obviously right way: an array of bytes, where the first byte seen at a place stays. */
function oracle(segments: readonly Segment[], fromClient: boolean, firstSeq: number): Map<number, number> {
  const bytes = new Map<number, number>();
  for (const segment of segments) {
    if (segment.fromClient !== fromClient) continue;
    segment.payload.forEach((byte, index) => {
      const place = (segment.seq + index - firstSeq) | 0;
      if (place >= 0 && !bytes.has(place)) bytes.set(place, byte);
    });
  }
  return bytes;
}

const CLIENT_SEQ = 1000;
const SERVER_SEQ = 500_000;

/** Random bytes to and fro. */
function chatter(random: Random, seqs: { client: number; server: number }): Segment[] {
  const script = conversation({
    clientSeq: seqs.client,
    serverSeq: seqs.server,
    stepMs: 0.1,
    mss: 300,
  }).handshake();
  const turns = 2 + Math.floor(random() * 8);
  for (let turn = 0; turn < turns; turn += 1) {
    // Two at least: captured before the handshake, a single byte below what was acknowledged is a keep-alive probe.
    const bytes = Uint8Array.from({ length: 2 + Math.floor(random() * 900) }, () =>
      Math.floor(random() * 256),
    );
    if (turn % 2 === 0) script.fromClient(bytes);
    else script.fromServer(bytes);
    if (random() < 0.5) script.ack(turn % 2 === 0 ? 'server' : 'client');
  }
  return script.segments;
}

function expectLikeOracle(
  recorder: Recorder,
  segments: readonly Segment[],
  seqs: { client: number; server: number },
): void {
  for (const direction of [FROM_CLIENT, FROM_SERVER]) {
    const fromClient = direction === FROM_CLIENT;
    const expected = oracle(segments, fromClient, ((fromClient ? seqs.client : seqs.server) + 1) >>> 0);
    const found = recorder.streams[direction];
    found.forEach((byte, place) => {
      if (byte !== (expected.get(place) ?? -1)) {
        expect(`${fromClient ? 'client' : 'server'} byte ${place}: ${byte}`).toBe(
          `${expected.get(place) ?? 'missing'}`,
        );
      }
    });
    const last = Math.max(-1, ...expected.keys());
    expect(found.length).toBeGreaterThanOrEqual(last + 1);
  }
}

describe('reassembly gives what a plain array of bytes gives', () => {
  const SEQS: fc.Arbitrary<{ client: number; server: number }> = fc.record({
    client: fc.oneof(
      fc.constant(CLIENT_SEQ),
      fc.integer({ min: 2 ** 32 - 3000, max: 2 ** 32 - 1 }),
      fc.constant(2 ** 31 - 500),
    ),
    server: fc.oneof(fc.constant(SERVER_SEQ), fc.integer({ min: 2 ** 32 - 3000, max: 2 ** 32 - 1 })),
  });

  it.each<[string, (segments: Segment[], random: Random) => Segment[]]>([
    ['cut anyhow', (list, random) => resegment(list, () => 1 + Math.floor(random() * 200))],
    ['in disorder', (list, random) => reorder(list, 20, random)],
    ['sent again in other pieces', (list, random) => retransmit(list, 0.5, random)],
    ['seen twice', (list, random) => duplicate(list, 0.5, random)],
    ['with losses', (list, random) => [...list.slice(0, 3), ...lose(list.slice(3), 0.15, random)]],
    ['with losses and disorder', (list, random) => [...list.slice(0, 3), ...reorder(lose(list.slice(3), 0.1, random), 6, random)]],
    ['with everything', (list, random) =>
      [...list.slice(0, 3), ...reorder(duplicate(retransmit(lose(resegment(list.slice(3), () => 1 + Math.floor(random() * 400)), 0.03, random), 0.2, random), 0.1, random), 8, random)]],
  ])('%s', (_name, transform) => {
    fc.assert(
      fc.property(fc.nat(), SEQS, (seed, seqs) => {
        const random = seededRandom(seed);
        const segments = transform(chatter(random, seqs), random);
        // Where every byte was lost, nobody is told of the connection.
        const { recorders } = reassemble(segments);
        expect(recorders.length).toBeLessThanOrEqual(1);
        expectLikeOracle(recorders[0] ?? new Recorder(), segments, seqs);
      }),
      { numRuns: fuzzRuns(100) },
    );
  }); // biome-ignore format: one table

  it('with gaps exactly where bytes are missing', () => {
    const script = conversation()
      .handshake()
      .fromClient('abcdefghij', { segments: [3, 4] })
      .fromServer('0123456789', { segments: [2, 2, 2] });
    const kept = script.segments.filter((_, index) => index !== 4 && index !== 7 && index !== 9);
    const { recorder, ledger } = one(kept);
    expect(recorder.text(FROM_CLIENT)).toBe('abc____hij');
    expect(recorder.text(FROM_SERVER)).toBe('01__45');
    expect([ledger.gaps, ledger.gapBytes]).toEqual([2, 6]);
  });

  it('and the end of a direction that the peer acknowledged but nobody saw is a gap', () => {
    const script = conversation()
      .handshake()
      .fromClient('abc')
      .fromServer('0123')
      .fromServer('456789', { captured: false })
      .ack('client')
      .fin();
    expect(one(script.segments).recorder.text(FROM_SERVER)).toBe('0123______');
  });
});

describe('the first byte seen at a place wins', () => {
  it.each<[string, (script: ReturnType<typeof conversation>) => void, string, boolean]>([
    ['delivered already', (script) => script.fromClient('abcdef').again('client', 2, 'XXXXgh'), 'abcdefgh', false],
    ['waiting', (script) => script.fromClient('abc', { captured: false }).fromClient('def').again('client', 1, 'XXXXX').again('client', 0, 'a'), 'aXXdef', true],
    ['equal bytes are no conflict', (script) => script.fromClient('abc', { captured: false }).fromClient('def').again('client', 0, 'abcdef'), 'abcdef', false],
  ])('%s', (_name, build, expected, conflict) => {
    const script = conversation().handshake();
    build(script);
    const { recorder } = one(script.segments);
    expect(recorder.text(FROM_CLIENT)).toBe(expected);
    expect(recorder.log.includes('overlap-conflict')).toBe(conflict);
  }); // biome-ignore format: one table
});

describe('the life of a connection', () => {
  it.each<[string, readonly Segment[], string]>([
    ['opened and closed', conversation().handshake().fromClient('ab').fromServer('cd').fin().segments, 'c2 s2 cF sF closed'],
    ['never closed', conversation().handshake().fromClient('ab').segments, 'c2 capture-ended'],
    ['closed by one side', conversation().handshake().fromClient('ab').fin('client').fromServer('cd').segments, 'c2 cF s2 capture-ended'],
    ['reset', conversation().handshake().fromClient('ab').reset('server').segments, 'c2 sR closed'],
    ['a reset far outside of the window is somebody else', conversation({ serverSeq: 900_000_000 }).handshake().fromClient('ab').segments.concat(conversation({ serverSeq: 5 }).reset('server').segments), 'c2 capture-ended'],
    ['a SYN that is sent again', [...conversation().handshake().segments.slice(0, 1), ...conversation().handshake().fromClient('ab').segments], 'c2 capture-ended'],
    ['data with the FIN', conversation().handshake().fromClient('ab').fromServer('cd', { flags: ['fin', 'ack'] }).segments, 'c2 s2 sF capture-ended'],
    ['a keep-alive probe with a byte', conversation().handshake().fromClient('ab').keepAlive('client', true).fromServer('cd').segments, 'c2 s2 capture-ended'],
    ['a keep-alive probe without one', conversation().handshake().fromClient('ab').keepAlive('client').fromServer('cd').segments, 'c2 s2 capture-ended'],
    ['a FIN that came before the last data', reorderLast(conversation().handshake().fromClient('ab').fromServer('cd').fin('server').segments), 'c2 s2 sF capture-ended'],
    ['in mid-stream', conversation().fromClient('ab').fromServer('cd').segments, 'c2 s2 capture-ended'],
    ['in mid-stream, the server first', conversation().fromServer('cd').fromClient('ab').segments, 's2 c2 capture-ended'],
    ['one side only', conversation().handshake({ synAck: false }).fromClient('ab').fromClient('cd').segments, 'c2 c2 capture-ended'],
    ['only its SYN', conversation().handshake({ synAck: false, ack: false }).segments, ''],
  ])('%s', (_name, segments, log) => {
    const { recorders, connections } = reassemble(segments);
    expect(connections.length).toBe(1);
    expect((recorders[0]?.log ?? []).join(' ')).toBe(log);
  }); // biome-ignore format: one table

  it('data after a FIN is handed on too', () => {
    const script = conversation().handshake().fromClient('ab').fin('client').fromClient('late');
    const { recorder, ledger } = one(script.segments);
    expect(recorder.text(FROM_CLIENT).replaceAll('_', '')).toContain('late');
    expect(ledger.discardedBytes).toBe(0);
  });

  it('the same ports used again are another connection', () => {
    const first = conversation({ clientSeq: 1000 }).handshake().fromClient('one').fin().segments;
    for (const clientSeq of [1000 + 1_000_000, 5, 1003]) {
      for (const closed of [true, false]) {
        const before = closed ? first : first.slice(0, 4);
        const second = conversation({ clientSeq, startNs: START_NS + 5_000_000_000n })
          .handshake()
          .fromClient('two').segments;
        const { recorders } = reassemble([...before, ...second]);
        expect(recorders.map((recorder) => recorder.text(FROM_CLIENT))).toEqual(['one', 'two']);
      }
    }
  });

  it('a stream that goes on far away is found again, and a stray segment is not followed', () => {
    const script = conversation().handshake().fromClient('abc');
    const far = conversation({ clientSeq: 1_500_000_000, startNs: START_NS + 50_000_000n });
    const stray = far.fromClient('far away').segments;
    expect(one([...script.segments, ...stray]).ledger.discardedBytes).toBe(8);
    for (let n = 0; n < 6; n += 1) far.fromClient('x');
    const { recorder } = one([...script.segments, ...far.segments]);
    expect(recorder.text(FROM_CLIENT).startsWith('abc_')).toBe(true);
    expect(recorder.text(FROM_CLIENT).endsWith('xxx')).toBe(true);
  });
});

function reorderLast(segments: readonly Segment[]): Segment[] {
  const list = [...segments];
  const last = list.pop() as Segment;
  list.splice(list.length - 1, 0, last);
  return list;
}

describe('what a segment acknowledges is delivered before it', () => {
  it('whatever the order within 30 packets', () => {
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const random = seededRandom(seed);
        const script = conversation({ stepMs: 0.1 }).handshake();
        const lengths: number[] = [];
        for (let turn = 0; turn < 10; turn += 1) {
          const length = 1 + Math.floor(random() * 50);
          lengths.push(length);
          const text = 'x'.repeat(length);
          if (turn % 2 === 0) script.fromClient(text);
          else script.fromServer(text);
        }
        const opening = script.segments.slice(0, 3);
        const { recorder } = one([...opening, ...reorder(script.segments.slice(3), 30, random)]);
        const expected = lengths.map((length, turn) => `${turn % 2 === 0 ? 'c' : 's'}${length}`);
        expect(recorder.log.slice(0, -1)).toEqual(expected);
      }),
      { numRuns: fuzzRuns(200) },
    );
  });

  it('or known to be missing', () => {
    const script = conversation()
      .handshake()
      .fromClient('question')
      .fromServer('answer')
      .fromClient('next')
      .fromServer('last');
    const withoutQuestion = script.segments.filter((_, index) => index !== 3);
    expect(one(withoutQuestion).recorder.log.join(' ')).toBe('c-8 s6 c4 s4 capture-ended');
  });
});

describe('budgets', () => {
  it('of waiting bytes: the hole becomes a gap, and is counted', () => {
    const script = conversation({ stepMs: 0.01 })
      .handshake()
      .fromClient('a'.repeat(100), { captured: false })
      .fromClient('b'.repeat(3000), { segments: 30 });
    const { recorder, ledger } = one(script.segments, { pendingBytesPerDirection: 1000 });
    expect(recorder.log[0]).toBe('c-100');
    expect(recorder.streams[FROM_CLIENT].length).toBe(3100);
    expect(ledger.evictedPending).toBe(1);
  });

  it('keep the order and the bytes in any disorder', () => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 200, max: 3000 }), (seed, budget) => {
        const random = seededRandom(seed);
        const seqs = { client: CLIENT_SEQ, server: SERVER_SEQ };
        const list = chatter(random, seqs);
        const segments = [...list.slice(0, 3), ...reorder(list.slice(3), 40, random)];
        const { recorder } = one(segments, {
          pendingBytesPerDirection: budget,
          pendingBytesTotal: budget * 2,
          reorderPackets: 5,
        });
        // Bytes may count as missing although they came later; those that are there are the right ones.
        for (const direction of [FROM_CLIENT, FROM_SERVER]) {
          const expected = oracle(
            segments,
            direction === FROM_CLIENT,
            (direction === FROM_CLIENT ? seqs.client : seqs.server) + 1,
          );
          const wrong = recorder.streams[direction].filter(
            (byte, place) => byte >= 0 && byte !== expected.get(place),
          );
          expect(wrong).toEqual([]);
        }
      }),
      { numRuns: fuzzRuns(100) },
    );
  });
});
