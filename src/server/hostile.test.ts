import { createConnection, type Socket } from 'node:net';
import { afterAll, describe, expect, it } from 'vitest';
import { rawRequests, sendRaw } from '../../test/server/raw-requests.ts';
import {
  AGENT_TOKEN,
  BATCH_HEADERS,
  batchBody,
  exchangeRow,
  READER_TOKEN,
  runServer,
} from '../../test/server/run-server.ts';

const portOf = (url: string) => Number(new URL(url).port);

describe('bytes of strangers', async () => {
  const server = await runServer();
  afterAll(() => server.running.close());

  for (const { name, bytes, statuses } of rawRequests(READER_TOKEN)) {
    it(`${name}: one answer at most, ${statuses.join(' or ')}`, async () => {
      const answers = await sendRaw(portOf(server.url), bytes);
      expect(answers.length).toBeLessThanOrEqual(1);
      expect(statuses).toContain(answers[0] ?? 0);
      expect((await server.ask('GET', '/healthz')).status).toBe(200);
    });
  }

  it('changed nothing, failed nowhere, and wrote no token into the log', async () => {
    expect((await server.store.facts()).exchanges).toBe(0);
    const log = server.log.join('');
    expect(log).not.toContain('"level":50');
    expect(log).not.toContain(READER_TOKEN);
  });
});

describe('connections that do not come to a point', () => {
  const open = (port: number, bytes: string) =>
    new Promise<{ socket: Socket; text: () => string; closed: Promise<void> }>((resolve) => {
      let text = '';
      const socket = createConnection({ port, host: '127.0.0.1', allowHalfOpen: true }, () => {
        socket.write(bytes, 'latin1');
        resolve({ socket, text: () => text, closed });
      });
      socket.on('data', (part) => {
        text += part.toString('latin1');
      });
      socket.on('error', () => {});
      const closed = new Promise<void>((done) => socket.once('end', done).once('close', done));
    });

  it('are closed: slow heads, slow bodies, and silence', async () => {
    const server = await runServer({ limits: { headerMs: 300, requestMs: 600, idleMs: 900 }, sql: null });
    const port = portOf(server.url);
    const head = await open(port, 'GET /healthz HTTP/1.1\r\nHost: x\r\nX: ');
    const drip = setInterval(() => head.socket.write('a'), 50);
    const body = await open(
      port,
      `POST /api/v1/upload HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${AGENT_TOKEN}\r\nContent-Type: application/x-ndjson\r\nContent-Length: 100000\r\n\r\n`,
    );
    const dripBody = setInterval(() => body.socket.write('a'), 50);
    const silent = await open(port, '');
    await Promise.all([head.closed, body.closed, silent.closed]);
    clearInterval(drip);
    clearInterval(dripBody);
    expect(head.text()).toMatch(/^HTTP\/1\.1 408 /);
    for (const { socket } of [head, body, silent]) socket.destroy();
    expect((await server.ask('GET', '/metrics')).text).toContain('upload_held_bytes 0\n');
    await server.running.close();
  });

  it('are answered when they are half closed', async () => {
    const server = await runServer();
    const half = await open(portOf(server.url), `GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n`);
    half.socket.end();
    await half.closed;
    expect(half.text()).toMatch(/^HTTP\/1\.1 200 /);
    await server.running.close();
  });

  it('are no more than may be: further ones are closed and counted', async () => {
    const server = await runServer({ limits: { connections: 20 } });
    const sockets = await Promise.all(Array.from({ length: 60 }, () => open(portOf(server.url), '')));
    await expect
      .poll(() => sockets.filter(({ socket }) => socket.readableEnded || socket.destroyed).length)
      .toBeGreaterThanOrEqual(40);
    for (const { socket } of sockets) socket.destroy();
    await expect
      .poll(async () => (await server.ask('GET', '/healthz').catch(() => ({ status: 0 }))).status)
      .toBe(200);
    expect((await server.ask('GET', '/metrics')).text).toMatch(/connections_dropped_total (4\d|[5-9]\d)\n/);
    await server.running.close();
  });

  it('get the answer to an upload that is refused while it is sent', async () => {
    const server = await runServer({ limits: { uploadBytes: 1000 } });
    for (let turn = 0; turn < 10; turn += 1) {
      const headers = { ...BATCH_HEADERS };
      const answer = await server.ask('POST', '/api/v1/upload', { headers, body: Buffer.alloc(8_000_000) });
      expect(answer.status).toBe(413);
    }
    await server.running.close();
  });

  it('do not keep a refused upload coming', async () => {
    const server = await runServer({ limits: { uploadBytes: 1000, lingerMs: 100 } });
    const large = await open(
      portOf(server.url),
      `POST /api/v1/upload HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer wrong-wrong\r\nContent-Type: application/x-ndjson\r\nContent-Length: 900000000\r\n\r\n`,
    );
    await large.closed;
    expect(large.text()).toMatch(/^HTTP\/1\.1 401 /);
    large.socket.destroy();
    const answer = await server.ask('POST', '/api/v1/upload', {
      headers: BATCH_HEADERS,
      body: batchBody([exchangeRow()]),
    });
    expect(answer.status).toBe(200);
    await server.running.close();
  });
});
