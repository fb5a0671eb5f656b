import { request as httpRequest, type IncomingMessage } from 'node:http';
import { afterAll, describe, expect, it } from 'vitest';
import {
  BATCH_HEADERS,
  batchBody,
  exchangeRow,
  READER_TOKEN,
  runServer,
  type TestServer,
} from '../../test/server/run-server.ts';

interface Stream {
  /** ids of the events so far. */
  readonly ids: number[];
  readonly text: () => string;
  readonly answer: IncomingMessage;
  readonly ended: Promise<void>;
  close(): void;
}

function follow(server: TestServer, query = '', lastEventId?: string): Promise<Stream> {
  return new Promise((resolve, reject) => {
    const headers = {
      authorization: `Bearer ${READER_TOKEN}`,
      ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }),
    };
    const asked = httpRequest(`${server.url}/api/v1/live${query}`, { headers, agent: false }, (answer) => {
      let text = '';
      const ids: number[] = [];
      answer.setEncoding('utf8');
      let rest = '';
      answer.on('data', (part: string) => {
        text = (text + part).slice(-100_000);
        const blocks = (rest + part).split('\n\n');
        rest = blocks.pop() ?? '';
        for (const block of blocks) {
          const match = /^event: exchange\nid: (\d+)\ndata: (.*)$/.exec(block);
          if (match === null) continue;
          expect(JSON.parse(match[2] as string).id).toBe(Number(match[1]));
          ids.push(Number(match[1]));
        }
      });
      const ended = new Promise<void>((done) => answer.once('close', () => done()));
      answer.on('error', () => {});
      resolve({ ids, text: () => text, answer, ended, close: () => asked.destroy() });
    });
    asked.on('error', reject);
    asked.end();
  });
}

const upload = (server: TestServer, rows: number, changes = {}) =>
  server.ask('POST', '/api/v1/upload', {
    headers: BATCH_HEADERS,
    body: batchBody(Array.from({ length: rows }, () => exchangeRow(changes))),
  });
const from = (first: number, last: number) =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index);

describe('GET /api/v1/live', async () => {
  const server = await runServer({ limits: { streamPauseMs: 1 } });
  afterAll(() => server.running.close());

  it('sends what comes from now on, each exchange once and in order', async () => {
    await upload(server, 3);
    const stream = await follow(server);
    await expect.poll(stream.text).toContain('id: 3\n\n');
    expect(stream.answer.headers['content-type']).toBe('text/event-stream; charset=utf-8');
    expect(stream.answer.headers['x-content-type-options']).toBe('nosniff');
    await upload(server, 2);
    await Promise.all([upload(server, 700), upload(server, 1), upload(server, 600)]);
    await expect.poll(() => stream.ids.length).toBe(1303);
    expect(stream.ids).toEqual(from(4, 1306));
    stream.close();
  });

  it('goes on after the last event seen', async () => {
    const stream = await follow(server, '', '1300');
    await expect.poll(() => stream.ids).toEqual(from(1301, 1306));
    stream.close();
    const first = await follow(server, '', '0');
    await expect.poll(() => first.ids.length).toBe(1306);
    first.close();
    for (const id of ['-1', 'x', '1.5', '99999999999999999999'])
      expect((await server.ask('GET', '/api/v1/live', { headers: { 'last-event-id': id } })).status).toBe(
        400,
      );
  });

  it('sends only what was asked for', async () => {
    const stream = await follow(server, '?address=10.7.7.7');
    await upload(server, 5);
    await upload(server, 1, { client: '10.7.7.7' });
    await upload(server, 5);
    await upload(server, 1, { server: '10.7.7.7' });
    await expect.poll(() => stream.ids).toEqual([1312, 1318]);
    stream.close();
    expect((await server.ask('GET', '/api/v1/live?from=-1h')).status).toBe(400);
    expect((await server.ask('GET', '/api/v1/live?where=%3E')).status).toBe(400);
  });

  it('says that it lives, takes no more streams than it may, and forgets those that went away', async () => {
    const small = await runServer({ limits: { streams: 2, streamCommentMs: 20 } });
    const streams = [await follow(small), await follow(small)];
    await expect.poll(() => streams[0]?.text()).toContain('\n\n:\n\n');
    const third = await small.ask('GET', '/api/v1/live');
    expect([third.status, third.json.code]).toEqual([503, 'busy']);
    streams[0]?.close();
    await expect.poll(async () => (await small.ask('GET', '/metrics')).text).toContain('live_streams 1\n');
    const next = await follow(small);
    next.close();
    streams[1]?.close();
    await small.running.close();
  });

  it('lets go of a client that takes nothing', async () => {
    const small = await runServer({ limits: { streamStallMs: 100, streamPauseMs: 1 } });
    const stream = await follow(small);
    stream.answer.pause();
    for (let turn = 0; turn < 15; turn += 1) await upload(small, 400, { user_agent: 'x'.repeat(20_000) });
    await expect.poll(async () => (await small.ask('GET', '/metrics')).text).toContain('live_streams 0\n');
    stream.close();
    await small.running.close();
  });

  it('ends when the store fails, so that the client comes back', async () => {
    const failing = await runServer({ limits: { streamPauseMs: 1 } });
    const stream = await follow(failing);
    await expect.poll(stream.text).toContain('id: 0\n\n');
    const { list } = failing.store;
    failing.store.list = async () => {
      throw new Error('gone');
    };
    await upload(failing, 1);
    await stream.ended;
    failing.store.list = list;
    const again = await follow(failing, '', '0');
    await expect.poll(() => again.ids).toEqual([1]);
    again.close();
    await failing.running.close();
  });
});
