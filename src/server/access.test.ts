import { afterAll, describe, expect, it } from 'vitest';
import { AGENT_TOKEN, ask, READER_TOKEN, runServer } from '../../test/server/run-server.ts';
import { openApiDocument } from './openapi-document.ts';
import { TokenSet } from './tokens.ts';

interface Operation {
  readonly security?: readonly Readonly<Record<string, unknown>>[];
}

/** A request for each endpoint that its schemas accept, but for its body. */
const PATH_VALUES: Readonly<Record<string, string>> = { id: '1', stream: 's', agent: 'node-1' };

describe('who may ask what', async () => {
  const server = await runServer();
  afterAll(() => server.running.close());
  const document = await openApiDocument('0.1.0');
  const endpoints = Object.entries(document.paths as Record<string, Record<string, Operation>>).flatMap(
    ([path, methods]) =>
      Object.entries(methods).map(([method, { security = [] }]) => ({
        method: method.toUpperCase(),
        path: path.replace(/\{([a-z]+)\}/g, (_, name: string) => PATH_VALUES[name] as string),
        kind: security.length === 0 ? 'open' : (Object.keys(security[0] as object)[0] as string),
      })),
  );

  it('covers all endpoints', () => {
    const kinds = endpoints.map(({ kind }) => kind);
    expect(kinds.filter((kind) => kind === 'agent')).toHaveLength(3);
    expect(kinds.filter((kind) => kind === 'reader')).toHaveLength(8);
    expect(kinds.filter((kind) => kind === 'open')).toHaveLength(3);
  });

  for (const { method, path, kind } of endpoints) {
    it(`${method} ${path} is for ${kind}`, async () => {
      const status = async (token: string | null) => {
        // A live stream that is let in does not end by itself.
        const abort = new AbortController();
        const answer = await fetch(server.url + path, {
          method,
          headers: token === null ? {} : { authorization: `Bearer ${token}` },
          signal: abort.signal,
        });
        abort.abort();
        return answer.status;
      };
      const let_in = (code: number) => ![401, 403].includes(code);
      if (kind === 'open') {
        expect(let_in(await status(null))).toBe(true);
        expect(let_in(await status('wrong-wrong-wrong'))).toBe(true);
        return;
      }
      const [own, other] = kind === 'agent' ? [AGENT_TOKEN, READER_TOKEN] : [READER_TOKEN, AGENT_TOKEN];
      expect(let_in(await status(own))).toBe(true);
      expect(await status(other)).toBe(403);
      expect(await status(null)).toBe(401);
      expect(await status(`${own}x`)).toBe(401);
      expect(await status(own.slice(0, -1))).toBe(401);
      expect(await status('')).toBe(401);
    });
  }

  it('says what is missing, how to send it, and never a token', async () => {
    const missing = await server.ask('GET', '/api/v1/agents', { token: null });
    expect(missing.json).toMatchObject({ code: 'no-token', hint: 'send it as Authorization: Bearer TOKEN' });
    expect(missing.headers.get('www-authenticate')).toBe('Bearer realm="wirelens"');
    const wrong = await server.ask('GET', '/api/v1/agents', { token: 'a-secret-that-is-wrong' });
    expect(wrong.json.code).toBe('wrong-token');
    const other = await server.ask('GET', '/api/v1/agents', { token: AGENT_TOKEN });
    expect(other.json).toMatchObject({ code: 'wrong-kind-of-token', hint: 'use a token for readers' });
    const told = [...server.log, missing.text, wrong.text, other.text].join('\n');
    for (const token of [AGENT_TOKEN, READER_TOKEN, 'a-secret-that-is-wrong'])
      expect(told).not.toContain(token);
  });

  it('takes the scheme in any case, and no other scheme', async () => {
    const status = async (authorization: string) =>
      (await server.ask('GET', '/api/v1/agents', { token: null, headers: { authorization } })).status;
    expect(await status(`bearer ${READER_TOKEN}`)).toBe(200);
    expect(await status(`Basic ${READER_TOKEN}`)).toBe(401);
    expect(await status(READER_TOKEN)).toBe(401);
    expect(await status(`Bearer ${READER_TOKEN} ${READER_TOKEN}`)).toBe(401);
  });

  it('gives nobody a place to load, frame or keep answers', async () => {
    for (const path of ['/api/v1/agents', '/healthz', '/nothing-here']) {
      const { headers } = await server.ask('GET', path, { headers: { origin: 'https://evil.example' } });
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('cache-control')).toBe('no-store');
      expect(headers.get('access-control-allow-origin')).toBeNull();
    }
  });

  it('takes new tokens and forgets old ones', async () => {
    const other = await runServer();
    const reader = TokenSet.parse('new-reader-token\nsecond-reader-token\n', 'test');
    other.running.renew({ agent: TokenSet.parse(AGENT_TOKEN, 'test'), reader }, null);
    const status = async (token: string) => (await other.ask('GET', '/api/v1/agents', { token })).status;
    expect(await status('new-reader-token')).toBe(200);
    expect(await status('second-reader-token')).toBe(200);
    expect(await status(READER_TOKEN)).toBe(401);
    await other.running.close();
  });

  it('answers without tokens to this machine only: not to a name that leads here', async () => {
    const open = await runServer({ agentTokens: null, readerTokens: null, localOnly: true });
    const { port } = new URL(open.url);
    const status = async (host: string) =>
      rawStatus(Number(port), `GET /api/v1/agents HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    expect(await status(`127.0.0.1:${port}`)).toBe(200);
    expect(await status(`localhost:${port}`)).toBe(200);
    expect(await status('[::1]:1')).toBe(200);
    expect(await status('evil.example')).toBe(403);
    expect(await status('127.0.0.1.evil.example')).toBe(403);
    expect((await ask(open.url, 'GET', '/api/v1/agents', { token: null })).status).toBe(200);
    await open.running.close();
  });

  it('shows its metrics without a token only when told so', async () => {
    expect((await server.ask('GET', '/metrics', { token: null })).status).toBe(401);
    const open = await runServer({ openMetrics: true });
    expect((await open.ask('GET', '/metrics', { token: null })).status).toBe(200);
    await open.running.close();
  });
});

async function rawStatus(port: number, request: string): Promise<number> {
  const { createConnection } = await import('node:net');
  return new Promise((resolve, reject) => {
    const socket = createConnection(port, '127.0.0.1', () => socket.write(request));
    let text = '';
    socket.on('data', (part) => {
      text += part.toString('latin1');
    });
    socket.on('close', () => resolve(Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0)));
    socket.on('error', reject);
  });
}
