import { describe, expect, it } from 'vitest';
import { conversation, START_NS } from '../fixtures/build/conversation.ts';
import { ipv4Fragments } from '../fixtures/build/ip.ts';
import { ethernet } from '../fixtures/build/link.ts';
import { tcp } from '../fixtures/build/transport.ts';
import { PACKET_REASON_NAMES, type PacketReason } from '../src/model/ledger.ts';
import { LIMITS, type Limits } from '../src/model/limits.ts';
import {
  inOrder,
  inShort,
  PipelineFeed,
  type PipelineRun,
  packetsOf,
  runPackets,
  runSegments,
} from './pipeline-run.ts';

const GET = (target: string): string => `GET ${target} HTTP/1.1\r\nHost: limits.test\r\n\r\n`;
const OK = (body = 'ok'): string => `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
const MS = 1_000_000n;

function client(n: number): { address: string; port: number } {
  return { address: '10.0.0.1', port: 40_000 + n };
}

function balanced(run: PipelineRun): PipelineRun {
  expect(run.ledger.imbalances()).toEqual([]);
  return run;
}

function notUsed(run: PipelineRun, reason: PacketReason): number {
  return run.ledger.notUsed[PACKET_REASON_NAMES.indexOf(reason)] as number;
}

describe('every limit of the pipeline has an effect that can be seen', () => {
  it('connections: the least recently used one ends as evicted, and its request says so', () => {
    const segments = [1, 2, 3].flatMap(
      (n) =>
        conversation({ client: client(n), startNs: START_NS + BigInt(n) * 100n * MS })
          .handshake()
          .fromClient(GET(`/${n}`)).segments,
    );
    const { ledger, exchanges, connections } = balanced(
      runSegments(segments, { limits: { connections: 2 } }),
    );
    expect(ledger.evictedConnections).toBe(1);
    expect(exchanges.map(inShort)).toEqual([
      'GET /1 -> (evicted)',
      'GET /2 -> (capture-ended)',
      'GET /3 -> (capture-ended)',
    ]);
    expect(connections.map(({ end }) => end)).toEqual(['evicted', 'open', 'open']);
    expect(ledger.losses().join()).toContain('1 connections evicted');
  });

  it('connections: one that is closed already makes room without being called evicted', () => {
    const segments = [1, 2, 3].flatMap(
      (n) =>
        conversation({ client: client(n), startNs: START_NS + BigInt(n) * 100n * MS })
          .handshake()
          .fromClient(GET(`/${n}`))
          .fromServer(OK())
          .fin().segments,
    );
    const { ledger, exchanges } = balanced(runSegments(segments, { limits: { connections: 2 } }));
    expect(ledger.evictedConnections).toBe(0);
    expect(exchanges.map(({ outcome }) => outcome)).toEqual(['complete', 'complete', 'complete']);
  });

  it.each<[string, Partial<Limits>, bigint]>([
    [
      'closedConnections: too many closed ones are forgotten, the oldest first',
      { closedConnections: 1 },
      10n,
    ],
    ['closedLingerMs: a closed one is forgotten after that time', { closedLingerMs: 50 }, 100n],
  ])('%s', (_name, limits, stepMs) => {
    const closed = [1, 2, 3].flatMap(
      (n) =>
        conversation({ client: client(n), startNs: START_NS + BigInt(n) * stepMs * MS })
          .handshake()
          .fin().segments,
    );
    const straggler = conversation({ client: client(1), startNs: START_NS + 900n * MS }).ack(
      'client',
    ).segments;
    // The straggler belongs to no connection that is remembered, so it is one of its own.
    const few = balanced(runSegments([...closed, ...straggler], { limits }));
    const usual = balanced(runSegments([...closed, ...straggler]));
    expect([usual.ledger.connectionsOpened, few.ledger.connectionsOpened]).toEqual([3, 4]);
  });

  const holed = (): ReturnType<typeof conversation> =>
    conversation({ stepMs: 0.01 })
      .handshake()
      .fromClient(GET('/a'))
      .fromServer('HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\n')
      .fromServer('x'.repeat(1000), { captured: false, acking: GET('/a').length })
      .fromServer('y'.repeat(3000), { segments: 30 });

  it('pendingBytesPerDirection: the hole becomes a gap', () => {
    const { ledger, exchanges } = balanced(
      runSegments(holed().segments, { limits: { pendingBytesPerDirection: 2000 } }),
    );
    expect([ledger.evictedPending > 0, ledger.gaps, ledger.gapBytes]).toEqual([true, 1, 1000]);
    expect(exchanges.map(({ response }) => [response?.bodyBytes, response?.lostBytes])).toEqual([
      [4000, 1000],
    ]);
    expect(exchanges[0]?.anomalies).toContain('gap-in-body');
    expect(ledger.losses().join()).toContain('budget evictions');
  });

  it('pendingBytesTotal: the connection that has waited longest is relieved', () => {
    const { ledger } = balanced(runSegments(holed().segments, { limits: { pendingBytesTotal: 2000 } }));
    expect([ledger.evictedPending > 0, ledger.gapBytes]).toEqual([true, 1000]);
  });

  it.each<[string, number, number, string]>([
    ['fewer packets than that later it is still waited for', 5, 0, '4000+0'],
    ['more packets than that later it counts as a gap', 12, 1000, '4000+1000'],
  ])('reorderPackets: %s', (_name, packetsBetween, gapBytes, body) => {
    const script = conversation({ stepMs: 0.01 })
      .handshake()
      .fromClient(GET('/a'))
      .fromServer('HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\n')
      .fromServer('x'.repeat(1000), { captured: false })
      .fromServer('y'.repeat(3000))
      .ack('client');
    for (let n = 0; n < packetsBetween; n += 1) script.ack('client');
    script.again('server', 'HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\n'.length, 'x'.repeat(1000));
    const { ledger, exchanges } = balanced(runSegments(script.segments, { limits: { reorderPackets: 8 } }));
    expect(ledger.gapBytes).toBe(gapBytes);
    expect(exchanges.map(({ response }) => `${response?.bodyBytes}+${response?.lostBytes}`)).toEqual([body]);
  });

  it('reorderMs: so long after, also when no packet of the connection comes', () => {
    const first = holed().ack('client').segments;
    const others = [1, 2, 3, 4].flatMap(
      (n) =>
        conversation({ client: client(n), startNs: START_NS + BigInt(n) * 100n * MS }).handshake().segments,
    );
    const feed = new PipelineFeed({ limits: { reorderMs: 200 } });
    for (const packet of packetsOf([...first, ...others])) feed.packet(packet);
    // It came to its end when the time was over, not at the end of the run.
    expect(feed.exchanges.map(inShort)).toEqual(['GET /a -> 200']);
    expect(balanced(feed.finish()).ledger.gapBytes).toBe(1000);
  });

  const fragments = (id: number, port: number): Uint8Array[] =>
    ipv4Fragments(
      {
        from: '10.0.0.1',
        to: '10.0.0.2',
        id,
        payload: tcp({ from: port, to: 80, seq: 1, payload: GET('/f') }),
      },
      24,
    ).map((network) => ethernet(network));
  const timed = (frames: readonly Uint8Array[], startMs = 0n) =>
    frames.map((frame, index) => ({ frame, timeNs: START_NS + startMs * MS + BigInt(index) * 1000n }));

  it('fragmentedDatagrams: the oldest incomplete one is given up', () => {
    const one = fragments(1, 4001);
    const two = fragments(2, 4002);
    const three = fragments(3, 4003);
    const mixed = [one[0]!, two[0]!, three[0]!, ...two.slice(1), ...three.slice(1), ...one.slice(1)];
    const usual = balanced(runPackets(timed(mixed)));
    expect(usual.exchanges.length).toBe(3);
    expect(notUsed(usual, 'fragment')).toBe(mixed.length - 3);
    const few = balanced(runPackets(timed(mixed), { limits: { fragmentedDatagrams: 2 } }));
    expect(few.exchanges.map(({ connection }) => connection.client.port).sort()).toEqual([4002, 4003]);
    expect([few.ledger.evictedFragments, notUsed(few, 'fragment-incomplete')]).toEqual([2, one.length]);
    expect(few.ledger.losses().join()).toContain('given up in fragments');
  });

  it('fragmentBytes: the same by size', () => {
    const mixed = [fragments(1, 4001)[0]!, ...fragments(2, 4002)];
    const few = balanced(runPackets(timed(mixed), { limits: { fragmentBytes: 200 } }));
    const none = balanced(runPackets(timed(mixed), { limits: { fragmentBytes: 20 } }));
    expect(few.ledger.evictedFragments).toBeGreaterThanOrEqual(1);
    expect(none.exchanges.length).toBe(0);
    expect(notUsed(none, 'fragment-incomplete')).toBe(mixed.length);
  });

  it('fragmentTimeoutMs: too late a piece finds nobody', () => {
    const [first, ...rest] = fragments(1, 4001) as [Uint8Array, ...Uint8Array[]];
    const inTime = balanced(
      runPackets([...timed([first]), ...timed(rest, 90n)], { limits: { fragmentTimeoutMs: 100 } }),
    );
    const late = balanced(
      runPackets([...timed([first]), ...timed(rest, 110n)], { limits: { fragmentTimeoutMs: 100 } }),
    );
    expect([inTime.exchanges.length, late.exchanges.length]).toEqual([1, 0]);
    expect(late.ledger.evictedFragments).toBe(2);
  });

  it('headBytes: the rest of a long head is skipped, and the message is whole', () => {
    const long = `GET /a HTTP/1.1\r\nHost: h\r\nX-Long: ${'x'.repeat(500)}\r\nX-Request-Id: late\r\n\r\n`;
    for (const segments of [1, 3, 40]) {
      const script = conversation({ stepMs: 0.1 })
        .handshake()
        .fromClient(long, { segments })
        .fromServer(`HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Long: ${'y'.repeat(500)}\r\n\r\nok`, {
          segments,
        })
        .fromClient(GET('/b'))
        .fromServer(OK())
        .fin();
      const { exchanges } = balanced(runSegments(script.segments, { limits: { headBytes: 100 } }));
      expect(exchanges.map(inShort)).toEqual(['GET /a -> 200', 'GET /b -> 200']);
      expect(exchanges.map(({ outcome, pairing }) => `${outcome} ${pairing}`)).toEqual([
        'complete exact',
        'complete exact',
      ]);
      expect(exchanges[0]?.anomalies).toContain('head-too-long');
      expect(exchanges[0]?.request?.host).toBe('h');
      expect(exchanges[0]?.response?.bodyBytes).toBe(2);
      expect(exchanges[1]?.anomalies).toEqual([]);
    }
  });

  it.each([1, 2, 5])(
    'headBytes: a start line longer than that, in %d pieces, loses no byte of the ledger',
    (segments) => {
      const line = `GET /${'a'.repeat(60)}`;
      const script = conversation({ stepMs: 0.1 })
        .handshake()
        .fromClient(line, { segments })
        .fromClient(' HTTP/1.1\r\nHost: h\r\n\r\n')
        .fromServer(OK())
        .fin();
      balanced(runSegments(script.segments, { limits: { headBytes: 40 } }));
    },
  );

  it('pendingRequests: the oldest come out unanswered and say why; no pair is shifted', () => {
    const targets = ['/1', '/2', '/3', '/4', '/5'];
    const script = conversation()
      .handshake()
      .fromClient(targets.map(GET).join(''))
      .fromServer(targets.map((target) => OK(target)).join(''))
      .fin();
    const { exchanges, ledger } = balanced(runSegments(script.segments, { limits: { pendingRequests: 3 } }));
    const early = inOrder(exchanges).filter(({ response, request }) => response === null && request !== null);
    expect(early.map(inShort)).toEqual(['GET /1 -> (evicted)', 'GET /2 -> (evicted)']);
    expect(early.every(({ anomalies }) => anomalies.includes('pipelining-limit'))).toBe(true);
    const pairs = exchanges.filter(({ request, response }) => request !== null && response !== null);
    expect(pairs.map(({ request }) => request?.target)).toEqual(['/3', '/4', '/5']);
    expect(ledger.orphans).toBe(2);
  });

  it('interimResponses: further ones are only counted', () => {
    const script = conversation()
      .handshake()
      .fromClient(GET('/slow'))
      .fromServer('HTTP/1.1 102 Processing\r\n\r\n'.repeat(9))
      .fromServer(OK())
      .fin();
    const { exchanges, ledger } = balanced(runSegments(script.segments, { limits: { interimResponses: 4 } }));
    expect(exchanges.map(inShort)).toEqual(['GET /slow -> 200']);
    expect(exchanges[0]?.interim.length).toBe(4);
    expect(exchanges[0]?.anomalies).toContain('many-interim-responses');
    expect(ledger.interim).toBe(9);
  });

  it('has a test here or elsewhere for each of them', () => {
    const elsewhere = [
      'packetBytes',
      'summaryGroups',
      'summaryDurations',
      'captureComments',
      'sqliteFileBytes',
      'sightingPlaces',
      'sightingHoldMs',
      'sightingHeldBytes',
      'translationMs',
    ];
    const here = [
      'connections', 'closedConnections', 'closedLingerMs', 'pendingBytesPerDirection', 'pendingBytesTotal',
      'reorderPackets', 'reorderMs', 'fragmentedDatagrams', 'fragmentBytes', 'fragmentTimeoutMs', 'headBytes',
      'pendingRequests', 'interimResponses',
    ]; // biome-ignore format: a list
    expect(Object.keys(LIMITS).sort()).toEqual([...here, ...elsewhere].sort());
  });
});
