import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AgentStubServer } from '../../test/agent-stub-server.ts';
import { ServerClient } from '../client/server-client.ts';
import { createEventLog } from '../metrics/event-log.ts';
import { RefusedBatches } from './refused-batches.ts';
import { Spool } from './spool/spool.ts';
import { fixedToken, type TokenSource, tokenFile } from './token.ts';
import { Uploader } from './uploader.ts';

const root = mkdtempSync(path.join(tmpdir(), 'wirelens-uploader-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

let lines: Record<string, unknown>[] = [];
const log = createEventLog({
  level: 'info',
  format: 'json',
  name: 'test',
  write: (line) => lines.push(JSON.parse(line) as Record<string, unknown>),
});
let server: AgentStubServer;
let spool: Spool;
let directory: string;
let number = 0;
const uploaders: Uploader[] = [];

beforeEach(async () => {
  lines = [];
  server = await AgentStubServer.start();
  directory = path.join(root, `spool-${++number}`);
  spool = await Spool.open({ directory, limitBytes: 1 << 20, log });
});
afterEach(async () => {
  for (const one of uploaders.splice(0)) await one.stop(0);
  await spool.close();
  await server.close();
});

/** Waits are drawn from the upper end: as long as they may be. */
function uploader(token: TokenSource = fixedToken('secret-token'), slowMs = 20): Uploader {
  const made = new Uploader({
    spool,
    token,
    client: new ServerClient({ url: server.url, token: token.current }),
    identity: { agent: 'Größe 1', node: 'node-4', pod: null, namespace: 'shop' },
    contentType: 'application/vnd.wirelens.batch+json',
    backOff: { firstMs: 1, longestMs: 10 },
    slowMs,
    timeoutMs: 300,
    refused: new RefusedBatches(directory),
    log,
    random: () => 0.999,
  });
  uploaders.push(made);
  made.start();
  return made;
}

const append = (text: string, rows = 1): void => spool.append({ rows, body: gzipSync(text) });
const storedTexts = (): string[] => [...server.stored.values()];

async function until(met: () => boolean): Promise<void> {
  for (let left = 1000; !met() && left > 0; left -= 1) await sleep(5);
  expect(met()).toBe(true);
}

describe('an uploader', () => {
  it('sends batches in order, each under its number, with who it is', async () => {
    const one = uploader();
    for (const text of ['a', 'b', 'c']) append(text, 5);
    await until(() => spool.counts.sent === 15);
    expect(server.uploads.map(({ text, number }) => [text, number])).toEqual([
      ['a', 1],
      ['b', 2],
      ['c', 3],
    ]);
    expect(server.uploads[0]?.headers).toMatchObject({
      authorization: 'Bearer secret-token',
      'content-type': 'application/vnd.wirelens.batch+json',
      'content-encoding': 'gzip',
      'x-wirelens-stream': spool.stream,
      'x-wirelens-agent': Buffer.from('Größe 1').toString('latin1'),
      'x-wirelens-node': 'node-4',
      'x-wirelens-namespace': 'shop',
    });
    expect(server.uploads[0]?.headers).not.toHaveProperty('x-wirelens-pod');
    expect(Object.fromEntries(one.counts.byResult)).toEqual({ stored: 3 });
    expect(one.counts.problem).toBeNull();
  });

  it('sends again whatever can succeed later, and stores each batch once', async () => {
    server.plan.push({ status: 500 }, { status: 503 }, 'cut', 'forget', { status: 429 }, 'hang', 'store');
    server.plan.push('forget', 'store');
    const one = uploader();
    append('a');
    await until(() => one.counts.problem !== null);
    append('b');
    await until(() => spool.counts.sent === 2);
    expect(storedTexts()).toEqual(['a', 'b']);
    expect(server.uploads.map(({ text }) => text).join('')).toBe('aaaaaaabb');
    const { byResult, problem } = one.counts;
    expect(Object.fromEntries(byResult)).toEqual({
      ...{ 'http-500': 1, 'http-503': 1, 'http-429': 1, timeout: 1, repeated: 2 },
      // The client itself tries again when a connection that was kept is cut.
      cut: expect.any(Number),
    });
    expect(problem).toBeNull();
    // Not a line for each try: the beginning, other problems, and the end.
    expect(lines.at(-1)?.msg).toBe('exchanges are sent again');
  });

  it('sends several at once while all goes well, and stores each once when some of them fail', async () => {
    server.plan.push('store', { status: 503 }, 'store', 'forget');
    for (const text of ['a', 'b', 'c', 'd', 'e']) append(text);
    await spool.settled();
    uploader();
    await until(() => spool.counts.sent === 5);
    expect(storedTexts().sort()).toEqual(['a', 'b', 'c', 'd', 'e']);
    // The first four went out before any answer was there.
    expect(new Set(server.uploads.slice(0, 4).map(({ text }) => text)).size).toBe(4);
  });

  it('waits as long as the server asks for', async () => {
    server.plan.push({ status: 503, headers: { 'retry-after': '1' } });
    const beganMs = performance.now();
    uploader();
    append('a');
    await until(() => server.uploads.length === 1);
    await sleep(300);
    expect(server.uploads).toHaveLength(1);
    await until(() => spool.counts.sent === 1);
    expect(performance.now() - beganMs).toBeGreaterThan(990);
  });

  it('puts aside a batch that will never be taken, says so loudly, and goes on', async () => {
    server.plan.push({ status: 400 });
    uploader();
    append('bad', 7);
    append('good');
    await until(() => spool.counts.sent === 1);
    expect(storedTexts()).toEqual(['good']);
    expect(spool.counts).toMatchObject({ refused: 7, sent: 1 });
    expect(readdirSync(path.join(directory, 'refused'))).toEqual(['0000000000000001.json.gz']);
    expect(lines.filter(({ level }) => level === 50)).toEqual([
      expect.objectContaining({ batch: 1, exchanges: 7, answer: expect.stringContaining('it was planned') }),
    ]);
  });

  it.each([
    ['a 400 of somebody else', { status: 400, body: '<html>bad request</html>' }],
    ['a wrong address', { status: 404, body: 'not found' }],
    ['a 404 of a server that is too old', { status: 404 }],
    ['a captive portal', { status: 200, body: '<html>please log in</html>' }],
    ['a redirect', { status: 302, headers: { location: 'http://127.0.0.1:1/' } }],
    ['a wrong token', { status: 401 }],
    ['a token for readers', { status: 403 }],
    ['an unknown content type', { status: 415 }],
  ])('loses nothing to %s', async (_, answer) => {
    server.plan.push(...Array.from({ length: 10_000 }, () => answer));
    const one = uploader();
    append('a');
    await until(() => server.uploads.length >= 2);
    expect(one.counts.problem).not.toBeNull();
    expect(one.counts.problem).not.toContain('secret-token');
    server.plan.length = 0;
    await until(() => spool.counts.sent === 1);
    expect(storedTexts()).toEqual(['a']);
    expect(spool.counts.refused).toBe(0);
  });

  it('begins when the token comes, and takes up another one', async () => {
    const file = path.join(root, `token-${number}`);
    let nowMs = 0;
    const token = tokenFile(file, () => (nowMs += 2000));
    const one = uploader(token);
    append('a');
    await until(() => one.counts.problem !== null);
    expect(server.uploads).toHaveLength(0);
    expect(one.counts.problem).toMatch(/^the token in .*token-\d+ cannot be read: no such file\b/);
    writeFileSync(file, '# for agents\nfirst\n');
    await until(() => spool.counts.sent === 1);
    writeFileSync(file, 'second');
    append('b');
    await until(() => spool.counts.sent === 2);
    expect(server.uploads.map(({ headers }) => headers.authorization)).toEqual([
      'Bearer first',
      'Bearer second',
    ]);
  });

  it('goes on where it was after the server was away', async () => {
    const one = uploader();
    append('a');
    await until(() => spool.counts.sent === 1);
    const { port } = server;
    await server.close();
    append('b');
    append('c');
    await until(() => (one.counts.byResult.get('refused') ?? 0) > 2);
    expect(one.counts.problem).toContain('nothing listens');
    server = await AgentStubServer.start(port);
    await until(() => spool.counts.sent === 3);
    expect(storedTexts()).toEqual(['b', 'c']);
    expect(lines.filter(({ msg }) => msg === 'exchanges cannot be sent')).toHaveLength(1);
  });

  it('sends what waits when it is stopped, for as long as it may', async () => {
    const one = uploader(fixedToken(null), 60_000);
    server.plan.push({ status: 401 });
    append('a');
    await until(() => one.counts.problem !== null);
    append('b');
    await spool.settled();
    // It was waiting for a minute.
    await one.stop(5_000);
    expect(storedTexts()).toEqual(['a', 'b']);
    expect(server.uploads[0]?.headers).not.toHaveProperty('authorization');
  });

  it('goes on through failures that pass when it is stopped, and ends when nothing waits', async () => {
    server.usual = 'hang';
    const one = uploader();
    append('a');
    await until(() => server.uploads.length === 1);
    append('b');
    await spool.settled();
    server.usual = 'store';
    server.plan.push({ status: 503 }, 'cut', { status: 500 });
    await one.stop(60_000);
    expect(storedTexts()).toEqual(['a', 'b']);
    expect(one.counts.byResult.get('http-503')).toBe(1);
  });

  it('ends when somebody must put something right first, and leaves the rest in the spool', async () => {
    server.usual = 'hang';
    const one = uploader(undefined, 60_000);
    append('a');
    await until(() => server.uploads.length === 1);
    server.usual = { status: 401 };
    await one.stop(60_000);
    expect(spool.counts).toMatchObject({ sent: 0, waitingBatches: 1 });
    expect(one.counts.byResult.get('http-401')).toBe(1);
  });

  it('leaves in the spool what it was sending when its time is over', async () => {
    server.usual = 'hang';
    const one = uploader();
    append('a', 3);
    await until(() => server.uploads.length === 1);
    await one.stop(50);
    expect(spool.counts).toMatchObject({ sent: 0, waitingRows: 3, waitingBatches: 1 });
    expect(existsSync(path.join(directory, 'refused'))).toBe(false);
    await spool.close();
    spool = await Spool.open({ directory, limitBytes: 1 << 20, log });
    server.usual = 'store';
    uploader();
    await until(() => spool.counts.sent === 3);
  });
});
