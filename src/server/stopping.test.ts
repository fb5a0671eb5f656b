import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { connect } from 'node:tls';
import { describe, expect, it } from 'vitest';
import {
  BATCH_HEADERS,
  batchBody,
  exchangeRow,
  READER_TOKEN,
  runServer,
} from '../../test/server/run-server.ts';
import { startServer } from './server.ts';

describe('stopping', () => {
  it('finishes what runs, is not ready meanwhile, and takes nothing new afterwards', async () => {
    const server = await runServer();
    let free = () => {};
    server.store.hold = new Promise((resolve) => {
      free = resolve;
    });
    const agent = new Agent({ keepAlive: true });
    // A connection that is open already is still answered: not ready.
    const overKept = (target: string) =>
      new Promise<number>((resolve, reject) => {
        get(`${server.url}${target}`, { agent }, (answer) => {
          answer.resume();
          answer.on('end', () => resolve(answer.statusCode ?? 0));
        }).on('error', reject);
      });
    expect(await overKept('/readyz')).toBe(200);
    const running = server.ask('GET', '/api/v1/exchanges');
    await expect.poll(() => server.store.asked).toBe(1);
    const stopped = server.running.close(20_000);
    free();
    expect((await running).status).toBe(200);
    expect(await stopped).toBe(true);
    await expect(fetch(`${server.url}/healthz`)).rejects.toThrow();
    agent.destroy();
  });

  it('cuts off what takes too long', async () => {
    const server = await runServer();
    server.store.hold = new Promise(() => {});
    const running = server.ask('GET', '/api/v1/exchanges').catch(() => 'cut off');
    await expect.poll(() => server.store.asked).toBe(1);
    expect(await server.running.close(100)).toBe(false);
    expect(await running).toBe('cut off');
  });

  it('ends live streams and connections that say nothing', async () => {
    const server = await runServer();
    const port = Number(new URL(server.url).port);
    const idle = createConnection(port, '127.0.0.1');
    const half = createConnection(port, '127.0.0.1', () => half.write('GET /healthz HT'));
    idle.on('error', () => {});
    half.on('error', () => {});
    const live = await fetch(`${server.url}/api/v1/live`, {
      headers: { authorization: `Bearer ${READER_TOKEN}` },
    });
    await new Promise((resolve) => setTimeout(resolve, 50));
    await server.running.close(300);
    expect(await live.text()).toContain('retry: 2000');
    idle.destroy();
    half.destroy();
  });

  it('says why it cannot listen', async () => {
    const server = await runServer();
    const port = Number(new URL(server.url).port);
    const options = { listen: { host: '127.0.0.1', port } };
    await expect(runServer(options)).rejects.toMatchObject({
      code: 'listen',
      message: expect.stringContaining('EADDRINUSE'),
    });
    await server.running.close();
  });
});

describe('TLS', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'wirelens-tls-'));
  const made = (name: string) => {
    const [key, cert] = [path.join(folder, `${name}.key`), path.join(folder, `${name}.pem`)];
    execFileSync(
      'openssl',
      [
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:prime256v1',
        '-nodes',
        '-keyout',
        key,
        '-out',
        cert,
        '-days',
        '2',
        '-subj',
        `/CN=${name}`,
      ],
      { stdio: 'ignore' },
    );
    return { key: readFileSync(key), cert: readFileSync(cert) };
  };
  const hasOpenssl = (() => {
    try {
      execFileSync('openssl', ['version'], { stdio: 'ignore' });
      return true;
    } catch {
      return false;
    }
  })();
  if (!hasOpenssl) console.log('TLS is not tested: openssl is not installed');

  it.runIf(hasOpenssl)(
    'answers over TLS 1.2 and later, and takes a new certificate while it runs',
    async () => {
      const [first, second] = [made('first'), made('second')];
      rmSync(folder, { recursive: true });
      const server = await runServer({ tls: first });
      const port = Number(new URL(server.url).port);
      expect(server.url).toMatch(/^https:/);
      const shown = (options: object = {}) =>
        new Promise<string>((resolve, reject) => {
          const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options }, () => {
            resolve(socket.getPeerCertificate().subject.CN as string);
            socket.end();
          });
          socket.on('error', reject);
        });
      expect(await shown()).toBe('first');
      await expect(
        shown({ maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0', minVersion: 'TLSv1' }),
      ).rejects.toThrow();
      server.running.renew({ agent: null, reader: null }, second);
      expect(await shown()).toBe('second');
      const plain = await fetch(server.url.replace('https:', 'http:')).catch(() => null);
      expect(plain).toBeNull();
      await server.running.close();
      const store = server.store;
      await expect(
        startServer({
          store,
          log: { debug() {}, info() {}, warn() {}, error() {} },
          version: '1',
          listen: { host: '127.0.0.1', port: 0 },
          agentTokens: null,
          readerTokens: null,
          tls: { cert: first.cert, key: second.key },
        }),
      ).rejects.toMatchObject({ code: 'tls' });
    },
  );
});

it('uploads are stored once when the server stops while they run', async () => {
  const server = await runServer();
  const uploads = Array.from({ length: 5 }, (_, index) =>
    server
      .ask('POST', '/api/v1/upload', {
        headers: { ...BATCH_HEADERS, 'x-wirelens-stream': 's', 'x-wirelens-batch': String(index + 1) },
        body: batchBody([exchangeRow()]),
      })
      .then(
        ({ status }) => status,
        () => 0,
      ),
  );
  await new Promise((resolve) => setTimeout(resolve, 5));
  await server.running.close();
  const acknowledged = (await Promise.all(uploads)).filter((status) => status === 200).length;
  const { exchanges } = await server.store.facts();
  expect(exchanges).toBeGreaterThanOrEqual(acknowledged);
});
