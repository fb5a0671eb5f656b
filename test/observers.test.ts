import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { conversation } from '../fixtures/build/conversation.ts';
import { duplicate, reorder, retransmit, seededRandom } from '../fixtures/build/transform.ts';
import type { Connection } from '../src/model/exchange.ts';
import type { PacketReason } from '../src/model/ledger.ts';
import type { StreamConsumer, StreamTap } from '../src/model/stream.ts';
import { fuzzRuns, packetsOf, runPackets, runSegments } from './pipeline-run.ts';
import { traffic } from './traffic.ts';

/** Bytes of a direction by place. */
class Stream {
  readonly #bytes = new Map<number, number>();

  put(offset: number, bytes: Uint8Array): void {
    bytes.forEach((byte, index) => {
      this.#bytes.set(offset + index, byte);
    });
  }

  text(from: number, to: number): string {
    let text = '';
    for (let at = from; at < to; at += 1) text += String.fromCharCode(this.#bytes.get(at) ?? 0x3f);
    return text;
  }

  get places(): number[] {
    return [...this.#bytes.keys()].sort((a, b) => a - b);
  }
}

const key = (connection: Connection, direction: number): string => `${connection.id}/${direction}`;

function streamOf(streams: Map<string, Stream>, name: string): Stream {
  const stream = streams.get(name) ?? new Stream();
  streams.set(name, stream);
  return stream;
}

/** A tap that writes down what passes, and hands everything on. */
function recording(streams: Map<string, Stream>): StreamTap {
  return (connection, consumer) => {
    const tapped: StreamConsumer = {
      data(direction, bytes, start, end, offset, segment) {
        streamOf(streams, key(connection, direction)).put(offset, bytes.slice(start, end));
        consumer.data(direction, bytes, start, end, offset, segment);
      },
      gap: (...facts) => consumer.gap(...facts),
      fin: (...facts) => consumer.fin(...facts),
      reset: (...facts) => consumer.reset(...facts),
      anomaly: (...facts) => consumer.anomaly(...facts),
      finish: (reason) => consumer.finish(reason),
    };
    return tapped;
  };
}

describe('looking closer while packets pass', () => {
  it('finds every message in the bytes of its direction, by its place', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const random = seededRandom(seed);
        const script = traffic(
          { connections: 3, exchanges: 5, pipelined: 2, largestBodyBytes: 3000 },
          random,
        );
        const segments = reorder(retransmit(script.segments, 0.1, random), 4, random);
        const streams = new Map<string, Stream>();
        const run = runSegments(segments, { observers: { tap: recording(streams) } });
        expect(run.exchanges.length).toBe(script.planned.length);
        for (const { connection, request, response } of run.exchanges) {
          const plan = script.planned.find(({ target }) => target === request?.target);
          if (request === null || response === null || plan === undefined) throw new Error('not as planned');
          const asked = streamOf(streams, key(connection, request.direction));
          const answered = streamOf(streams, key(connection, response.direction));
          expect(asked.text(request.startOffset, request.endOffset)).toBe(plan.requestText);
          expect(answered.text(response.startOffset, response.endOffset)).toBe(plan.responseText);
          expect(plan.responseText.slice(0, response.headerBytes).endsWith('\r\n\r\n')).toBe(true);
        }
      }),
      { numRuns: fuzzRuns(20) },
    );
  });

  it('tells of each segment where it stands, also of those that come again or early', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const random = seededRandom(seed);
        const script = traffic(
          { connections: 2, exchanges: 4, pipelined: 2, largestBodyBytes: 3000 },
          random,
        );
        const segments = reorder(duplicate(script.segments, 0.2, random), 4, random);
        const passed = new Map<string, Stream>();
        const seen = new Map<string, Stream>();
        let count = 0;
        const { ledger } = runSegments(segments, {
          observers: {
            tap: recording(passed),
            onSegment: ({ connection, direction, offset, bytes, start, end, payloadBytes }) => {
              count += 1;
              expect(end - start).toBe(payloadBytes);
              streamOf(seen, key(connection, direction)).put(offset, bytes.slice(start, end));
            },
          },
        });
        expect(count).toBe(ledger.segments);
        for (const [name, stream] of passed) {
          const places = stream.places;
          const other = streamOf(seen, name);
          const [first, end] = [places[0] as number, (places.at(-1) as number) + 1];
          expect(other.places).toEqual(places);
          expect(other.text(first, end)).toBe(stream.text(first, end));
        }
      }),
      { numRuns: fuzzRuns(20) },
    );
  });

  it('tells of each packet why it is not used', () => {
    const packets = packetsOf(conversation().handshake().fromClient('GET / HTTP/1.1\r\n\r\n').segments);
    const reasons: (PacketReason | null)[] = [];
    const arp = new Uint8Array(42);
    arp.set([0x08, 0x06], 12);
    runPackets([...packets, { frame: arp, timeNs: packets[0]?.timeNs ?? 0n }], {
      observers: { onPacket: (_packet, _frame, reason) => reasons.push(reason) },
    });
    expect(reasons).toEqual([null, null, null, null, 'arp']);
  });
});

describe('the history of a connection, in the letters of Zeek', () => {
  const request = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
  const answer = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n';
  const historyOf = (script: ReturnType<typeof conversation>): string | undefined =>
    runSegments(script.segments).connections[0]?.history;

  it('of an ordinary connection', () => {
    const script = conversation().handshake().fromClient(request).ack('server').fromServer(answer);
    expect(historyOf(script.ack('client').fin('both'))).toBe('ShADadFf');
  });

  it('of a refused one, and of one that is reset', () => {
    expect(historyOf(conversation().handshake({ synAck: false, ack: false }).reset('server'))).toBe('Sr');
    expect(historyOf(conversation().handshake().fromClient(request).reset('server'))).toBe('ShADr');
  });

  it('of one whose answers alone were captured', () => {
    const script = conversation();
    script.handshake({ syn: false, synAck: false, ack: false });
    script.fromClient(request, { captured: false }).fromServer(answer).fin('server');
    // Told from the ports alone, until the answer says who serves.
    expect(historyOf(script)).toMatch(/^d.*f/);
  });
});

describe('header fields kept beside the usual ones', () => {
  const script = conversation()
    .handshake()
    .fromClient(
      'GET / HTTP/1.1\r\nHost: a\r\nX-Tenant: blue\r\nAuthorization: Bearer abc\r\nX-Other: 1\r\n\r\n',
    )
    .fromServer('HTTP/1.1 200 OK\r\nContent-Length: 0\r\nSet-Cookie: sid=42\r\n\r\n');
  const headersOf = (keepHeaders: readonly string[], reveal: boolean): unknown => {
    const [exchange] = runSegments(script.segments, { keepHeaders, reveal }).exchanges;
    return [exchange?.request?.headers, exchange?.response?.headers];
  };

  it('are kept when asked for, and credentials among them masked', () => {
    expect(headersOf([], false)).toEqual([[], []]);
    expect(headersOf(['x-tenant', 'authorization', 'set-cookie'], false)).toEqual([
      [
        { name: 'x-tenant', value: 'blue' },
        { name: 'authorization', value: 'REDACTED' },
      ],
      [{ name: 'set-cookie', value: 'REDACTED' }],
    ]);
  });

  it('are shown as they are when revealed', () => {
    expect(headersOf(['authorization'], true)).toEqual([
      [{ name: 'authorization', value: 'Bearer abc' }],
      [],
    ]);
  });
});
