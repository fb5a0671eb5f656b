import { describe, expect, it } from 'vitest';
import {
  buildConnection,
  buildExchange,
  buildInterim,
  buildRequest,
  buildResponse,
  buildUnanswered,
} from '../../test/build-exchange.ts';
import { why, whyOdd } from './why.ts';

const ms = 1_000_000;
/** The connection's last packet came 1.2 s after the request of `buildRequest`. */
const late = buildConnection({ lastNs: 1202 * ms });

describe('why an exchange failed', () => {
  it.each([
    ['reset-by-server', 'reset by the server 1.20 s after the request'],
    ['reset-by-client', 'reset by the client 1.20 s after the request'],
    ['closed-by-server', 'closed by the server 1.20 s after the request'],
    ['closed-by-client', 'closed by the client 1.20 s after the request'],
    ['capture-ended', 'capture ended 5.00 s after the request'],
    ['lost-in-capture', 'the answer is missing in the capture'],
    ['evicted', 'given up 1.20 s after the request: more connections than the limit'],
  ] as const)('%s', (ending, phrase) => {
    expect(why(buildUnanswered(ending, { connection: late }), 5002 * ms)).toBe(phrase);
  });

  it('says that the request had to be repeated', () => {
    const exchange = buildUnanswered('capture-ended', { tcp: { requestRetransmissions: 3 } });
    expect(why(exchange, 12_002 * ms)).toBe(
      'request retransmitted 3 times, capture ended 12.0 s after the request',
    );
  });

  it('tells a request that was never sent whole', () => {
    const exchange = buildUnanswered('reset-by-client', { request: buildRequest({ lastByteNs: null }) });
    expect(why(exchange, null)).toBe('reset by the client before the request was sent whole');
  });

  it('tells where an answer was cut', () => {
    const response = buildResponse({ lastByteNs: null, bodyBytes: 1_200_000 });
    expect(why(buildExchange({ response, outcome: 'truncated', ending: 'reset-by-server' }), null)).toBe(
      'reset by the server after 1.20 MB of the body',
    );
    const lost = buildResponse({ lastByteNs: null, lostBytes: 2920 });
    expect(
      why(buildExchange({ response: lost, outcome: 'truncated', ending: 'lost-in-capture' }), null),
    ).toBe('2.92 kB missing in the capture');
  });

  it('tells an answer without a request, and whether the client had sent anything', () => {
    const orphan = (connection: ReturnType<typeof buildConnection>, position = 1) =>
      why(buildExchange({ request: null, outcome: 'orphan-response', connection, position }), null);
    const sent = (bytes: number, gaps = 0) => ({
      ...buildConnection().fromClient,
      payloadBytes: bytes,
      gaps,
    });
    const missing = 'the request is not in the capture';
    expect(orphan(buildConnection({ opening: 'missed', fromClient: sent(100) }))).toBe(missing);
    expect(orphan(buildConnection({ fromClient: sent(100, 1) }))).toBe(missing);
    expect(orphan(buildConnection({ fromClient: sent(0) }))).toBe('the client had sent nothing');
    const garbage = buildConnection({ fromClient: sent(100) });
    expect(orphan(garbage)).toBe('what the client sent is no HTTP request');
    expect(orphan(garbage, 2)).toBe('no request waited for it');
  });

  it('tells whether the request or the answer was cut where the answer came early', () => {
    const early = (sentUntil: number, answeredUntil: number) =>
      why(
        buildExchange({
          request: buildRequest({ endOffset: sentUntil }),
          response: buildResponse({ endOffset: answeredUntil, bodyBytes: 17 }),
          outcome: 'truncated',
          ending: 'closed-by-server',
          anomalies: ['early-response'],
        }),
        null,
      );
    expect(early(-1, 200)).toBe('closed by the server before the request was sent whole');
    expect(early(300, -1)).toBe('closed by the server after 17 B of the body');
    expect(early(-1, -1)).toBe('closed by the server before request and answer were whole');
  });
});

describe('why an exchange was slow', () => {
  it('names SYN retransmission, on the first exchange of the connection only', () => {
    const connection = buildConnection({ synRetransmissions: 2, ackNs: 3010 * ms });
    expect(why(buildExchange({ connection }), null)).toBe('SYN retransmitted twice, connecting took 3.01 s');
    expect(why(buildExchange({ connection, position: 2 }), null)).not.toContain('SYN');
  });

  it.each([
    [{ requestRetransmissions: 1 }, 'request retransmitted once'],
    [{ responseRetransmissions: 4 }, 'response retransmitted 4 times'],
    [{ requestRetransmissions: 2, responseRetransmissions: 1 }, 'request retransmitted twice, response once'],
    [{ clientZeroWindows: 2 }, 'client read slowly: its window closed twice'],
    [{ serverZeroWindows: 1 }, 'server read slowly: its window closed once'],
  ])('names what TCP did: %o', (tcp, phrase) => expect(why(buildExchange({ tcp }), null)).toBe(phrase));

  it('names loss in the capture and waiting behind other requests', () => {
    expect(why(buildExchange({ response: buildResponse({ lostBytes: 1460 }) }), null)).toBe(
      '1.46 kB missing in the capture',
    );
    expect(why(buildExchange({ anomalies: ['pipelined'] }), null)).toBe(
      'queued behind an earlier request (pipelined)',
    );
  });

  it('names the phase that took most of the time', () => {
    expect(why(buildExchange(), null)).toBe('server took 10.0 ms to answer');
    const slowSender = buildExchange({
      request: buildRequest({ firstByteNs: 0, lastByteNs: 3000 * ms, bodyBytes: 5000 }),
      response: buildResponse({ firstByteNs: 3001 * ms, lastByteNs: 3001 * ms }),
    });
    expect(why(slowSender, null)).toBe('slow sender: 5.00 kB of request body in 3.00 s');
    const slowHead = buildExchange({
      request: buildRequest({ firstByteNs: 0, lastByteNs: 3000 * ms, bodyBytes: 0 }),
      response: buildResponse({ firstByteNs: 3001 * ms, lastByteNs: 3001 * ms }),
    });
    expect(why(slowHead, null)).toBe('slow sender: 3.00 s for the head of the request');
    const large = buildExchange({
      response: buildResponse({ firstByteNs: 3 * ms, lastByteNs: 2003 * ms, bodyBytes: 12e6 }),
    });
    expect(why(large, null)).toBe('large response: 12.0 MB in 2.00 s, 6.00 MB/s');
    const trickle = buildExchange({
      response: buildResponse({ firstByteNs: 3 * ms, lastByteNs: 2003 * ms, bodyBytes: 100 }),
    });
    expect(why(trickle, null)).toBe('slow response body: 100 B in 2.00 s, 50 B/s');
  });

  it('names a wait for 100 Continue', () => {
    const exchange = buildExchange({
      request: buildRequest({ firstByteNs: 0, lastByteNs: 1010 * ms, bodyBytes: 5000 }),
      interim: [buildInterim({ timeNs: 1000 * ms })],
      response: buildResponse({ firstByteNs: 1020 * ms, lastByteNs: 1020 * ms }),
    });
    expect(why(exchange, null)).toBe('client waited 1.00 s for 100 Continue');
  });

  it('has no opinion where no phase stands out or times are unknown', () => {
    const even = buildExchange({
      request: buildRequest({ firstByteNs: 0, lastByteNs: 10 * ms }),
      response: buildResponse({ firstByteNs: 20 * ms, lastByteNs: 30 * ms }),
    });
    expect(why(even, null)).toBeNull();
    expect(whyOdd(buildExchange(), null)).toBeNull();
  });
});
