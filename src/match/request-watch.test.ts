import { describe, expect, it } from 'vitest';
import { type Conversation, conversation, START_NS } from '../../fixtures/build/conversation.ts';
import { inShort, PipelineFeed, packetsOf } from '../../test/pipeline-run.ts';
import { LIMITS } from '../model/limits.ts';
import { RequestWatch, type WaitingRequest } from './request-watch.ts';

const MS = 1e6;
const GET = (target: string): string => `GET ${target} HTTP/1.1\r\nHost: shop.test\r\n\r\n`;
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi';

interface Watched {
  readonly feed: PipelineFeed;
  readonly watch: RequestWatch;
  targets(atMs: number, leastMs: number): string[];
}

/** Feeds what was captured, without ending the capture. */
function watched(script: Conversation, reveal = false): Watched {
  const watch = new RequestWatch(LIMITS, reveal);
  const feed = new PipelineFeed({ observers: { tap: watch.tap } });
  for (const packet of packetsOf(script.segments)) feed.packet(packet);
  const targets = (atMs: number, leastMs: number): string[] =>
    watch.due(atMs * MS, leastMs * MS).map(({ target }: WaitingRequest) => target);
  return { feed, watch, targets };
}

const opened = (): Conversation => conversation({ startNs: START_NS, stepMs: 1 }).handshake();

describe('requests that wait', () => {
  it('are told once, when they have waited long enough', () => {
    const { targets } = watched(opened().fromClient(GET('/slow'), { atMs: 100 }));
    expect(targets(599, 500)).toEqual([]);
    expect(targets(600, 500)).toEqual(['/slow']);
    expect(targets(900, 500)).toEqual([]);
  });

  it('wait from their last byte on', () => {
    const script = opened()
      .fromClient('POST /up HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nab', { atMs: 100 })
      .fromClient('cd', { atMs: 400 });
    const { watch } = watched(script);
    expect(watch.due(899 * MS, 500 * MS)).toEqual([]);
    const [request] = watch.due(900 * MS, 500 * MS);
    expect(request).toMatchObject({
      method: 'POST',
      target: '/up',
      host: 'a',
      sinceNs: 400 * MS,
      packet: 4,
      client: { text: '10.0.0.1:40000' },
      server: { text: '10.0.0.2:80' },
    });
  });

  it('are not those that are still being sent, nor those whose answer has begun', () => {
    const sending = opened().fromClient('POST /up HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nab');
    expect(watched(sending).targets(1e6, 1)).toEqual([]);
    const answered = opened()
      .fromClient(GET('/a'))
      .fromServer('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhi');
    expect(watched(answered).targets(1e6, 1)).toEqual([]);
  });

  it('are told one by one where several were sent at once', () => {
    const script = opened()
      .fromClient(GET('/1') + GET('/2') + GET('/3'))
      .fromServer(OK);
    expect(watched(script).targets(1e6, 1)).toEqual(['/2', '/3']);
  });

  it('do not wait any more when the connection is over', () => {
    const script = opened().fromClient(GET('/a')).reset('server');
    const { feed, targets } = watched(script);
    feed.finish();
    expect(targets(1e6, 1)).toEqual([]);
  });

  it('come with masked secrets', () => {
    const script = opened().fromClient(GET('/a?token=geheim'));
    expect(watched(script).targets(1e6, 1).join()).not.toContain('geheim');
    expect(watched(script, true).targets(1e6, 1)).toEqual(['/a?token=geheim']);
  });

  it('leave exchanges and the ledger as they are', () => {
    const script = opened()
      .fromClient(GET('/1') + GET('/2'))
      .fromServer(OK)
      .fin();
    const plain = new PipelineFeed();
    for (const packet of packetsOf(script.segments)) plain.packet(packet);
    const { feed } = watched(script);
    const shown = ({ exchanges, ledger }: ReturnType<PipelineFeed['finish']>): string =>
      JSON.stringify([exchanges.map(inShort), ledger]);
    expect(shown(feed.finish())).toBe(shown(plain.finish()));
    expect(feed.ledger.imbalances()).toEqual([]);
  });

  it('are of the client also where the capture begins in the middle and the server was taken for it', () => {
    const script = conversation({
      client: { address: '10.0.0.1', port: 80 },
      server: { address: '10.0.0.2', port: 9000 },
      startNs: START_NS,
    })
      .fromClient(GET('/a'))
      .fromServer(OK)
      .fromClient(GET('/b'));
    // Where the beginning is missing, the first bytes wait for earlier ones that may still come.
    for (let count = 0; count < LIMITS.reorderPackets; count++) script.ack('server');
    const { watch } = watched(script);
    const [request] = watch.due(1e12, 1);
    expect(request).toMatchObject({
      target: '/b',
      client: { text: '10.0.0.1:80' },
      server: { text: '10.0.0.2:9000' },
    });
  });
});
