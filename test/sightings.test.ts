import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { conversation, type Segment, type Side } from '../fixtures/build/conversation.ts';
import { networkOf } from '../fixtures/build/frames.ts';
import { ethernet, LINK, sll2 } from '../fixtures/build/link.ts';
import { type Random, retransmit, seededRandom } from '../fixtures/build/transform.ts';
import type { Connection, Exchange } from '../src/model/exchange.ts';
import { type FedPacket, fuzzRuns, inShort, runPackets } from './pipeline-run.ts';
import { traffic } from './traffic.ts';

/** A place on the way of a connection's packets: its interface, its addresses, and how long they take to it. */
interface Place {
  readonly interfaceNumber: number;
  /** ns that a packet takes from the client to here. */
  readonly atNs: bigint;
  readonly rewrite?: (side: Side) => Side;
}

/** Every segment at every place: from the client they come in the order of the places, from the server the other way. */
function seenAt(segments: readonly Segment[], places: readonly Place[]): FedPacket[] {
  const packets = segments.flatMap((segment, index) =>
    places.map(({ interfaceNumber, atNs, rewrite = (side) => side }) => ({
      frame: ethernet(
        networkOf({ ...segment, from: rewrite(segment.from), to: rewrite(segment.to) }, (index + 1) & 0xffff),
      ),
      // The times of a script are those at the client.
      timeNs: segment.fromClient ? segment.timeNs + atNs : segment.timeNs - atNs,
      interfaceNumber,
    })),
  );
  return packets.sort((a, b) => (a.timeNs < b.timeNs ? -1 : a.timeNs > b.timeNs ? 1 : 0));
}

const SERVICE: Side = { address: '10.96.0.10', port: 80 };
const POD: Side = { address: '10.244.1.7', port: 8080 };
/** Destination NAT as kube-proxy does it. */
const toPod = (side: Side): Side => (side.address === SERVICE.address ? POD : side);

const US = 1000n;

