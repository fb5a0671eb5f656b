import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { conversation, type Segment, type Side } from '../fixtures/build/conversation.ts';
import {
  duplicate,
  lose,
  reorder,
  resegment,
  retransmit,
  seededRandom,
} from '../fixtures/build/transform.ts';
import type { Exchange } from '../src/model/exchange.ts';
import { exchangeUid } from '../src/model/exchange-uid.ts';
import { fuzzRuns, inShort, packetsOf, runPackets, runSegments } from './pipeline-run.ts';
import { type TrafficOptions, traffic } from './traffic.ts';

const SHAPE: TrafficOptions = { connections: 3, exchanges: 6, pipelined: 3, largestBodyBytes: 3000 };
const GET = (target: string): string => `GET ${target} HTTP/1.1\r\nHost: shop\r\n\r\n`;
const OK = (body: string): string => `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

const hex = (number: number): string => (number >>> 0).toString(16).padStart(8, '0');

/** The bytes of one direction of a connection and the sequence number of the first one, from the segments alone. */
function streams(segments: readonly Segment[]): { text: string; seq: number }[] {
  const byDirection = new Map<string, Segment[]>();
  for (const segment of segments) {
    const name = `${segment.from.address}:${segment.from.port} ${segment.to.address}:${segment.to.port}`;
    byDirection.set(name, [...(byDirection.get(name) ?? []), segment]);
  }
  return [...byDirection.values()].map((list) => {
    const opening = list[0] as Segment;
    const seq = (opening.seq + 1) >>> 0;
    const bytes: number[] = [];
    for (const one of list)
      one.payload.forEach((byte, at) => {
        bytes[(one.seq + at - seq) >>> 0] = byte;
      });
    return { text: Buffer.from(bytes).toString('latin1'), seq };
  });
}

/** Where a text stands that there is once. */
function sequenceOf(list: readonly { text: string; seq: number }[], text: string): number {
  const found = list.filter((stream) => stream.text.includes(text));
  expect(found.length).toBe(1);
  const [stream] = found as [{ text: string; seq: number }];
  return stream.seq + stream.text.indexOf(text);
}

const byTarget = (exchanges: readonly Exchange[]): Map<string, string | null> =>
  new Map(
    exchanges.flatMap((one) =>
      one.request === null ? [] : [[one.request.target, exchangeUid(one)] as const],
    ),
  );

/** Uids of complete exchanges: those that a second capture has as well must be the same. */
function expectShared(one: readonly Exchange[], other: readonly Exchange[], atLeast: number): void {
  const known = byTarget(one);
  let shared = 0;
  for (const exchange of other) {
    if (exchange.request === null || exchange.response === null) continue;
    expect(exchangeUid(exchange)).toBe(known.get(exchange.request.target));
    shared += 1;
  }
  expect(shared).toBeGreaterThanOrEqual(atLeast);
}

function expectDistinct(exchanges: readonly Exchange[]): void {
  const uids = exchanges.map((one) => `${one.connection.id} ${exchangeUid(one)}`);
  expect(uids.some((uid) => uid.endsWith('null'))).toBe(false);
  expect(new Set(uids).size).toBe(uids.length);
}

/** Behind source and destination NAT: other addresses, other ports, the same sequence numbers. */
function translated(segments: readonly Segment[]): Segment[] {
  const other = ({ address, port }: Side): Side =>
    port === 80
      ? { address: '10.244.1.7', port: 8080 }
      : { address: address.replace(/^10\.0\./, '172.16.'), port: port + 1 };
  return segments.map((segment) => ({ ...segment, from: other(segment.from), to: other(segment.to) }));
}

describe('the uid of an exchange', () => {
  it('is the sequence numbers of its first bytes, also where they run over', () => {
    fc.assert(
      fc.property(fc.nat(), fc.option(fc.nat(9000), { nil: null }), (seed, back) => {
        const sequence =
          back === null ? {} : { sequence: { client: 2 ** 32 - 1 - back, server: 2 ** 32 - 1 - back } };
        const { planned, segments } = traffic(
          { ...SHAPE, ...sequence, connections: back === null ? 3 : 1 },
          seededRandom(seed),
        );
        const found = byTarget(runSegments(segments).exchanges);
        const sent = streams(segments);
        for (const { method, target, status } of planned) {
          const request = sequenceOf(sent, `${method} ${target} HTTP/1.1\r\n`);
          const response = sequenceOf(sent, `HTTP/1.1 ${status} ${target.replaceAll('/', '_')}\r\n`);
          expect(found.get(target)).toBe(hex(request) + hex(response));
        }
      }),
      { numRuns: fuzzRuns(30) },
    );
  });

  it('is the same behind address translation, in VLANs, in disorder, sent again and cut otherwise', () => {
    fc.assert(
      fc.property(fc.nat(), fc.boolean(), (seed, wrapped) => {
        const random = seededRandom(seed);
        const { planned, segments } = traffic(SHAPE, random);
        const here = runSegments(segments).exchanges;
        const cut = resegment(segments, () => 1 + Math.floor(random() * 900));
        const there = translated(reorder(duplicate(retransmit(cut, 0.1, random), 0.1, random), 4, random));
        const seen = runPackets(packetsOf(there, wrapped ? 'vlan' : 'ethernet')).exchanges;
        expectShared(here, seen, planned.length);
        expectDistinct(here);
        expectDistinct(seen);
      }),
      { numRuns: fuzzRuns(30) },
    );
  });

  it('is the same in a capture that begins in the middle or misses packets', () => {
    fc.assert(
      fc.property(
        fc.nat(),
        fc.double({ min: 0, max: 0.9, noNaN: true }),
        fc.boolean(),
        (seed, from, lossy) => {
          const random = seededRandom(seed);
          const { segments } = traffic({ ...SHAPE, pipelined: 1 }, random);
          const here = runSegments(segments).exchanges;
          const later = segments.slice(Math.floor(segments.length * from));
          const there = runSegments(lossy ? lose(later, 0.1, random) : later).exchanges;
          expectShared(
            here,
            there.filter(({ pairing }) => pairing === 'exact'),
            0,
          );
          expectDistinct(there);
        },
      ),
      { numRuns: fuzzRuns(60) },
    );
  });

  it('of a request without response is the same wherever it was seen, and is where the response would begin', () => {
    const talk = () =>
      conversation({ clientSeq: 0xffff_ff00, serverSeq: 5000 })
        .handshake()
        .fromClient(GET('/a'))
        .fromServer(OK('one'))
        .fromClient(GET('/lost'))
        .ack('server');
    const { segments } = talk();
    const [, whole] = runSegments(segments).exchanges as [Exchange, Exchange];
    expect(inShort(whole)).toBe('GET /lost -> (capture-ended)');
    const later = runSegments(translated(segments.slice(-2))).exchanges;
    expect(later.map(inShort)).toEqual(['GET /lost -> (capture-ended)']);
    const start = 0xffff_ff00 + 1 + GET('/a').length;
    expect(exchangeUid(whole)).toBe(hex(start) + hex(5001 + OK('one').length));
    expect(exchangeUid(later[0] as Exchange)).toBe(exchangeUid(whole));
    // Another capture of it has the response: the same exchange.
    const answered = runSegments(talk().fromServer(OK('two')).segments).exchanges;
    expect(exchangeUid(answered[1] as Exchange)).toBe(exchangeUid(whole));
  });

  it('of a response without request is the same wherever it was seen, and no request can have it', () => {
    const { segments } = conversation({ clientSeq: 10, serverSeq: 77 })
      .handshake()
      .fromClient(GET('/unseen'), { captured: false })
      .fromServer(OK('one'))
      .ack('client');
    const here = runSegments(segments).exchanges;
    const there = runSegments(translated(segments.slice(3))).exchanges;
    expect(here.map(inShort)).toEqual(['? -> 200']);
    expect(there.map(inShort)).toEqual(['? -> 200']);
    expect(exchangeUid(here[0] as Exchange)).toBe(hex(~(11 + GET('/unseen').length)) + hex(78));
    expect(there.map(exchangeUid)).toEqual(here.map(exchangeUid));
  });
});
