import { createServer, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server as TcpServer } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { StubServer, storedRow } from '../../test/stub-server.ts';
import { testCertificate } from '../../test/test-certificate.ts';
import { describeError, UserError } from '../model/errors.ts';
import { BackOff } from './back-off.ts';
import type { ServerEvent } from './event-stream.ts';
import { ServerClient, type ServerClientOptions } from './server-client.ts';
import { classify, retryAfterMs, type ServerResponse, verdictOf } from './server-response.ts';
import { ServerUnreachable } from './server-unreachable.ts';

const closing: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

function clientOf(url: string, more: Partial<ServerClientOptions> = {}): ServerClient {
  const client = new ServerClient({ url, token: null, ...more });
  closing.push(() => client.close());
  return client;
}

async function listening(server: Server | TcpServer, host = '127.0.0.1'): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  closing.push(() => {
    if ('closeAllConnections' in server) server.closeAllConnections();
    server.close();
  });
  return `http://${host}:${(server.address() as AddressInfo).port}`;
}

const serving = (handle: RequestListener): Promise<string> => listening(createServer(handle));

async function stub(options: Parameters<typeof StubServer.start>[0] = {}): Promise<StubServer> {
  const server = await StubServer.start(options);
  closing.push(() => server.stop());
  return server;
}

/** What a promise rejects with. */
async function failure(promise: Promise<unknown>): Promise<ServerUnreachable | UserError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof ServerUnreachable || error instanceof UserError) return error;
    throw error;
  }
  throw new Error('it did not fail');
}

const answer = (status: number, body: string, headers: ServerResponse['headers'] = {}): ServerResponse => ({
  status,
  headers,
  body: Buffer.from(body),
});

describe('what an answer means for the same request later', () => {
  it.each([
    [200, 'ok'],
    [204, 'ok'],
    [302, 'retry'],
    [400, 'refused'],
    [401, 'denied'],
    [403, 'denied'],
    [404, 'refused'],
    [408, 'retry'],
    [413, 'refused'],
    [425, 'retry'],
    [429, 'retry'],
    [500, 'retry'],
    [503, 'retry'],
  ])('%i: %s', (status, verdict) => {
    expect(classify(status)).toBe(verdict);
    expect(verdictOf(answer(status, '{"error":"no","code":"no"}'))).toBe(verdict);
  });

  it('does not believe a refusal that is not in the words of a Wirelens server', () => {
    expect(verdictOf(answer(404, '<html>nginx</html>'))).toBe('retry');
    expect(verdictOf(answer(400, '{"message":"no"}'))).toBe('retry');
    expect(verdictOf(answer(413, '<html>nginx</html>'))).toBe('refused');
  });

  it('reads Retry-After in seconds and as a date, and bounds it', () => {
    const at = (value: string): number | null =>
      retryAfterMs(answer(503, '', { 'retry-after': value }), Date.UTC(2026, 10, 21, 7, 42, 0));
    expect(at('7')).toBe(7000);
    expect(at('Sat, 21 Nov 2026 07:42:30 GMT')).toBe(30_000);
    expect(at('Sat, 21 Nov 2026 07:41:30 GMT')).toBe(0);
    expect(at('999999')).toBe(3_600_000);
    expect(at('soon')).toBeNull();
  });
});

describe('waits between tries', () => {
  it('draws from a bound that doubles up to the longest, and starts anew after a success', () => {
    const bounds = new BackOff({ firstMs: 500, longestMs: 3000 }, () => 1);
    expect([bounds.next(), bounds.next(), bounds.next(), bounds.next(), bounds.next()]).toEqual([
      500, 1000, 2000, 3000, 3000,
    ]);
    bounds.succeeded();
    expect(bounds.next()).toBe(500);
    const lucky = new BackOff({ firstMs: 500, longestMs: 3000 }, () => 0);
    expect(lucky.next()).toBe(0);
    expect(lucky.next(1200)).toBe(1200);
  });
});

