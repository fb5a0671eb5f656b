import { describe, expect, it } from 'vitest';
import { conversation, type Segment, START_NS } from '../fixtures/build/conversation.ts';
import { interleave } from '../fixtures/build/transform.ts';
import type { Exchange } from '../src/model/exchange.ts';
import { type Phases, phasesOf, startNs } from '../src/model/phases.ts';
import { why } from '../src/report/why.ts';
import { inOrder, inShort, runSegments } from './pipeline-run.ts';

const GET = (target: string): string => `GET ${target} HTTP/1.1\r\nHost: time.test\r\n\r\n`;
const OK = (body = 'ok'): string => `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
const MS = 1e6;

/** Gives the segments these times, in ns since the start. */
function at(segments: readonly Segment[], timesNs: readonly number[]): Segment[] {
  expect(timesNs.length).toBe(segments.length);
  return segments.map((segment, index) => ({
    ...segment,
    timeNs: START_NS + BigInt(timesNs[index] as number),
  }));
}

function only(exchanges: readonly Exchange[]): Exchange {
  expect(exchanges.length).toBe(1);
  return exchanges[0] as Exchange;
}

describe('phases', () => {
  it('are exact to the nanosecond', () => {
    const { segments } = conversation()
      .handshake()
      .fromClient(`POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nabcdefghi`, { segments: [30, 20] })
      .fromServer(OK('0123456789'), { segments: [10, 20] });
    const times = [
      5, 1_000_007, 2_000_011, 3_000_013, 4_100_017, 5_200_019, 17_000_023, 18_000_029, 29_000_031,
    ];
    const exchange = only(runSegments(at(segments, times)).exchanges);
    expect(phasesOf(exchange)).toEqual({
      connectNs: 2_000_011 - 5,
      sendNs: 5_200_019 - 3_000_013,
      waitNs: 17_000_023 - 5_200_019,
      receiveNs: 29_000_031 - 17_000_023,
      totalNs: 29_000_031 - 3_000_013,
    } satisfies Phases);
    expect(startNs(exchange)).toBe(3_000_013);
    expect(exchange.connection).toMatchObject({
      synNs: 5,
      synAckNs: 1_000_007,
      ackNs: 2_000_011,
      opening: 'seen',
    });
  });

  it('stay exact a hundred days after the first packet', () => {
    const far = 100 * 86_400e9;
    const { segments } = conversation().fromClient(GET('/')).fromServer(OK());
    const exchange = only(runSegments(at(segments, [far + 1, far + 3])).exchanges);
    expect([exchange.request?.firstByteNs, phasesOf(exchange).waitNs]).toEqual([far + 1, 2]);
  });

  it('have the handshake only on the first exchange of a connection', () => {
    const script = conversation({ stepMs: 1 }).handshake();
    for (const target of ['/1', '/2']) script.fromClient(GET(target)).fromServer(OK());
    const { exchanges } = runSegments(script.segments);
    expect(exchanges.map((one) => phasesOf(one).connectNs)).toEqual([2 * MS, null]);
  });

  it('know of a handshake only what was captured', () => {
    for (const parts of [{ syn: false }, { synAck: false }, { syn: false, synAck: false, ack: false }]) {
      const script = conversation().handshake(parts).fromClient(GET('/')).fromServer(OK());
      const exchange = only(runSegments(script.segments).exchanges);
      expect(phasesOf(exchange).connectNs).toBeNull();
      expect(exchange.connection.opening).toBe('syn' in parts && 'ack' in parts ? 'missed' : 'partial');
    }
  });

  it('count a SYN that was sent again from its first time', () => {
    const { segments } = conversation({ stepMs: 1 }).handshake().fromClient(GET('/')).fromServer(OK());
    const [syn, ...rest] = segments as [Segment, ...Segment[]];
    const later = rest.map((segment) => ({ ...segment, timeNs: segment.timeNs + 1_000_000_000n }));
    const again = { ...syn, timeNs: syn.timeNs + 999_000_000n };
    const exchange = only(runSegments([syn, again, ...later]).exchanges);
    expect(exchange.connection.synRetransmissions).toBe(1);
    expect(phasesOf(exchange).connectNs).toBe(1002 * MS);
  });

  it('of an answer that comes before the request is sent whole: the wait is nothing', () => {
    const script = conversation({ stepMs: 1 })
      .handshake()
      .fromClient('POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabcde')
      .fromServer(OK('no'))
      .fromClient('fghij')
      .fin();
    const exchange = only(runSegments(script.segments).exchanges);
    expect(exchange.anomalies).toContain('early-response');
    expect(exchange.outcome).toBe('complete');
    expect(phasesOf(exchange)).toMatchObject({ sendNs: 1 * MS, waitNs: 0, receiveNs: 0, totalNs: 1 * MS });
  });

  it('of an answer to a request that is never finished', () => {
    const script = conversation({ stepMs: 1 })
      .handshake()
      .fromClient('POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabcde')
      .fromServer('HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n')
      .fin('server')
      .fin('client');
    const exchange = only(runSegments(script.segments).exchanges);
    expect([exchange.outcome, exchange.response?.status]).toEqual(['truncated', 413]);
    expect(exchange.ending).toBe('closed-by-server');
  });

  it('with 100 Continue: the interim answer has its time, the final one ends the wait', () => {
    const script = conversation({ stepMs: 1 })
      .handshake()
      .fromClient('POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n')
      .fromServer('HTTP/1.1 100 Continue\r\n\r\n')
      .fromClient('body')
      .wait(7)
      .fromServer(OK());
    const exchange = only(runSegments(script.segments).exchanges);
    expect(exchange.interim).toMatchObject([{ status: 100, timeNs: 4 * MS }]);
    expect(exchange.interim).toHaveLength(1);
    expect(exchange.anomalies).toEqual(['expect-continue']);
    expect(phasesOf(exchange)).toMatchObject({ sendNs: 2 * MS, waitNs: 8 * MS });
  });

  it('take the time at which bytes were first captured, also when they had to wait for others', () => {
    const { segments } = conversation()
      .handshake()
      .fromClient(GET('/'))
      .fromServer(OK('0123456789'), { segments: [20, 20, 100] });
    const [syn, synAck, ack, get, one, two, three] = segments as [
      Segment,
      Segment,
      Segment,
      Segment,
      Segment,
      Segment,
      Segment,
    ];
    const exchange = only(
      runSegments(at([syn, synAck, ack, get, two, three, one], [0, 1, 2, 3, 10, 20, 1000])).exchanges,
    );
    // The first byte came last; the message was whole then, too.
    expect(exchange.response?.firstByteNs).toBe(1000);
    expect(exchange.outcome).toBe('complete');
  });

  it('of pipelined requests begin with each request', () => {
    const script = conversation({ stepMs: 1 })
      .fromClient(GET('/1'))
      .fromClient(GET('/2'))
      .fromServer(OK())
      .wait(5)
      .fromServer(OK());
    const { exchanges } = runSegments(script.segments);
    expect(exchanges.map((one) => phasesOf(one).waitNs)).toEqual([2 * MS, 7 * MS]);
    expect(exchanges.map(({ anomalies }) => anomalies.includes('pipelined'))).toEqual([false, true]);
  });
});

describe('a request without an answer says why', () => {
  const asked = () => conversation().handshake().fromClient(GET('/x'));
  it.each<[string, readonly Segment[], string]>([
    ['the server reset the connection', asked().reset('server').segments, 'reset reset-by-server'],
    ['the client reset it', asked().reset('client').segments, 'reset reset-by-client'],
    ['the server closed it', asked().fin('server').fin('client').segments, 'no-response closed-by-server'],
    ['the client closed it', asked().fin('client').fin('server').segments, 'no-response closed-by-client'],
    ['the capture ended', asked().segments, 'no-response capture-ended'],
    ['the capture ended after an acknowledgement', asked().ack('server').segments, 'no-response capture-ended'],
    ['only an interim answer came', asked().fromServer('HTTP/1.1 102 Processing\r\n\r\n').reset('server').segments, 'reset reset-by-server'],
    ['the answer is not in the capture', asked().fromServer(OK(), { captured: false }).ack('client').fin().segments, 'no-response lost-in-capture'],
    ['the answer is not in the capture, and others follow', asked().fromServer(OK(), { captured: false }).fromClient(GET('/y')).fromServer(OK()).fin().segments, 'no-response lost-in-capture'],
    ['a reset after the close is not the reason', asked().fin('server').fin('client').reset('client').segments, 'no-response closed-by-server'],
  ])('%s', (_name, segments, expected) => {
    const { exchanges, ledger } = runSegments(segments);
    const exchange = inOrder(exchanges)[0] as Exchange;
    expect(`${exchange.outcome} ${exchange.ending}`).toBe(expected);
    expect(exchange.response).toBeNull();
    expect(ledger.imbalances()).toEqual([]);
  }); // biome-ignore format: one table

  it.each<[string, (half: ReturnType<typeof conversation>) => readonly Segment[], string]>([
    ['the server reset it', (half) => half.reset('server').segments, 'truncated reset-by-server'],
    ['the client reset it', (half) => half.reset('client').segments, 'truncated reset-by-client'],
    [
      'the server closed it',
      (half) => half.fin('server').fin('client').segments,
      'truncated closed-by-server',
    ],
    ['the capture ended', (half) => half.segments, 'truncated capture-ended'],
  ])('and an answer that is not whole: %s', (_name, end, expected) => {
    const half = conversation()
      .handshake()
      .fromClient(GET('/x'))
      .fromServer('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf');
    const exchange = only(runSegments(end(half)).exchanges);
    expect(`${exchange.outcome} ${exchange.ending}`).toBe(expected);
    expect(exchange.response?.bodyBytes).toBe(4);
  });
});

it('an answer of which the capture lacks a part of the head is not said to have been broken off', () => {
  const half = conversation()
    .handshake()
    .fromClient(GET('/x'))
    .fromServer('HTTP/1.1 200 OK\r\nContent-Len')
    .fromServer('gth: 2\r\n\r\nok', { captured: false });
  const { exchanges } = runSegments(half.fin('server').fin('client').segments);
  const exchange = only(exchanges);
  expect(`${exchange.outcome} ${exchange.ending}`).toBe('truncated lost-in-capture');
  expect(exchange.anomalies).toEqual(['gap-in-head']);
});

it('a request of which the capture lacks a part of the head is not said to have had no Host', () => {
  const half = conversation()
    .handshake()
    .fromClient('GET /x HTTP/1.1\r\nAccept: ')
    .fromClient('*/*\r\nHost: h\r\n\r\n', { captured: false })
    .fromServer(OK());
  expect(only(runSegments(half.fin().segments).exchanges).anomalies).toEqual(['gap-in-head']);
});

describe('a request that is not whole although it was answered says who left', () => {
  const POST = 'POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nhalf';
  const REFUSAL = 'HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno';
  const refused = () => conversation().handshake().fromClient(POST).fromServer(REFUSAL);
  it.each<[string, readonly Segment[], string]>([
    ['the server closed, and the client after it', refused().fin('server').fin('client').segments, 'closed-by-server'],
    ['the client closed', refused().fin('client').fin('server').segments, 'closed-by-client'],
    ['the client closed before the answer', conversation().handshake().fromClient(POST).fin('client').fromServer(REFUSAL).fin('server').segments, 'closed-by-client'],
    ['the server reset it', refused().reset('server').segments, 'reset-by-server'],
  ])('%s', (_name, segments, expected) => {
    const exchange = only(runSegments(segments).exchanges);
    expect(`${exchange.outcome} ${exchange.ending}`).toBe(`truncated ${expected}`);
    expect([exchange.request?.bodyBytes, exchange.response?.bodyBytes]).toEqual([4, 2]);
    expect(why(exchange, null)).toMatch(/(server|client) before the request was sent whole$/);
  }); // biome-ignore format: one table
});

describe('TCP facts land on the exchange in which they happened', () => {
  it('retransmissions of request and response', () => {
    const script = conversation({ stepMs: 5 })
      .handshake()
      .fromClient(GET('/1'))
      .fromServer(OK('first'))
      .fromClient(GET('/2'))
      .again('client', GET('/1').length, GET('/2'))
      .fromServer(OK('second'), { segments: [10] })
      .again('server', OK('first').length, OK('second').slice(0, 10))
      .ack('client')
      .fromClient(GET('/3'))
      .fromServer(OK('third'))
      .fin();
    const { exchanges } = runSegments(script.segments);
    expect(exchanges.map(inShort)).toEqual(['GET /1 -> 200', 'GET /2 -> 200', 'GET /3 -> 200']);
    expect(exchanges.map(({ tcp }) => [tcp.requestRetransmissions, tcp.responseRetransmissions])).toEqual([
      [0, 0],
      [1, 0],
      [0, 0],
    ]);
    // The repeated response segment came after the exchange was over, so it counts for the connection only.
    expect(exchanges[0]?.connection.fromServer.retransmissions).toBe(1);
  });

  it('retransmission within a response counts for it', () => {
    const script = conversation({ stepMs: 5 })
      .handshake()
      .fromClient(GET('/1'))
      .fromServer('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n01234')
      .again('server', 10, 'OK')
      .fromServer('56789')
      .fin();
    expect(only(runSegments(script.segments).exchanges).tcp).toMatchObject({
      requestRetransmissions: 0,
      responseRetransmissions: 1,
      responseOutOfOrder: 0,
    });
  });

  it('out-of-order segments: soon after is disorder, later is a retransmission', () => {
    for (const [delayMs, outOfOrder, retransmissions] of [
      [0.5, 1, 0],
      [50, 0, 1],
    ] as const) {
      const script = conversation({ stepMs: 0.1 })
        .handshake()
        .fromClient(GET('/1'))
        .fromServer('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n')
        .fromServer('01234', { captured: false })
        .fromServer('56789')
        .wait(delayMs)
        .again('server', 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n'.length, '01234')
        .fin();
      const { tcp, outcome } = only(runSegments(script.segments).exchanges);
      expect([outcome, tcp.responseOutOfOrder, tcp.responseRetransmissions]).toEqual([
        'complete',
        outOfOrder,
        retransmissions,
      ]);
    }
  });

  it('closed windows of client and server', () => {
    const body = 'x'.repeat(3000);
    const script = conversation()
      .handshake()
      .fromClient(GET('/1'))
      .fromServer(OK())
      .fromClient(`POST /2 HTTP/1.1\r\nHost: h\r\nContent-Length: 3000\r\n\r\n${body.slice(0, 1000)}`)
      .ack('server', { window: 0 })
      .ack('server', { window: 5000 })
      .fromClient(body.slice(1000))
      .fromServer(`HTTP/1.1 200 OK\r\nContent-Length: 3000\r\n\r\n${body.slice(0, 1000)}`)
      .ack('client', { window: 0 })
      .ack('client', { window: 0 })
      .ack('client', { window: 5000 })
      .fromServer(body.slice(1000))
      .fin();
    const { exchanges } = runSegments(script.segments);
    expect(exchanges.map(({ tcp }) => [tcp.clientZeroWindows, tcp.serverZeroWindows])).toEqual([
      [0, 0],
      [2, 1],
    ]);
  });

  it('keep-alive probes are no retransmissions', () => {
    const script = conversation({ stepMs: 1000 })
      .handshake()
      .fromClient(GET('/1'))
      .fromServer(OK())
      .keepAlive('client')
      .ack('server')
      .keepAlive('server', true)
      .ack('client')
      .fromClient(GET('/2'))
      .fromServer(OK());
    const { exchanges, connections } = runSegments(script.segments);
    expect(exchanges.length).toBe(2);
    expect(connections[0]?.fromClient).toMatchObject({ keepAlives: 1, retransmissions: 0 });
    expect(connections[0]?.fromServer).toMatchObject({ keepAlives: 1, retransmissions: 0 });
  });

  it('and on no exchange of another connection', () => {
    const other = conversation({ client: { address: '10.0.0.9', port: 5 }, stepMs: 5 })
      .handshake()
      .fromClient(GET('/o'))
      .again('client', 0, GET('/o'))
      .fromServer(OK());
    const mine = conversation({ stepMs: 5 }).handshake().fromClient(GET('/m')).fromServer(OK());
    const { exchanges } = runSegments(interleave(mine.segments, other.segments));
    const byTarget = Object.fromEntries(
      exchanges.map(({ request, tcp }) => [request?.target, tcp.requestRetransmissions]),
    );
    expect(byTarget).toEqual({ '/m': 0, '/o': 1 });
  });
});
