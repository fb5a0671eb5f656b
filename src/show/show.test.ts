import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import zlib from 'node:zlib';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { pcapFile } from '../../fixtures/build/capture-file.ts';
import { conversation } from '../../fixtures/build/conversation.ts';
import {
  buildConnection,
  buildExchange,
  buildRequest,
  buildResponse,
  buildUnanswered,
} from '../../test/build-exchange.ts';
import { packetsOf } from '../../test/pipeline-run.ts';
import { show } from '../cli/commands/show.ts';
import type { ShowFlags } from '../cli/show-findings.ts';
import { NO_STYLE } from '../report/style.ts';
import { displayWidth } from '../report/terminal-text.ts';
import { timelineLines } from './timeline.ts';

const FIXTURES = path.resolve(import.meta.dirname, '../../fixtures');
const FLAGS: ShowFlags = { progress: false, color: 'never', quiet: true, format: 'text' };

let directory = '';
let output = '';
beforeAll(() => {
  // Every run listens to standard output, as a process would once.
  process.stdout.setMaxListeners(0);
  directory = mkdtempSync(path.join(tmpdir(), 'wirelens-show-'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));
beforeEach(() => {
  output = '';
  vi.spyOn(process.stdout, 'write').mockImplementation(((chunk: string | Uint8Array, done?: unknown) => {
    output += typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString();
    if (typeof done === 'function') done();
    return true;
  }) as typeof process.stdout.write);
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

async function shown(args: string[], flags: Partial<ShowFlags> = {}): Promise<string> {
  output = '';
  await show(args, { ...FLAGS, ...flags }, 'test');
  return output;
}

function captureOf(request: string | Uint8Array, response: string | Uint8Array): string {
  const script = conversation().handshake().fromClient(request).fromServer(response).fin();
  const file = path.join(directory, 'one.pcap');
  writeFileSync(file, pcapFile(packetsOf(script.segments)));
  return file;
}

const fixture = (name: string, file = 'capture.pcap') => path.join(FIXTURES, name, file);

describe('show', () => {
  it('has heads as sent, decoded bodies, TCP, packets and neighbours', async () => {
    const gzipped = zlib.gzipSync('{"id":7,"session_token":"hunter2"}');
    const file = captureOf(
      'GET /cart?token=hunter2 HTTP/1.1\r\nHOST: shop\r\nCookie: sid=hunter2\r\n\r\n',
      Buffer.concat([
        Buffer.from(
          `HTTP/1.1 200 Fine\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\nSet-Cookie: a=hunter2; Secure\r\nContent-Length: ${gzipped.length}\r\n\r\n`,
        ),
        gzipped,
      ]),
    );
    const text = await shown([file, '1'], { body: true });
    expect(text).not.toContain('hunter2');
    for (const line of [
      'Exchange 1  GET shop/cart?token=REDACTED -> 200 Fine',
      '  GET /cart?token=REDACTED HTTP/1.1',
      '  HOST: shop',
      '  Cookie: sid=REDACTED',
      '  Set-Cookie: a=REDACTED; Secure',
      '    "session_token": "REDACTED"',
      '  in Wireshark: frame.number in {1..5}',
    ])
      expect(text.split('\n')).toContain(line);
    expect(await shown([file, '1'], { body: true, reveal: true })).toMatch(
      /hunter2[\s\S]*hunter2[\s\S]*hunter2/,
    );
  });

  it('lets nothing of the capture act on the terminal, and stays within its width', async () => {
    const evil = '\x1b]0;owned\x07\x1b[2J\u202e\x9b31m';
    const file = captureOf(
      `GET /${evil} HTTP/1.1\r\nHost: ${evil}\r\nX-${evil}: ${'wide字'.repeat(60)}\r\n\r\n`,
      `HTTP/1.1 200 ${evil}\r\nContent-Type: text/plain\r\nContent-Length: 400\r\n\r\n${evil.repeat(15)}`,
    );
    for (const columns of ['60', '80', '200']) {
      vi.stubEnv('COLUMNS', columns);
      const text = await shown([file, '1'], { body: true });
      expect(text).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/);
      const free = /frame\.number|^\s+(time|when|capture|client|server)/;
      for (const line of text.split('\n')) {
        if (!free.test(line)) expect(displayWidth(line), line).toBeLessThanOrEqual(Number(columns));
      }
    }
  });

  it('prints what docs/show.md says', async () => {
    vi.stubEnv('COLUMNS', '');
    const file = path.relative(process.cwd(), fixture('slow-phases'));
    const text = await shown([file, '1']);
    const page = readFileSync(path.resolve(FIXTURES, '../docs/show.md'), 'utf8');
    const block = /```\n\$ wirelens show \S+ 1\n([\s\S]*?)```/.exec(page)?.[1] ?? '';
    expect(block).toContain('Phases');
    expect(text.startsWith(block)).toBe(true);
  });

  it('marks what was sent again, and abbreviates long lists', async () => {
    const upload = fixture('nginx-proxy-upload');
    expect(await shown([fixture('retransmitted'), '1-20'])).toContain('retransmission');
    const short = await shown([upload, '1']);
    const long = await shown([upload, '1'], { packetList: true });
    expect(long.length).toBeGreaterThanOrEqual(short.length);
  });

  it('says which exchanges there are', async () => {
    await expect(shown([fixture('slow-phases'), '7'])).rejects.toThrow(/no exchange 7/);
    await expect(shown([fixture('slow-phases')])).rejects.toThrow(/no exchange is named/);
  });

  it('chooses by an expression and shows no more than the limit', async () => {
    const shop = fixture('web-shop', 'capture.pcapng');
    const text = await shown([shop], { where: 'status >= 500', limit: 2 });
    expect(text.match(/^Exchange \d+ /gm)?.length).toBe(2);
    expect(text.match(/-> 5\d\d/g)?.length).toBeGreaterThanOrEqual(2);
  });

  it('gives all of it as JSON', async () => {
    const text = await shown([fixture('slow-phases'), '1'], { format: 'json', body: true });
    const one = JSON.parse(text);
    expect(one).toMatchObject({
      id: 1,
      wait_ms: 300,
      request_head: { start_line: 'POST /slow HTTP/1.1' },
      request_body: { form: 'text', bytes: 300, cut: false },
      before: null,
      after: null,
    });
    expect(one.packets.map(({ packet }: { packet: number }) => packet)).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(one.curl.arguments[0]).toBe('curl');
  });

  it('prints one curl command for each, ready for a shell', async () => {
    const text = await shown([fixture('slow-phases'), '1'], { curl: true });
    expect(text).toMatch(/^curl \\\n {2}--http1\.1 \\\n/);
    expect(text).toContain("--header 'Host: built.test'");
  });
});

describe('phases drawn to scale', () => {
  const draw = (exchange: Parameters<typeof timelineLines>[0], width: number) =>
    timelineLines(exchange, { width, style: NO_STYLE, captureEndNs: 1e9 });
  const barsOf = (lines: string[]) =>
    lines.map((line) => ({ from: line.search(/[█·/>]+$/), length: /[█·/>]+$/.exec(line)?.[0].length ?? 0 }));

  it('has bars as long as the phases, one after the other', () => {
    const exchange = buildExchange({
      connection: buildConnection({ synNs: 0, ackNs: 10e6 }),
      request: buildRequest({ firstByteNs: 20e6, lastByteNs: 30e6 }),
      response: buildResponse({ firstByteNs: 80e6, lastByteNs: 100e6 }),
    });
    for (const width of [80, 200]) {
      const lines = draw(exchange, width);
      expect(lines.map((line) => line.trim().split(' ')[0])).toEqual([
        'connect',
        'idle',
        'send',
        'wait',
        'receive',
      ]);
      for (const line of lines) expect(displayWidth(line)).toBeLessThanOrEqual(width);
      const bars = barsOf(lines);
      const whole = bars.reduce((sum, { length }) => sum + length, 0);
      for (const [index, share] of [10, 10, 10, 50, 20].entries())
        expect(Math.abs(bars[index].length - (whole * share) / 100)).toBeLessThanOrEqual(1.5);
      for (let index = 1; index < bars.length; index += 1) {
        const end = bars[index - 1].from + bars[index - 1].length;
        expect(Math.abs(bars[index].from - end)).toBeLessThanOrEqual(1);
      }
    }
  });

  it('does not let a long idle time hide the phases', () => {
    const lines = draw(
      buildExchange({
        request: buildRequest({ firstByteNs: 60e9, lastByteNs: 60e9 }),
        response: buildResponse({ firstByteNs: 60.01e9, lastByteNs: 60.02e9 }),
      }),
      80,
    );
    expect(barsOf(lines)[3].length).toBeGreaterThan(15);
    expect(lines.at(-1)).toContain('not drawn to scale');
  });

  it('leaves open what had no end', () => {
    const lines = draw(buildUnanswered('capture-ended'), 80);
    expect(lines.find((line) => line.includes('wait'))).toMatch(/>998 ms .*█>$/);
    expect(lines.at(-1)).toContain('not in the packets: receive');
  });
});