describe('a request', () => {
  it('carries token and headers, and keeps the connection', async () => {
    const ports = new Set<number | undefined>();
    const seen: unknown[] = [];
    const url = await serving((request, response) => {
      ports.add(request.socket.remotePort);
      seen.push([request.method, request.url, request.headers.authorization, request.headers['x-one']]);
      request.resume().on('end', () => response.end('{"fine":true}'));
    });
    const client = clientOf(`${url}/behind/a/proxy/`, { token: 'sesam' });
    for (let count = 0; count < 3; count += 1)
      await client.request('PUT', '/api/v1/x?y=1', { headers: { 'x-one': '1' }, body: Buffer.from('hello') });
    expect(seen).toEqual(Array(3).fill(['PUT', '/behind/a/proxy/api/v1/x?y=1', 'Bearer sesam', '1']));
    expect(ports.size).toBe(1);
  });

  it('asks for the token anew each time, so that a file can be read again', async () => {
    const server = await stub({ token: 'second' });
    let token = 'first';
    const client = clientOf(server.url, { token: () => token });
    expect((await client.request('GET', '/api/v1/exchanges')).status).toBe(401);
    token = 'second';
    expect((await client.request('GET', '/api/v1/exchanges')).status).toBe(200);
  });

  it('goes out once more when a kept connection was closed in the same moment', async () => {
    let requests = 0;
    const url = await serving((request, response) => {
      requests += 1;
      // The second one finds its connection closed without a word, as after a restart of the server.
      if (requests === 2) request.socket.destroy();
      else response.end('{}');
    });
    const client = clientOf(url);
    await client.request('GET', '/');
    expect((await client.request('GET', '/')).status).toBe(200);
    expect(requests).toBe(3);
  });

  it('uncompresses an answer, and bounds what comes out', async () => {
    const url = await serving((_, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' });
      response.end(gzipSync(Buffer.alloc(4 * 1024 * 1024, 32)));
    });
    const client = clientOf(url);
    expect((await client.request('GET', '/')).body.byteLength).toBe(4 * 1024 * 1024);
    const error = await failure(client.request('GET', '/', { maxBytes: 1024 * 1024 }));
    expect(error.code).toBe('answer-too-large');
  });

  it('rejects with the reason of its signal', async () => {
    const url = await serving(() => {});
    const ending = new AbortController();
    const asked = clientOf(url).request('GET', '/', { signal: ending.signal });
    setTimeout(() => ending.abort(new Error('enough')), 20);
    await expect(asked).rejects.toThrow('enough');
  });
});

describe('no answer', () => {
  const problem = async (url: string, more: Partial<ServerClientOptions> = {}) =>
    failure(clientOf(url, more).request('GET', '/api/v1/exchanges'));

  it('nothing listens', async () => {
    const url = await serving(() => {});
    for (const close of closing.splice(0)) await close();
    const error = await problem(url);
    expect([error.code, error.message]).toEqual(['refused', `nothing listens at ${url}`]);
    expect((error as ServerUnreachable).retry).toBe(true);
  });

  it('the name is not known', async () => {
    expect((await problem('http://no-such-host.invalid')).code).toBe('unknown-host');
  });

  it('a redirect is not followed: the token would go there', async () => {
    const other = await stub({ token: 'sesam' });
    const url = await serving((_, response) => {
      response.writeHead(307, { location: `${other.url}/api/v1/exchanges` });
      response.end();
    });
    const error = await problem(url, { token: 'sesam' });
    expect(error.code).toBe('redirect');
    expect(error.message).toContain(other.url);
    expect(other.requests).toEqual([]);
  });

  it('a server that takes the connection and says nothing', async () => {
    const url = await listening(createTcpServer(() => {}));
    const error = await problem(url, { timeoutMs: 150 });
    expect([error.code, error.message]).toEqual(['timeout', expect.stringContaining('0.15 s')]);
  });

  it('an answer that stops in the middle', async () => {
    const url = await serving((_, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('half');
    });
    expect((await problem(url, { timeoutMs: 150 })).code).toBe('timeout');
  });

  it('an answer that is cut off', async () => {
    const url = await serving((_, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('half', () => response.socket?.destroy());
    });
    expect((await problem(url)).code).toBe('cut');
  });

  it('something that is no HTTP', async () => {
    const url = await listening(createTcpServer((socket) => socket.end('SSH-2.0-OpenSSH_9.2\r\n')));
    expect((await problem(url)).code).toBe('not-http');
  });

  it('plain HTTP where TLS is asked for', async () => {
    const url = await serving((_, response) => response.end());
    expect((await problem(url.replace('http:', 'https:'))).code).toBe('not-tls');
  });
});

describe('TLS', () => {
  it('trusts the authority that is given, and no other', async () => {
    const { key, cert, ca } = testCertificate('127.0.0.1');
    const server = await stub({ tls: { key, cert } });
    const trusting = clientOf(server.url, { tlsCa: Buffer.from(ca) });
    expect((await trusting.request('GET', '/api/v1/exchanges')).status).toBe(200);
    const error = await failure(clientOf(server.url).request('GET', '/api/v1/exchanges'));
    expect(error.code).toBe('certificate');
    expect((error as ServerUnreachable).hint).toContain('--tls-ca');
  });

  it('refuses a certificate for another name, and says for which it is', async () => {
    const { key, cert, ca } = testCertificate('other.test');
    const server = await stub({ tls: { key, cert } });
    const error = await failure(
      clientOf(server.url, { tlsCa: Buffer.from(ca) }).request('GET', '/api/v1/exchanges'),
    );
    expect(error.code).toBe('certificate');
    expect(error.message).toMatch(/for another name/);
    expect(server.requests).toEqual([]);
  });
});

