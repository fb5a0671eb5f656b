import { describe, expect, it } from 'vitest';
import { bytesOf } from '../fixtures/build/bytes.ts';
import { conversation, START_NS } from '../fixtures/build/conversation.ts';
import { ipv4 } from '../fixtures/build/ip.ts';
import { ethernet } from '../fixtures/build/link.ts';
import { seededRandom } from '../fixtures/build/transform.ts';
import { tcp, udp } from '../fixtures/build/transport.ts';
import { type FedPacket, inShort, PipelineFeed, packetsOf, runPackets, runSegments } from './pipeline-run.ts';

/**
 * Inputs that make a careless program slow: what is quadratic takes minutes here, what is not takes a second. No
 * time is asserted; the test's own time limit ends a hang.
 */

const ANSWER = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

describe('stays quick on', () => {
  it('a long head in segments of one byte', () => {
    const head = `GET /${'a'.repeat(100_000)} HTTP/1.1\r\nHost: h\r\nX: ${'b'.repeat(100_000)}\r\n\r\n`;
    const script = conversation().handshake().fromClient(head).fromServer(ANSWER);
    const [syn, synAck, ack, question, answer] = packetsOf(script.segments) as FedPacket[];
    const bytes = bytesOf(head);
    const feed = new PipelineFeed();
    for (const packet of [syn, synAck, ack]) feed.packet(packet as FedPacket);
    const template = oneByteOf(question as FedPacket);
    for (let at = 0; at < bytes.length; at += 1) feed.packet(template(at, bytes[at] as number));
    feed.packet(answer as FedPacket);
    const { exchanges, ledger } = feed.finish();
    expect(exchanges.map(({ request, outcome }) => [request?.headerBytes, outcome])).toEqual([
      [head.length, 'complete'],
    ]);
    expect(ledger.imbalances()).toEqual([]);
  });

  it.each([
    ['without a line end', 'GET /'.padEnd(100_000, 'a')],
    ['of empty lines', '\r\n'.repeat(50_000)],
    ['of short lines', `GET / HTTP/1.1\r\n${'a:b\r\n'.repeat(20_000)}`],
    ['of folded lines', `GET / HTTP/1.1\r\nX: a\r\n${' b\r\n'.repeat(25_000)}`],
    ['of status lines', 'HTTP/1.1 '.repeat(10_000)],
    ['of methods', 'GET '.repeat(25_000)],
    ['of spaces', `GET ${' '.repeat(100_000)}`],
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
    const script = conversation()
      .handshake()
      .fromClient('GET / HTTP/1.1\r\nHost: h\r\n\r\n')
      .fromServer(`HTTP/1.1 200 OK\r\nContent-Length: ${count}\r\n\r\n`)
      .fromServer('x');
    const packets = packetsOf(script.segments);
    const template = oneByteOf(packets.pop() as FedPacket);
    const feed = new PipelineFeed();
    for (const packet of packets) feed.packet(packet);
    const order = Array.from({ length: count }, (_, at) => at);
    for (let at = count - 1; at > 0; at -= 1) {
      const other = Math.floor(random() * (at + 1));
      [order[at], order[other]] = [order[other] as number, order[at] as number];
    }
    for (const at of order) feed.packet(template(at, 120));
    const { exchanges, ledger } = feed.finish();
    expect(ledger.imbalances()).toEqual([]);
    expect(exchanges.map(({ response }) => response?.bodyBytes)).toEqual([count]);
  });

  it('a hundred thousand segments that wait, in descending order', () => {
    const [packet] = packetsOf(conversation().fromServer('x').segments);
    const template = oneByteOf(packet as FedPacket);
    const feed = new PipelineFeed();
    for (let at = 100_000; at > 0; at -= 1) feed.packet(template(at * 2, 120));
    expect(feed.finish().ledger.imbalances()).toEqual([]);
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

  it('a hundred thousand connections of one packet, with few held', () => {
    const feed = new PipelineFeed({ limits: { connections: 100, closedConnections: 10 } });
    const frame = ethernet(
      ipv4({
        from: '10.0.0.1',
        to: '10.0.0.2',
        payload: tcp({ from: 4000, to: 80, seq: 1, flags: ['syn'] }),
      }),
    );
    const count = 100_000;
    for (let n = 0; n < count; n += 1) {
      frame.set([10, n >> 16, n >> 8, n], 26);
      // A sequence number of its own: the same SYN from other addresses would be address translation.
      frame.set([1, n >> 16, n >> 8, n], 38);
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
    for (let a = 0; a < 120; a += 1) {
      for (let b = 0; b < 120; b += 1) {
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
    for (let n = 0; n < 40_000; n += 1)
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
    for (let n = 0; n < 40_000; n += 1) {
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

  it('empty fragments and ones that were cut, held within a budget', () => {
    const payload = { protocol: 17, bytes: new Uint8Array(8), checksumAt: null };
    const feed = new PipelineFeed({ limits: { fragmentBytes: 100_000 } });
    for (let n = 0; n < 20_000; n += 1) {
      const options = { from: '10.0.0.1', to: '10.0.0.2', id: n >> 12, payload, moreFragments: true };
      const frame = ethernet(ipv4({ ...options, fragmentOffset: 8 + 8 * (n % 4096) }));
      const cut = frame.subarray(0, n % 2 === 0 ? 34 : frame.length);
      feed.packet({ frame: cut, originalBytes: frame.length, timeNs: START_NS + BigInt(n) * 1000n });
    }
    const { ledger } = feed.finish();
    expect(ledger.imbalances()).toEqual([]);
    // Five datagrams would have come to their end with the run; the budget gave pieces up before.
    expect(ledger.evictedFragments).toBeGreaterThan(5);
  });
});

/** Makes packets of one byte at places of the stream, after the model of a packet that carries its first bytes. */
function oneByteOf(model: FedPacket): (at: number, byte: number) => FedPacket {
  const ipv4Bytes = 20;
  const headerBytes = 14 + ipv4Bytes + 20;
  const frame = model.frame.slice(0, headerBytes + 1);
  const view = new DataView(frame.buffer);
  const firstSeq = view.getUint32(14 + ipv4Bytes + 4);
  view.setUint16(14 + 2, ipv4Bytes + 20 + 1);
  let sent = 0;
  return (at, byte) => {
    sent += 1;
    view.setUint16(14 + 4, (sent % 65_535) + 1);
    view.setUint32(14 + ipv4Bytes + 4, (firstSeq + at) >>> 0);
    frame[headerBytes] = byte;
    return { ...model, frame, timeNs: model.timeNs + BigInt(sent) * 1000n };
  };
}
