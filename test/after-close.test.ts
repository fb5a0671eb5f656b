import { expect, it } from 'vitest';
import { conversation } from '../fixtures/build/conversation.ts';
import { runSegments } from './pipeline-run.ts';

const GET = (target: string): string => `GET ${target} HTTP/1.1\r\nHost: h\r\n\r\n`;
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

it('marks an answer that comes after the end of its direction, and loses nothing of it', () => {
  const { segments } = conversation()
    .handshake()
    .fromClient(GET('/first'))
    .fromServer(OK)
    .fin('server')
    .fromClient(GET('/second'))
    .fromServer(OK);
  const { exchanges, ledger } = runSegments(segments);
  expect(exchanges.map(({ request, response }) => [request?.target, response?.status])).toEqual([
    ['/first', 200],
    ['/second', 200],
  ]);
  expect(exchanges.map(({ anomalies }) => anomalies)).toEqual([[], ['after-close']]);
  expect(ledger.gaps).toBe(0);
  expect(ledger.imbalances()).toEqual([]);
});

it('knows who reset a connection of which only the last packets were captured', () => {
  const script = conversation().handshake({ syn: false, synAck: false, ack: false });
  const { exchanges } = runSegments(script.fromClient(GET('/cut')).reset('server').segments);
  expect(exchanges.map(({ outcome, ending }) => [outcome, ending])).toEqual([['reset', 'reset-by-server']]);
});