describe('what can be wrong before anything is sent', () => {
  it.each([
    ['localhost:8080', /no address/],
    ['ftp://host', /no address/],
    ['http://user:pass@host', /name or password/],
    ['http://host/?token=x', /query/],
  ])('%s', (url, message) => {
    const make = () => new ServerClient({ url, token: null });
    expect(make).toThrow(message);
    expect(make).toThrow(UserError);
  });

  it('a token that would break the header, without showing it', () => {
    const make = () => new ServerClient({ url: 'http://h', token: 'geheim\r\nX-Evil: 1' });
    expect(make).toThrow(UserError);
    expect(make).not.toThrow(/geheim/);
  });

  it('an authority that is none', () => {
    expect(() => new ServerClient({ url: 'https://h', token: null, tlsCa: Buffer.from('no') })).toThrow(
      /PEM|certificate/,
    );
    expect(() => new ServerClient({ url: 'http://h', token: null, tlsCa: Buffer.from('no') })).toThrow(
      /http/,
    );
  });
});

describe('what errors say', () => {
  it('never the token', async () => {
    const server = await stub({ token: 'right' });
    const client = clientOf(server.url, { token: 'wrong-and-secret' });
    const error = await failure(client.json('GET', '/api/v1/exchanges'));
    expect(error.code).toBe('unauthorised');
    expect(describeError(error as UserError)).not.toContain('wrong-and-secret');
  });

  it('the mistake in an expression, with its place', async () => {
    const excerpt = { text: 'statsu >= 500', start: 0, end: 6 };
    const url = await serving((_, response) => {
      response.writeHead(400);
      response.end(
        JSON.stringify({
          error: "there is no field 'statsu'",
          code: 'filter',
          hint: 'did you mean status?',
          excerpt,
        }),
      );
    });
    const error = (await failure(clientOf(url).json('GET', '/'))) as UserError;
    expect([error.code, error.exitCode, error.hint]).toEqual(['filter', 2, 'did you mean status?']);
    expect(error.excerpt).toEqual(excerpt);
  });

  it('that something else answers there', async () => {
    const url = await serving((_, response) => response.writeHead(404).end('<html>'));
    expect((await failure(clientOf(url).json('GET', '/'))).code).toBe('no-wirelens-server');
  });
});

describe('following events', () => {
  const ids = (events: readonly ServerEvent[]): string[] => events.map(({ id }) => id);

  it('goes on where it was after the connection was lost, without a gap and without a repeat', async () => {
    const server = await stub();
    server.add(storedRow(1), storedRow(2));
    const ending = new AbortController();
    const events: ServerEvent[] = [];
    const states: (string | null)[] = [];
    const done = clientOf(server.url).events(
      '/api/v1/live',
      (event) => {
        events.push(event);
        if (event.id === '3') {
          // Lost while nobody listens, and cut off in the middle of an event.
          server.cutLive();
          server.rows.push(storedRow(4), storedRow(5));
        }
        if (event.id === '6') ending.abort();
      },
      {
        signal: ending.signal,
        onState: (state) => {
          states.push(state);
          if (state === null) server.add(storedRow(6));
        },
        backOff: { firstMs: 5, longestMs: 10 },
      },
    );
    while (server.followers === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    server.add(storedRow(3));
    await done;
    expect(ids(events)).toEqual(['3', '4', '5', '6']);
    expect(states.map((state) => state === null)).toEqual([false, true]);
  });

  it('waits for who takes the events', async () => {
    const server = await stub();
    server.add(storedRow(1), storedRow(2), storedRow(3));
    const ending = new AbortController();
    let busy = 0;
    let most = 0;
    await clientOf(server.url).events(
      '/api/v1/live',
      async ({ id }) => {
        busy += 1;
        most = Math.max(most, busy);
        await new Promise((resolve) => setTimeout(resolve, 5));
        busy -= 1;
        if (id === '3') ending.abort();
      },
      { signal: ending.signal, lastId: '0' },
    );
    expect(most).toBe(1);
  });

  it('counts silence as a lost connection', async () => {
    const server = await stub();
    const ending = new AbortController();
    const states: (string | null)[] = [];
    await clientOf(server.url).events('/api/v1/live', () => {}, {
      signal: ending.signal,
      silenceMs: 50,
      backOff: { firstMs: 5, longestMs: 10 },
      onState: (state) => {
        states.push(state);
        if (state === null) ending.abort();
      },
    });
    expect(states).toEqual([expect.stringContaining('silent'), null]);
  });

  it('ends when the server refuses, also later', async () => {
    const server = await stub();
    const refuse = () => ({ status: 401 }) as const;
    server.faults.push(refuse);
    const options = { signal: new AbortController().signal, backOff: { firstMs: 5, longestMs: 10 } };
    expect((await failure(clientOf(server.url).events('/api/v1/live', () => {}, options))).code).toBe(
      'unauthorised',
    );
    const later = clientOf(server.url).events('/api/v1/live', () => {}, {
      ...options,
      onState: () => server.faults.push(refuse),
    });
    while (server.followers === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    server.cutLive();
    expect((await failure(later)).code).toBe('unauthorised');
  });

  it('does not wait for a server that was never there', async () => {
    const server = await stub();
    const { url } = server;
    await server.stop();
    closing.length = 0;
    const error = await failure(
      clientOf(url).events('/api/v1/live', () => {}, { signal: new AbortController().signal }),
    );
    expect(error.code).toBe('refused');
  });
});