const GET = (target: string): string => `GET ${target} HTTP/1.1\r\nHost: shop\r\n\r\n`;
const OK = (body: string): string => `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

function keepAlive() {
  return conversation({ client: { address: '10.244.0.5', port: 41_000 }, server: SERVICE, timestamps: true })
    .handshake()
    .fromClient(GET('/a'))
    .fromServer(OK('one'))
    .fromClient(GET('/b'))
    .fromServer(OK('two'))
    .ack('client')
    .fin();
}

const CLIENT_VETH: Place = { interfaceNumber: 0, atNs: 0n };
const SERVER_VETH: Place = { interfaceNumber: 2, atNs: 30n * US, rewrite: toPod };
const BRIDGE: Place = { interfaceNumber: 1, atNs: 10n * US };
const NODE = [CLIENT_VETH, BRIDGE, SERVER_VETH];

/** Exchange by exchange: interface, addresses, and the µs by which the place is behind the first one. */
function hops(exchange: Exchange): string[] {
  const { request, response } = exchange;
  const after = (ns: number | null, from: number | undefined) =>
    ns === null || from === undefined ? '-' : `${(ns - from) / 1000}`;
  return exchange.sightings.map(
    ({ at, requestNs, responseNs }) =>
      `${at.interfaceNumber} ${at.client.text} ${at.server.text} ${after(requestNs, request?.firstByteNs)} ${after(responseNs, response?.firstByteNs)}`,
  );
}

/** Everything that the own place shows by itself. */
function essence({ sightings: _seen, connection, ...exchange }: Exchange) {
  const { request, response, ...rest } = exchange;
  const message = (one: Exchange['request'] | Exchange['response']) =>
    one && [
      one.firstByteNs,
      one.lastByteNs,
      one.startOffset,
      one.headerBytes,
      one.bodyBytes,
      one.lostBytes,
      'method' in one ? one.target : one.status,
    ];
  return { connection: connection.id, ...rest, request: message(request), response: message(response) };
}

function facts({ sightings: _seen, packetsElsewhere: _more, ...connection }: Connection) {
  return connection;
}

describe('a Service address rewritten on the way', () => {
  it('is one connection with its places, and every hop has its times', () => {
    const run = runPackets(seenAt(keepAlive().segments, NODE));
    expect(run.exchanges.map(inShort)).toEqual(['GET /a -> 200', 'GET /b -> 200']);
    expect(run.connections.length).toBe(1);
    for (const exchange of run.exchanges) {
      expect(hops(exchange)).toEqual([
        '0 10.244.0.5:41000 10.96.0.10:80 0 0',
        '1 10.244.0.5:41000 10.96.0.10:80 10 -10',
        '2 10.244.0.5:41000 10.244.1.7:8080 30 -30',
      ]);
    }
    const [connection] = run.connections;
    expect(connection?.sightings.map(({ packets }) => packets)).toEqual([11, 11, 11]);
    expect(run.ledger.imbalances()).toEqual([]);
    expect(run.ledger.segments).toBe(11);
  });

  it('is selected by the port of either address', () => {
    const packets = seenAt(keepAlive().segments, NODE);
    const byService = runPackets(packets, { ports: [80] });
    expect(byService.exchanges.map((one) => one.sightings.length)).toEqual([3, 3]);
    const byPod = runPackets(packets, { ports: [8080] });
    expect(byPod.exchanges.map((one) => `${inShort(one)} ${one.server.text}`)).toEqual([
      'GET /a -> 200 10.244.1.7:8080',
      'GET /b -> 200 10.244.1.7:8080',
    ]);
    for (const run of [byService, byPod]) expect(run.ledger.imbalances()).toEqual([]);
  });

  it('has the bytes that only the other side of the translation shows', () => {
    const packets = seenAt(keepAlive().segments, NODE);
    const isData = ({ frame }: FedPacket) => frame.length > 90;
    // The first place loses the first answer and the second request.
    let lost = 0;
    const kept = packets.filter((packet) => {
      if (packet.interfaceNumber !== 0 || !isData(packet)) return true;
      lost += 1;
      return lost !== 2 && lost !== 3;
    });
    const run = runPackets(kept);
    expect(lost).toBe(4);
    expect(run.exchanges.map(inShort)).toEqual(['GET /a -> 200', 'GET /b -> 200']);
    expect(run.ledger.gaps).toBe(0);
    expect(run.ledger.imbalances()).toEqual([]);
    expect(run.connections[0]?.fromServer.retransmissions).toBe(0);
    const [first, second] = run.exchanges;
    expect(first?.sightings.map(({ at, responseNs }) => [at.interfaceNumber, responseNs !== null])).toEqual([
      [0, false],
      [1, true],
      [2, true],
    ]);
    expect(second?.sightings.map(({ requestNs }) => requestNs !== null)).toEqual([false, true, true]);
  });

  it('is found again in mid-stream, by both sequence numbers and time stamps', () => {
    const run = runPackets(seenAt(keepAlive().segments.slice(3), NODE));
    expect(run.connections.length).toBe(1);
    expect(run.exchanges.map((one) => `${inShort(one)} ${one.sightings.length}`)).toEqual([
      'GET /a -> 200 3',
      'GET /b -> 200 3',
    ]);
  });
});

describe('what is not the same connection', () => {
  /** The same client's SYN, once to a proxy and once to the server, which has another first number. */
  function proxied() {
    const client = { address: '10.244.0.5', port: 41_000 };
    const front = conversation({ client, server: SERVICE, timestamps: true, serverSeq: 7_000_000 })
      .handshake()
      .fromClient(GET('/front'))
      .fromServer(OK('front'))
      .fin();
    const back = conversation({ client, server: POD, timestamps: true, serverSeq: 9_000_000 })
      .handshake()
      .fromClient(GET('/back'))
      .fromServer(OK('back'))
      .fin();
    return [
      ...seenAt(front.segments, [CLIENT_VETH]),
      ...seenAt(back.segments, [{ interfaceNumber: 2, atNs: 30n * US }]),
    ].sort((a, b) => Number(a.timeNs - b.timeNs));
  }

  it.each([
    ['is two connections where the SYN goes on and the answer is another', proxied()],
    [
      'also when the second answer comes before the first',
      proxied().sort((a, b) =>
        Number(
          a.timeNs -
            (a.interfaceNumber === 2 ? 1_500_000n : 0n) -
            (b.timeNs - (b.interfaceNumber === 2 ? 1_500_000n : 0n)),
        ),
      ),
    ],
  ])('%s', (_name, packets) => {
    const run = runPackets(packets);
    expect(run.connections.map(({ server }) => server.text).sort()).toEqual(
      [POD, SERVICE].map(({ address, port }) => `${address}:${port}`).sort(),
    );
    expect(run.exchanges.map(inShort).sort()).toEqual(['GET /back -> 200', 'GET /front -> 200']);
    expect(run.connections.map(({ opening, sightings }) => [opening, sightings.length])).toEqual([
      ['seen', 0],
      ['seen', 0],
    ]);
    expect(run.ledger.imbalances()).toEqual([]);
    expect(run.ledger.segments).toBe(packets.length);
  });
});

describe('a SYN with the same numbers', () => {
  /** The same script on other addresses, its time stamps `later` by so much. */
  function again(later: number): number {
    const { segments } = keepAlive();
    const others = segments.map((segment) => {
      const { timestamps } = segment.options;
      const moved = timestamps && { value: timestamps.value + later, echo: timestamps.echo + later };
      return { ...segment, options: { ...segment.options, ...(moved && { timestamps: moved }) } };
    });
    const packets = [...seenAt(segments, [CLIENT_VETH]), ...seenAt(others, [SERVER_VETH])];
    return runPackets(packets.sort((a, b) => Number(a.timeNs - b.timeNs))).connections.length;
  }

  it('is another connection when its time stamp differs', () => {
    expect([again(0), again(1000)]).toEqual([1, 2]);
  });
});

describe('the limits of sightings', () => {
  it('sightingPlaces: packets at further places are only counted', () => {
    const run = runPackets(seenAt(keepAlive().segments, NODE), { limits: { sightingPlaces: 2 } });
    expect(run.exchanges.map(inShort)).toEqual(['GET /a -> 200', 'GET /b -> 200']);
    expect(
      run.connections.map(({ sightings, packetsElsewhere }) => [sightings.length, packetsElsewhere]),
    ).toEqual([[2, 11]]);
    expect(run.ledger.imbalances()).toEqual([]);
  });

  it('translationMs: a SYN that comes later is one of its own', () => {
    const packets = seenAt(keepAlive().segments, [CLIENT_VETH, { ...SERVER_VETH, atNs: 500_000n }]);
    expect(runPackets(packets, { limits: { translationMs: 1 } }).connections.length).toBe(1);
    expect(runPackets(packets, { limits: { translationMs: 0.4 } }).connections.length).toBe(2);
  });

  it('sightingHoldMs: what the own place does not show is taken after that time', () => {
    const script = keepAlive();
    // Nothing acknowledges the last answer, and the connection stays open; another one goes on in time.
    const segments = script.segments.slice(0, 7);
    const later = conversation({
      client: { address: '10.244.0.9', port: 1 },
      clientSeq: 77,
      startNs: 1_700_000_000_300_000_000n,
    })
      .handshake()
      .fromClient(GET('/later'))
      .fromServer(OK('x'));
    const packets = [...seenAt(segments, NODE), ...seenAt(later.segments, [CLIENT_VETH])].filter(
      ({ interfaceNumber, timeNs }) => interfaceNumber !== 0 || timeNs !== segments[6]?.timeNs,
    );
    const order = (holdMs: number) =>
      runPackets(packets, { limits: { sightingHoldMs: holdMs } }).exchanges.map(inShort);
    expect(order(100)).toEqual(['GET /a -> 200', 'GET /b -> 200', 'GET /later -> 200']);
    expect(order(1000)).toEqual(['GET /a -> 200', 'GET /later -> 200', 'GET /b -> 200']);
  });

  it('sightingHeldBytes: beyond it what is held is taken at once', () => {
    const script = conversation({ server: SERVICE, timestamps: true })
      .handshake()
      .fromClient(GET('/large'))
      .fromServer(OK('x'.repeat(1200)))
      .fin();
    const packets = seenAt(script.segments, NODE);
    const answered = (sightingHeldBytes: number) => {
      const { exchanges, ledger } = runPackets(packets, { limits: { sightingHeldBytes } });
      expect(ledger.imbalances()).toEqual([]);
      expect(exchanges.map(inShort)).toEqual(['GET /large -> 200']);
      return (exchanges[0]?.response?.firstByteNs ?? 0) / 1000;
    };
    // On the server's side of the way it is seen 30 µs earlier.
    expect([answered(3000), answered(1500)]).toEqual([4000, 3970]);
  });
});

describe('on `any` with the interface index in the packet', () => {
  it('places are told apart by that index', () => {
    const segments = keepAlive().segments;
    const packets = segments.flatMap((segment, index) =>
      [7, 9].map((interfaceIndex, place) => ({
        frame: sll2(networkOf(segment, index + 1), interfaceIndex, 0),
        timeNs: segment.timeNs + BigInt(place) * 5n * US,
        linkType: LINK.sll2,
      })),
    );
    const run = runPackets(packets);
    expect(run.exchanges[0]?.sightings.map(({ at }) => [at.interfaceNumber, at.interfaceIndex])).toEqual([
      [0, 7],
      [0, 9],
    ]);
  });
});

describe('whatever the places', () => {
  /** One to three further places, some of them behind address translation, with delays that vary by packet. */
  function further(segments: readonly Segment[], random: Random, timestamps: boolean): FedPacket[] {
    const count = 1 + Math.floor(random() * 3);
    const places = Array.from({ length: count + 1 }, (_, index) => ({
      interfaceNumber: index,
      // A packet is everywhere before its answer is anywhere: segments are 200 µs apart.
      atNs: BigInt(index) * BigInt(1 + Math.floor(random() * 25_000)),
      translated: index > 0 && random() < 0.6,
      serverOnly: random() < 0.5,
    }));
    return segments
      .flatMap((segment, index) =>
        places.map(({ interfaceNumber, atNs, translated, serverOnly }) => {
          const rewrite = (side: Side, isClient: boolean): Side => {
            if (!translated) return side;
            if (!isClient) return { address: `10.99.${interfaceNumber}.1`, port: 8080 + interfaceNumber };
            // Without time stamps a SYN is recognised only while the client keeps its port.
            return serverOnly
              ? side
              : { address: `10.88.0.${interfaceNumber}`, port: side.port + (timestamps ? 1000 : 0) };
          };
          const jitter = interfaceNumber === 0 ? 0n : BigInt(Math.floor(random() * 20_000));
          const moved = {
            ...segment,
            from: rewrite(segment.from, segment.fromClient),
            to: rewrite(segment.to, !segment.fromClient),
          };
          return {
            frame: ethernet(networkOf(moved, (index + 1) & 0xffff)),
            timeNs: segment.timeNs + (segment.fromClient ? atNs + jitter : -atNs - jitter),
            interfaceNumber,
          };
        }),
      )
      .sort((a, b) => (a.timeNs < b.timeNs ? -1 : a.timeNs > b.timeNs ? 1 : 0));
  }

  it('the exchanges are those of the first one alone, with its times, and each was seen at all of them', () => {
    fc.assert(
      fc.property(fc.nat(), fc.boolean(), fc.boolean(), (seed, timestamps, resent) => {
        const random = seededRandom(seed);
        const shape = { connections: 2, exchanges: 5, pipelined: 3, largestBodyBytes: 2500, timestamps };
        const { segments: sent } = traffic(shape, random);
        const segments = resent ? retransmit(sent, 0.2, random) : sent;
        const packets = further(segments, random, timestamps);
        const alone = runPackets(packets.filter(({ interfaceNumber }) => interfaceNumber === 0));
        const run = runPackets(packets);
        expect(run.exchanges.map(essence)).toEqual(alone.exchanges.map(essence));
        expect(run.connections.map(facts)).toEqual(alone.connections.map(facts));
        expect(run.ledger.imbalances()).toEqual([]);
        expect(run.ledger.segments).toBe(alone.ledger.segments);
        const places = new Set(packets.map(({ interfaceNumber }) => interfaceNumber)).size;
        for (const { sightings, request, response } of run.exchanges) {
          expect(sightings.length).toBe(places);
          for (const { requestNs, responseNs, at } of sightings) {
            if (at.interfaceNumber === 0) {
              expect([requestNs, responseNs]).toEqual([request?.firstByteNs, response?.firstByteNs]);
            } else {
              expect(requestNs).toBeGreaterThanOrEqual(request?.firstByteNs ?? Infinity);
              expect(responseNs).toBeLessThanOrEqual(response?.firstByteNs ?? -Infinity);
            }
          }
        }
      }),
      { numRuns: fuzzRuns(40) },
    );
  });

  it('nothing is missing that any of them shows', () => {
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const random = seededRandom(seed);
        const { segments } = traffic(
          { connections: 2, exchanges: 4, pipelined: 2, largestBodyBytes: 2500, timestamps: true },
          random,
        );
        const whole = further(segments, random, true);
        // Every packet gets lost at up to all places but one, the handshake at none.
        const kept = whole.filter(
          ({ frame, interfaceNumber }) =>
            interfaceNumber === 1 || ((frame[47] ?? 0) & 2) !== 0 || random() > 0.3,
        );
        const run = runPackets(kept);
        const alone = runPackets(whole.filter(({ interfaceNumber }) => interfaceNumber === 0));
        const short = (list: readonly Exchange[]) =>
          list
            .map(
              (one) =>
                `${one.client.port} ${one.position} ${inShort(one)} ${one.outcome} ${one.response?.bodyBytes}`,
            )
            .sort();
        expect(short(run.exchanges)).toEqual(short(alone.exchanges));
        expect(run.ledger.gapBytes).toBe(0);
        expect(run.ledger.imbalances()).toEqual([]);
        for (const { fromClient, fromServer } of run.connections) {
          expect(fromClient.retransmissions + fromServer.retransmissions).toBe(0);
        }
      }),
      { numRuns: fuzzRuns(30) },
    );
  });
});
