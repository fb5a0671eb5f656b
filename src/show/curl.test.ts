import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pcapFile } from '../../fixtures/build/capture-file.ts';
import { conversation } from '../../fixtures/build/conversation.ts';
import { packetsOf } from '../../test/pipeline-run.ts';
import { readExchanges } from '../cli/reading.ts';
import { redactTarget } from '../match/redact-target.ts';
import type { Exchange } from '../model/exchange.ts';
import { curlOf } from './close-look.ts';
import { type CurlCommand, curlText } from './curl.ts';
import { MessageCollector } from './message-bytes.ts';
import { createMasking } from './secrets.ts';

const FLAGS = { progress: false, color: 'never', quiet: true } as const;
const hasCurl = ['curl', 'bash'].every((program) => spawnSync(program, ['--version']).status === 0);
if (!hasCurl) console.warn('curl or bash is not installed: the commands are not run');

interface Received {
  method: string;
  target: string;
  version: string;
  headers: [string, string][];
  body: Buffer;
}

let server: Server;
let port = 0;
let directory = '';
let received: Received[] = [];

beforeAll(async () => {
  directory = mkdtempSync(path.join(tmpdir(), 'wirelens-curl-'));
  server = createServer({ insecureHTTPParser: true }, (request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const headers: [string, string][] = [];
      for (let at = 0; at < request.rawHeaders.length; at += 2) {
        headers.push([request.rawHeaders[at].toLowerCase(), request.rawHeaders[at + 1]]);
      }
      received.push({
        method: request.method ?? '',
        target: request.url ?? '',
        version: request.httpVersion,
        headers,
        body: Buffer.concat(parts),
      });
      response.end('ok');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
});
afterAll(async () => {
  rmSync(directory, { recursive: true, force: true });
  await new Promise((resolve) => server.close(resolve));
});

/** The command for a request that was captured on its way to the test's server. */
async function commandFor(request: string | Uint8Array, reveal = true): Promise<CurlCommand> {
  const script = conversation({
    client: { address: '127.0.0.1', port: 40_000 },
    server: { address: '127.0.0.1', port },
  });
  script.handshake().fromClient(request).fromServer('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n').fin();
  const file = path.join(directory, 'request.pcap');
  writeFileSync(file, pcapFile(packetsOf(script.segments)));
  const exchanges: Exchange[] = [];
  const sink = {
    exchange: (exchange: Exchange) => exchanges.push(exchange),
    connection: () => {},
    drain: () => null,
    finish: async () => {},
    abort: async () => {},
  };
  await readExchanges([file], { ...FLAGS, reveal }, 'test', () => [sink]);
  const collector = new MessageCollector();
  const [exchange] = exchanges;
  if (exchange?.request == null) throw new Error('no request');
  collector.want(exchange.connection.id, exchange.request, 1 << 20);
  await readExchanges([file], { ...FLAGS, reveal }, 'test', () => [], { tap: collector.tap });
  const masking = createMasking(reveal, redactTarget);
  const command = await curlOf(exchange, collector.of(exchange.request), masking);
  if (command === null) throw new Error('no command');
  return command;
}

async function sent(request: string | Uint8Array): Promise<Received> {
  received = [];
  const text = curlText(await commandFor(request));
  const env = { PATH: process.env.PATH ?? '', LC_ALL: 'C.UTF-8' };
  await promisify(execFile)(
    'bash',
    ['--norc', '-c', text.replace('curl', 'curl -q -s --noproxy "*" -m 10')],
    { env },
  );
  expect(received.length).toBe(1);
  return received[0];
}

const headersOf = (one: Received, ...without: string[]) =>
  one.headers.filter(([name]) => !without.includes(name)).sort(([a], [b]) => (a < b ? -1 : 1));

describe.skipIf(!hasCurl)('the curl command, run', () => {
  it('sends the same request', async () => {
    const one = await sent(
      `GET /a/../b?x=1&y[]=%20{z}#frag HTTP/1.1\r\nHost: shop.test:81\r\nX-Quote: it's "quoted" $(id) \`id\` \\ !!\r\nX-Empty:\r\nX-Twice: 1\r\nX-Twice: 2\r\nUser-Agent: mine/1\r\n\r\n`,
    );
    expect(one).toMatchObject({ method: 'GET', target: '/a/../b?x=1&y[]=%20{z}#frag', version: '1.1' });
    expect(headersOf(one)).toEqual([
      ['host', 'shop.test:81'],
      ['user-agent', 'mine/1'],
      ['x-empty', ''],
      ['x-quote', 'it\'s "quoted" $(id) `id` \\ !!'],
      ['x-twice', '1'],
      ['x-twice', '2'],
    ]);
    expect(one.body.length).toBe(0);
  });

  it.each([
    ['text', Buffer.from('@/etc/passwd is no file here\r\nline two\n')],
    ['bytes', Buffer.from(Array.from({ length: 255 }, (_, index) => index + 1))],
    ['NUL', Buffer.from([0, 1, 2, 0, 255, 13, 10, 0])],
  ])('sends the same body: %s', async (_, body) => {
    const head = `POST /upload HTTP/1.1\r\nHost: h\r\nContent-Length: ${body.length}\r\n\r\n`;
    const one = await sent(Buffer.concat([Buffer.from(head), body]));
    expect(one.method).toBe('POST');
    expect(one.body.equals(body)).toBe(true);
    expect(headersOf(one)).toEqual([
      ['content-length', String(body.length)],
      ['host', 'h'],
    ]);
  });

  it('sends a chunked body in chunks', async () => {
    const one = await sent(
      'PUT /c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nContent-Type: text/plain\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n',
    );
    expect(one.body.toString()).toBe('hello world');
    expect(headersOf(one)).toEqual([
      ['content-type', 'text/plain'],
      ['host', 'h'],
      ['transfer-encoding', 'chunked'],
    ]);
  });

  it('sends HEAD, other methods, other versions and other forms of the target', async () => {
    expect(await sent('HEAD /h HTTP/1.1\r\nHost: h\r\n\r\n')).toMatchObject({ method: 'HEAD', target: '/h' });
    expect(await sent('OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n')).toMatchObject({
      method: 'OPTIONS',
      target: '*',
    });
    expect(await sent('GET http://other.test/x HTTP/1.1\r\nHost: other.test\r\n\r\n')).toMatchObject({
      target: 'http://other.test/x',
    });
    const old = await sent('GET /old HTTP/1.0\r\n\r\n');
    expect(old).toMatchObject({ version: '1.0', target: '/old' });
    expect(headersOf(old)).toEqual([]);
  });

  it('sends a host that is no host without falling for it', async () => {
    const one = await sent('GET / HTTP/1.1\r\nHost: a b;$(id)/../x@y\r\n\r\n');
    expect(headersOf(one)).toEqual([['host', 'a b;$(id)/../x@y']]);
  });
});

describe('the curl command', () => {
  it('holds no secret unless asked to', async () => {
    const body = '{"user":"ada","password":"hunter2"}';
    const request = `POST /login?token=hunter2 HTTP/1.1\r\nHost: h\r\nCookie: sid=hunter2\r\nAuthorization: Bearer hunter2\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    const masked = curlText(await commandFor(request, false));
    expect(masked).not.toContain('hunter2');
    expect(masked).toContain("'Authorization: Bearer REDACTED'");
    expect(masked).toContain('"user": "ada"');
    expect(curlText(await commandFor(request, true)).match(/hunter2/g)?.length).toBe(4);
  });

  it('says when it has not the whole body', async () => {
    const command = await commandFor('POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nabc');
    expect(command.words).toContain('@request.body');
    expect(command.notes.join()).toMatch(/not whole/);
  });

  it('never lets the shell or the terminal see a control character', async () => {
    const command = await commandFor(
      'GET /\x1b[31m\x07 HTTP/1.1\r\nHost: h\r\nX: \x1b]0;owned\x07\x00\x9b\r\n\r\n',
    );
    expect(curlText(command).replaceAll(' \\\n  ', ' ')).not.toMatch(/[\x00-\x1f\x7f-\x9f]/);
  });
});
