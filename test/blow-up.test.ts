import { describe, expect, it } from 'vitest';
import { conversation, type Segment, START_NS } from '../fixtures/build/conversation.ts';
import { ipv4 } from '../fixtures/build/ip.ts';
import { ethernet } from '../fixtures/build/link.ts';
import { seededRandom } from '../fixtures/build/transform.ts';
import { tcp, udp } from '../fixtures/build/transport.ts';
import { LIMITS } from '../src/model/limits.ts';
import { inShort, PipelineFeed, packetsOf, runPackets, runSegments } from './pipeline-run.ts';

/**
 * Inputs that make a careless program slow: what is quadratic takes minutes here, what is not takes a second. No
 * time is asserted; the test's own time limit ends a hang.
 */

const ANSWER = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

describe('stays quick on', () => {
  it('a long head in segments of one byte', () => {
    const head = `GET /${'a'.repeat(100_000)} HTTP/1.1\r\nHost: h\r\nX: ${'b'.repeat(100_000)}\r\n\r\n`;
    const ones = new Array<number>(head.length).fill(1);
    const script = conversation({ stepMs: 0.001 })
      .handshake()
      .fromClient(head, { segments: ones })
      .fromServer(ANSWER)
      .fin();
    const { exchanges, ledger } = runSegments(script.segments);
    expect(exchanges.map(({ request, outcome }) => [request?.headerBytes, outcome])).toEqual([
      [head.length, 'complete'],
    ]);
    expect(ledger.imbalances()).toEqual([]);
  });

  it.each([
    ['without a line end', 'GET /'.padEnd(200_000, 'a')],
    ['of empty lines', '\r\n'.repeat(100_000)],
    ['of short lines', `GET / HTTP/1.1\r\n${'a:b\r\n'.repeat(40_000)}`],
    ['of folded lines', `GET / HTTP/1.1\r\nX: a\r\n${' b\r\n'.repeat(50_000)}`],
    ['of status lines', 'HTTP/1.1 '.repeat(20_000)],
    ['of methods', 'GET '.repeat(50_000)],
    ['of spaces', `GET ${' '.repeat(200_000)}`],
  ])('a head %s, in segments of 7 bytes and in large ones', (_name, text) => {
    for (const size of [7, 1400, 60_000]) {
      const sizes = new Array<number>(Math.ceil(text.length / size)).fill(size);
      const script = conversation({ stepMs: 0.001 }).handshake().fromClient(text, { segments: sizes }).fin();
      expect(runSegments(script.segments).ledger.imbalances()).toEqual([]);
    }
  });

  it('a chunked body of a hundred thousand chunks, and an endless chunk extension', () => {
    const head = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';
    const chunks = '1\r\na\r\n'.repeat(100_000);
    for (const body of [`${chunks}0\r\n\r\n`, `1;${'x'.repeat(400_000)}\r\na\r\n0\r\n\r\n`]) {
      const script = conversation({ stepMs: 0.001, mss: 1000 })
        .handshake()
        .fromClient('GET / HTTP/1.1\r\nHost: h\r\n\r\n')
        .fromServer(head + body);
      const { exchanges } = runSegments(script.segments);
      expect(exchanges.map(({ outcome, response }) => [outcome, response?.bodyBytes])).toEqual([
        ['complete', body.length],
      ]);
    }
  });

  it('a hundred thousand tiny segments out of order', () => {
    const random = seededRandom(5);
    const count = 100_000;
    const body = 'x'.repeat(count);
    const script = conversation({ stepMs: 0.0001 })
      .handshake()
      .fromClient('GET / HTTP/1.1\r\nHost: h\r\n\r\n')
      .fromServer(`HTTP/1.1 200 OK\r\nContent-Length: ${count}\r\n\r\n`)
      .fromServer(body, { segments: new Array<number>(count).fill(1) });
    const first = script.segments.slice(0, 5);
    const rest = script.segments.slice(5);
    for (let at = rest.length - 1; at > 0; at -= 1) {
      const other = Math.floor(random() * (at + 1));
      [rest[at], rest[other]] = [rest[other] as Segment, rest[at] as Segment];
    }
    const { exchanges, ledger } = runSegments([...first, ...rest]);
    expect(ledger.imbalances()).toEqual([]);
    expect(exchanges.map(({ response }) => (response?.bodyBytes ?? 0) > 0)).toEqual([true]);
  });

  it('a hundred thousand segments that wait, in descending order', () => {
    const packets = [];
    const server = { from: '10.0.0.2', to: '10.0.0.1' };
    for (let at = 50_000; at > 0; at -= 1) {
      const payload = tcp({ from: 80, to: 4000, seq: at * 2, ack: 1, flags: ['ack'], payload: 'x' });
      packets.push({
        frame: ethernet(ipv4({ ...server, payload, id: at & 0xffff })),
        timeNs: START_NS + BigInt(60_000 - at),
      });
    }
    expect(runPackets(packets).ledger.imbalances()).toEqual([]);
  });

  it('ten thousand pipelined requests', () => {
    const count = 10_000;
    const requests = Array.from({ length: count }, (_, n) => `GET /${n} HTTP/1.1\r\nHost: h\r\n\r\n`).join(
      '',
    );
    const answers = Array.from(
      { length: count },
      (_, n) => `HTTP/1.1 200 R${n}\r\nContent-Length: 0\r\n\r\n`,
    ).join('');
    const script = conversation({ mss: 1460, stepMs: 0.001 })
      .handshake()
      .fromClient(requests)
      .fromServer(answers)
      .fin();
    const { exchanges, ledger } = runSegments(script.segments, { limits: { pendingRequests: count } });
    expect(ledger.imbalances()).toEqual([]);
    expect(
      exchanges
        .filter(({ request, response }) => request?.target !== `/${response?.reason.slice(1)}`)
        .map(inShort),
    ).toEqual([]);
    expect(ledger.paired).toBe(count);
    // The same with the usual limit: the oldest come out unanswered, and no later pair is shifted.
    const limited = runSegments(script.segments);
    const shifted = limited.exchanges.filter(
      ({ request, response }) => request && response && request.target !== `/${response.reason.slice(1)}`,
    );
    expect(shifted.map(inShort).slice(0, 3)).toEqual([]);
    expect(limited.ledger.imbalances()).toEqual([]);
  });

  it('ten thousand pipelined requests whose answers begin with a gap', () => {
    const count = 10_000;
    const requests = Array.from({ length: count }, (_, n) => `GET /${n} HTTP/1.1\r\nHost: h\r\n\r\n`).join(
      '',
    );
    const answers = Array.from(
      { length: count },
      (_, n) => `HTTP/1.1 200 R${n}\r\nContent-Length: 0\r\n\r\n`,
    ).join('');
    const script = conversation({ mss: 1460, stepMs: 0.001 })
      .handshake()
      .fromClient(requests)
      .fromServer('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n', { captured: false })
      .fromServer(answers)
      .fin();
    expect(runSegments(script.segments, { limits: { pendingRequests: count } }).ledger.imbalances()).toEqual(
      [],
    );
  });

  it('ten thousand interim responses to one request', () => {
    const script = conversation({ mss: 1460, stepMs: 0.001 })
      .handshake()
      .fromClient('GET / HTTP/1.1\r\nHost: h\r\n\r\n')
      .fromServer('HTTP/1.1 102 Processing\r\n\r\n'.repeat(20_000))
      .fromServer(ANSWER);
    const { exchanges, ledger } = runSegments(script.segments);
    expect(exchanges.map(inShort)).toEqual(['GET / -> 200']);
    expect(ledger.imbalances()).toEqual([]);
  });

  it('hundreds of thousands of connections of one packet, with few held', () => {
    const feed = new PipelineFeed({ limits: { connections: 100, closedConnections: 10 } });
    const frame = ethernet(
      ipv4({
        from: '10.0.0.1',
        to: '10.0.0.2',
        payload: tcp({ from: 4000, to: 80, seq: 1, flags: ['syn'] }),
      }),
    );
    const count = 300_000;
    for (let n = 0; n < count; n += 1) {
      frame.set([10, n >> 16, n >> 8, n], 26);
      feed.packet({ frame, timeNs: START_NS + BigInt(n) * 1000n });
    }
    const { ledger } = feed.finish();
    expect(ledger.imbalances()).toEqual([]);
    expect([ledger.connectionsOpened, ledger.evictedConnections]).toEqual([count, count - 100]);
  });

  it('connections whose hashes fall together', () => {
    // Addresses and ports that differ only where sums and products are likely to cancel.
    const feed = new PipelineFeed({ limits: { connections: 40_000 } });
    let n = 0;
    for (let a = 0; a < 200; a += 1) {
      for (let b = 0; b < 200; b += 1) {
        const payload = tcp({ from: 1000 + a, to: 1000 + b, seq: 1, flags: ['syn'] });
        const frame = ethernet(ipv4({ from: `10.0.${b}.${a}`, to: `10.0.${a}.${b}`, payload }));
        feed.packet({ frame, timeNs: START_NS + BigInt(n++) });
      }
    }
    expect(feed.finish().ledger.imbalances()).toEqual([]);
  });

  it('fragments by the hundred thousand that never become whole', () => {
    const piece = (id: number, offset: number, bytes: number): Uint8Array =>
      ethernet(
        ipv4({
          from: '10.0.0.1',
          to: '10.0.0.2',
          id,
          moreFragments: true,
          fragmentOffset: offset,
          payload: { ...udp({ from: 1, to: 2, payload: 'x'.repeat(bytes) }), checksumAt: null },
        }),
      );
    const many = new PipelineFeed();
    for (let n = 0; n < 100_000; n += 1)
      many.packet({ frame: piece(n & 0xffff, 8, 8), timeNs: START_NS + BigInt(n) * 1000n });
    expect(many.finish().ledger.imbalances()).toEqual([]);
  });

  it('one datagram in very many fragments whose last one is there', () => {
    const feed = new PipelineFeed();
    const payload = { protocol: 17, bytes: new Uint8Array(8), checksumAt: null };
    const piece = (offset: number, more: boolean): Uint8Array =>
      ethernet(
        ipv4({
          from: '10.0.0.1',
          to: '10.0.0.2',
          id: 7,
          moreFragments: more,
          fragmentOffset: offset,
          payload,
        }),
      );
    feed.packet({ frame: piece(65_000, false), timeNs: START_NS });
    for (let n = 0; n < 60_000; n += 1) {
      feed.packet({ frame: piece(8 + 8 * (n % 8000), true), timeNs: START_NS + BigInt(n) * 1000n });
    }
    const { ledger } = feed.finish();
    expect(ledger.imbalances()).toEqual([]);
    expect(ledger.evictedFragments).toBe(1);
  });

  it('a fragment that claims gigabytes', () => {
    const payload = { protocol: 6, bytes: new Uint8Array(8), checksumAt: null };
    const options = { from: '10.0.0.1', to: '10.0.0.2', id: 7, payload, totalLengthZero: true };
    const last = ethernet(ipv4({ ...options, fragmentOffset: 8 }));
    const first = ethernet(ipv4({ ...options, moreFragments: true }));
    const { ledger } = runPackets([
      { frame: first, originalBytes: first.length, timeNs: START_NS },
      { frame: last, originalBytes: 2 ** 32 - 1, timeNs: START_NS },
    ]);
    expect(ledger.imbalances()).toEqual([]);
  });

  it('segments that claim gigabytes', () => {
    const script = conversation()
      .handshake()
      .fromClient('GET / HTTP/1.1\r\nHost: h\r\n\r\n')
      .fromServer(ANSWER);
    const packets = packetsOf(script.segments).map((packet) => {
      const frame = packet.frame.slice();
      frame.set([0, 0], 16);
      return { ...packet, frame, originalBytes: 2 ** 32 - 1 };
    });
    expect(runPackets(packets).ledger.imbalances()).toEqual([]);
  });

  it('empty fragments without end, held within a budget', () => {
    const payload = { protocol: 17, bytes: new Uint8Array(0), checksumAt: null };
    const options = {
      from: '10.0.0.1',
      to: '10.0.0.2',
      id: 7,
      payload,
      moreFragments: true,
      fragmentOffset: 8,
    };
    const frame = ethernet(ipv4(options));
    const feed = new PipelineFeed({ limits: { fragmentBytes: 100_000 } });
    for (let n = 0; n < 50_000; n += 1) feed.packet({ frame, timeNs: START_NS + BigInt(n) * 1000n });
    expect(feed.finish().ledger.evictedFragments).toBeGreaterThan(1);
    expect(LIMITS.fragmentBytes).toBeGreaterThan(0);
  });
});
