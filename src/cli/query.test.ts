import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readCsv } from '../../test/read-csv.ts';
import { runHere } from '../../test/run-here.ts';
import { StubServer, storedRow } from '../../test/stub-server.ts';
import { NO_STYLE } from '../report/style.ts';
import { createExchangeTable } from './client/exchange-rows.ts';

/** `wirelens query` in a process of its own, against a stub of the server. */

const WIRELENS = path.resolve(import.meta.dirname, '../../bin/wirelens.js');
const folder = mkdtempSync(path.join(tmpdir(), 'wirelens-query-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let stub: StubServer;
beforeEach(async () => {
  stub = await StubServer.start({ token: 'sesam' });
});
afterEach(() => stub.stop());

interface Run {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

interface Surroundings {
  readonly env?: Record<string, string>;
  /** Called with what came out until now; true ends it by SIGINT. */
  readonly until?: (out: string, err: string) => boolean;
  readonly readBytes?: number;
}

function query(args: readonly string[], { env = {}, until, readBytes }: Surroundings = {}): Promise<Run> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [WIRELENS, 'query', ...args], {
      env: { PATH: process.env.PATH, WIRELENS_SERVER: stub.url, WIRELENS_TOKEN: 'sesam', ...env },
    });
    let out = '';
    let err = '';
    const look = (): void => {
      if (until?.(out, err)) child.kill('SIGINT');
    };
    child.stdout.on('data', (data: Buffer) => {
      out += data;
      if (readBytes !== undefined && out.length >= readBytes) child.stdout.destroy();
      look();
    });
    child.stderr.on('data', (data: Buffer) => {
      err += data;
      look();
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, out, err }));
    child.stdin.end();
  });
}

const lines = (text: string): string[] => text.split('\n').filter((line) => line !== '');

/** Cells of a line of a table: columns are two spaces or more apart. */
const cells = (line: string): string[] => line.trim().split(/ {2,}/);

describe('a list', () => {
  it('has the columns that users of LightObs know, the newest first', async () => {
    stub.add(
      storedRow(1),
      storedRow(2, { status: null, wait_ms: null, response_header_bytes: null, response_body_bytes: null }),
      storedRow(3, { client: '2001:db8::1', send_ms: 0.5, wait_ms: 12.3456, started_ns: 7 }),
    );
    const { code, out, err } = await query(['--ip', '10.244.1.7']);
    expect([code, err]).toEqual([0, '']);
    const [titles, ...rows] = lines(out).map(cells);
    expect(titles).toEqual([
      'Time',
      'Source',
      'Destination',
      'Method',
      'Path',
      'Status',
      'Latency(ms)',
      'Size',
      'Id',
    ]);
    expect(rows).toEqual([
      // 0.5 + 12.3456 to three decimals; 120 + 1000 bytes.
      [
        '2026-11-21T07:42:03.000000007Z',
        '[2001:db8::1]:41002',
        '10.244.1.7:8080',
        'GET',
        '/cart/3',
        '200',
        '12.846',
        '1120',
        '3',
      ],
      [
        '2026-11-21T07:42:02.000000Z',
        '10.244.0.5:41002',
        '10.244.1.7:8080',
        'GET',
        '/cart/2',
        '–',
        '–',
        '–',
        '2',
      ],
      [
        '2026-11-21T07:42:01.000000Z',
        '10.244.0.5:41002',
        '10.244.1.7:8080',
        'GET',
        '/cart/1',
        '200',
        '12.750',
        '1120',
        '1',
      ],
    ]);
  });

  it('hands what it is asked for to the server', async () => {
    await query([
      '--ip',
      '10.0.0.1',
      '--where',
      'status >= 500 || wait > 1s',
      '--slow',
      '500ms',
      '--since',
      '15m',
      '--to',
      '-1m',
      '--agent',
      'a b',
      '--node',
      'n',
      '--sort',
      'total:asc',
      '--limit',
      '7',
    ]);
    const [request] = stub.requests;
    const asked = new URL(request.split(' ')[1], 'http://stub');
    expect(asked.pathname).toBe('/api/v1/exchanges');
    expect(Object.fromEntries(asked.searchParams)).toEqual({
      address: '10.0.0.1',
      columns: expect.stringMatching(/^id,/),
      where: 'total >= 500ms && (status >= 500 || wait > 1s)',
      from: '-15m',
      to: '-1m',
      agent: 'a b',
      node: 'n',
      sort: 'total',
      order: 'asc',
      limit: '7',
    });
  });

  it('asks for page after page, and says when there is more', async () => {
    for (let id = 1; id <= 25; id += 1) stub.add(storedRow(id));
    stub.pageRows = 10;
    const all = await query(['--format', 'json', '--limit', '100']);
    expect(lines(all.out).map((line) => (JSON.parse(line) as { id: number }).id)).toEqual(
      Array.from({ length: 25 }, (_, index) => 25 - index),
    );
    expect([all.err, stub.requests.length]).toEqual(['', 3]);
    const some = await query(['--format', 'json', '--limit', '12']);
    expect(lines(some.out)).toHaveLength(12);
    expect(some.err).toContain('--limit shows more');
  });

  it('json gives the rows of the server, one a line', async () => {
    const row = storedRow(1, { target: '/\u001b[31m\u202e"', reason: 'ÄÖ' });
    stub.add(row);
    const { out } = await query(['-f', 'json']);
    expect(JSON.parse(out)).toEqual(row);
    expect(out).not.toContain('\u202e');
  });

  it('csv is RFC 4180, with a header also when there is nothing', async () => {
    const row = storedRow(1, { target: '/a,"b"\r\n', user_agent: '=1+1' });
    stub.add(row);
    const { out } = await query(['-f', 'csv']);
    const [names, values] = readCsv(out);
    expect(names).toEqual(Object.keys(row));
    expect(values).toEqual(Object.values(row).map((value) => (value === null ? '' : String(value))));
    const safe = await query(['-f', 'csv', '--csv-safe']);
    expect(safe.out).toContain("'=1+1");
    stub.rows.length = 0;
    const nothing = await query(['-f', 'csv']);
    expect(nothing.out).toMatch(/^id,started,started_us,[^\n]*\r\n$/);
    expect(nothing.err).toBe('no exchanges\n');
  });

  it('lets nothing out of traffic act on a terminal', async () => {
    stub.add(storedRow(1, { target: '/\u001b]0;x\u0007\u202e', method: 'G\u009bET', client: '\u001b[2J' }));
    for (const env of [{}, { COLUMNS: '80' }]) {
      const { out } = await query([], { env });
      expect(out).toMatch(/\\x1b/);
      expect(out).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/);
    }
  });

  it('keeps to the width of the terminal', () => {
    const rows = [1, 2, 3].map((id) =>
      storedRow(id, { target: `/${'long/'.repeat(40)}`, client: '2001:db8:1:2:3:4:5:6' }),
    );
    for (const width of [60, 80, 100, 120, 200]) {
      let text = '';
      const write = (piece: string): void => {
        text += piece;
      };
      const output = { write, writeBytes: () => {}, drain: () => null, flush: async () => {} };
      const now = (): number => Date.UTC(2026, 10, 21, 12);
      createExchangeTable({ output, width, style: NO_STYLE, live: false, now }).write(rows);
      expect(Math.max(...lines(text).map((line) => line.length))).toBeLessThanOrEqual(width);
      for (const title of ['Destination', 'Method', 'Path', 'Status']) expect(text).toContain(title);
      // The day is there unless every row is of today.
      if (width >= 80) expect(text).toContain(width < 120 ? '07:42:01' : '2026-11-21T07:42:01.000000Z');
    }
  });

  it('ends without a word when its reader leaves', async () => {
    for (let id = 1; id <= 2000; id += 1) stub.add(storedRow(id));
    const { code, err } = await query(['-f', 'json', '--limit', '2000'], { readBytes: 100 });
    expect([code, err]).toEqual([0, '']);
  });
});

describe('following', () => {
  it('prints what comes, and goes on where it was after the server was away', async () => {
    stub.add(storedRow(1));
    let step = 0;
    const run = query(['--follow', '-f', 'json'], {
      until: (out) => {
        const count = lines(out).length;
        if (step === 0 && count >= 1) {
          step = 1;
          stub.cutLive();
          stub.rows.push(storedRow(3));
        }
        if (step === 1 && count >= 2) {
          step = 2;
          stub.add(storedRow(4));
        }
        return count >= 3;
      },
    });
    while (stub.followers === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    stub.add(storedRow(2));
    const { code, out, err } = await run;
    expect(lines(out).map((line) => (JSON.parse(line) as { id: number }).id)).toEqual([2, 3, 4]);
    expect(code).toBe(0);
    expect(err).toMatch(/trying again until it is back/);
    expect(err).toMatch(/the server is back/);
  });

  it('begins with what is there since a time, in the order in which it came', async () => {
    for (let id = 1; id <= 25; id += 1)
      stub.add(storedRow(id, { client: id % 2 === 0 ? '10.9.9.9' : '10.244.0.5' }));
    stub.pageRows = 5;
    const { out } = await query([
      '--follow',
      '--since',
      '1h',
      '--ip',
      '10.9.9.9',
      '-f',
      'json',
      '--limit',
      '12',
    ]);
    expect(lines(out).map((line) => (JSON.parse(line) as { id: number }).id)).toEqual(
      Array.from({ length: 12 }, (_, index) => 2 * index + 2),
    );
    expect(stub.requests.some((request) => request.includes('/live'))).toBe(false);
  });

  it('does not miss what comes between the list and the stream', async () => {
    stub.add(storedRow(1), storedRow(2));
    stub.faults.push(
      () => null,
      () => null,
      // The stream is asked for: something has come in the meantime.
      () => {
        stub.add(storedRow(3));
        return null;
      },
    );
    const { out } = await query(['--follow', '--since', '1h', '-f', 'json', '--limit', '3']);
    expect(lines(out).map((line) => (JSON.parse(line) as { id: number }).id)).toEqual([1, 2, 3]);
  });
});

describe('one exchange', () => {
  it('shows its phases, who saw it, and where its time went', async () => {
    stub.answers.set('/api/v1/exchanges/7', {
      exchange: storedRow(7, { anomalies: '["early-response"]', request_headers: '[["accept","*/*"]]' }),
      observations: [
        storedRow(7, { agent: 'agent-a', node: 'node-a', pod: 'web-1', namespace: 'shop' }),
        storedRow(7, { agent: 'node-b', node: 'node-b', wait_ms: 9.1, total_ms: 10.5 }),
      ],
      apart: { client_side_ms: 12.75, server_side_ms: 9.35, network_ms: 3.4, clock_offset_ms: -4.2 },
    });
    const { code, out } = await query(['--id', '7'], { env: { COLUMNS: '140' } });
    expect(code).toBe(0);
    const row = (start: string): string => lines(out).find((line) => line.trim().startsWith(start)) ?? '';
    expect(row('Exchange 7')).toBe('Exchange 7  GET shop.test/cart/7 -> 200 OK');
    expect(row('wait')).toMatch(/12\.5 ms +█/);
    expect(row('seen by')).toContain('node-a and 1 other');
    expect(row('client side')).toMatch(/12\.8 ms {2}█+$/);
    // The way there and the way back, with the server between them.
    expect(row('network')).toMatch(/3\.40 ms {2}█+ +█+$/);
    expect(row('server side')).toMatch(/9\.35 ms {3,}█+$/);
    expect(out.replace(/\s+/g, ' ')).toContain("the server side's clock is about 4.20 ms behind");
    expect(row('agent-a (shop/web-1 on node-a)')).toMatch(/12\.5 ms/);
    expect(row('node-b')).toMatch(/9\.10 ms/);
    expect(row('accept')).toBe('  accept: */*');
    expect(row('early-response:')).not.toBe('');
    const bars = lines(out).filter((line) => line.includes('█'));
    expect(Math.max(...bars.map((line) => line.length))).toBeLessThanOrEqual(140);
    const json = await query(['--id', '7', '-f', 'json']);
    expect(JSON.parse(json.out)).toEqual(stub.answers.get('/api/v1/exchanges/7'));
  });

  it('says that the network is unknown where no two saw it at different places', async () => {
    const seenBy = (...agents: readonly string[]) => ({
      exchange: storedRow(7),
      observations: agents.map((agent) => storedRow(7, { agent })),
      apart: null,
    });
    stub.answers.set('/api/v1/exchanges/7', seenBy('a', 'b'));
    const { out } = await query(['--id', '7']);
    expect(out).toContain('Where the time went\n  network unknown');
    expect(out).not.toContain('0 ns');
    stub.answers.set('/api/v1/exchanges/7', seenBy('a'));
    expect((await query(['--id', '7'])).out).not.toContain('Where the time went');
  });

  it('asks for no more columns than the table shows, and for all in other forms', async () => {
    stub.add(storedRow(1));
    await query([]);
    await query(['-f', 'json']);
    const [table, json] = stub.requests
      .filter((request) => request.startsWith('GET /api/v1/exchanges?'))
      .map((request) => new URLSearchParams(request.split('?')[1]));
    expect(table.get('columns')?.split(',')).toEqual(
      expect.arrayContaining(['id', 'client_port', 'wait_ms']),
    );
    expect(table.get('columns')).not.toContain('request_headers');
    expect(json.has('columns')).toBe(false);
  });

  it('takes an answer of a stranger for what it is', async () => {
    const evil = {
      method: '\u001b[2J',
      reason: '\u0007',
      request_headers: '[["x","\\u001b[31m"],7,{}]',
      anomalies: '{"a":1}',
      ending: '\u202e',
    };
    stub.answers.set('/api/v1/exchanges/7', { exchange: storedRow(7, evil), observations: [], apart: null });
    const { code, out } = await query(['--id', '7']);
    expect(code).toBe(0);
    expect(out).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/);
    for (const strange of [[], { exchange: 7 }, { exchange: {}, observations: [7] }]) {
      stub.answers.set('/api/v1/exchanges/7', strange);
      const { code: failed, err } = await query(['--id', '7']);
      expect([failed, err]).toEqual([1, expect.stringContaining('not understood')]);
    }
  });
});

describe('other questions', () => {
  it('--red is a line for each group', async () => {
    stub.answers.set('/api/v1/red', {
      by: ['route', 'server'],
      bucket_s: null,
      groups: [
        {
          route: '/cart/{id}',
          server: '10.0.0.1:80',
          bucket: null,
          requests: 123_456,
          requests_per_s: 12.345,
          client_errors: 3,
          server_errors: 7,
          unanswered: 0,
          error_ratio: 0.0123,
          p50_ms: 1.5,
          p90_ms: 22,
          p99_ms: 345,
          max_ms: 1200,
        },
        {
          route: null,
          server: '10.0.0.2:80',
          bucket: null,
          requests: 2000,
          requests_per_s: null,
          client_errors: 0,
          server_errors: 1,
          unanswered: 0,
          error_ratio: 0.0005,
          p50_ms: null,
          p90_ms: null,
          p99_ms: null,
          max_ms: null,
        },
      ],
    });
    const { out } = await query(['--red', 'route,server', '--bucket', '5m', '--since', '1h', '--limit', '5']);
    const asked = new URL(stub.requests[0].split(' ')[1], 'http://stub').searchParams;
    expect(Object.fromEntries(asked)).toEqual({ by: 'route,server', bucket: '5m', from: '-1h', limit: '6' });
    expect(lines(out).slice(1).map(cells)).toEqual([
      [
        '–',
        '/cart/{id}',
        '10.0.0.1:80',
        '123,456',
        '12.3',
        '3',
        '7',
        '0',
        '1.2 %',
        '1.50 ms',
        '22.0 ms',
        '345 ms',
        '1.20 s',
      ],
      ['–', '(none)', '10.0.0.2:80', '2,000', '–', '0', '1', '0', '<0.1 %', '–', '–', '–', '–'],
    ]);
  });

  it('--agents says who reports, and what is wrong', async () => {
    const agent = {
      node: 'n',
      pod: null,
      version: '0.1.0',
      started: new Date(Date.now() - 1000_000).toISOString(),
      packets: 5,
      packets_dropped: 12,
      exchanges: 4,
      exchanges_dropped: 1200,
      backlog_batches: 12,
      backlog_bytes: 1_234_567,
      rss_bytes: 1,
      cpu_seconds: 20,
      last_seen: new Date().toISOString(),
      stored: 45_600,
      problem: 'the token is wrong\u001b[2J',
      interfaces: ['any'],
    };
    const rowsOnly = { agent: 'job-7', node: 'n2', reports: false, last_seen: agent.last_seen, stored: 987 };
    stub.answers.set('/api/v1/agents', { agents: [{ ...agent, agent: 'a1', reports: true }, rowsOnly] });
    const { out } = await query(['--agents']);
    expect(out).toContain('uploads only, without reports: job-7');
    const job = lines(out).find((line) => line.startsWith('job-7')) ?? '';
    expect(job.split(/ {2,}/)).toEqual([
      'job-7',
      'n2',
      '–',
      '–',
      '0 s ago',
      '–',
      '–',
      '–',
      '–',
      '–',
      '987',
      '–',
      '–',
    ]);
    expect(out).toContain('12 batches, 1.23 MB');
    expect(out).toContain('1,200');
    expect(out).toContain('a1: the token is wrong\\x1b[2J');
    expect(out).toContain('2.0 %');
  });

  it('--sql sends the statement, and prints any rows', async () => {
    stub.answers.set('/api/v1/sql', {
      columns: [
        { name: 'a', type: 'VARCHAR' },
        { name: 'b', type: 'BOOLEAN' },
      ],
      rows: [
        ['x,y', true],
        [null, 1.5],
      ],
      truncated: true,
      milliseconds: 1,
    });
    const table = await query(['--sql', 'SELECT 1', '--limit', '2']);
    expect(stub.statements).toEqual([{ sql: 'SELECT 1', limit: 2 }]);
    expect(lines(table.out).slice(1).map(cells)).toEqual([
      ['x,y', 'true'],
      ['null', '1.5'],
    ]);
    expect(table.err).toContain('more rows');
    const csv = await query(['--sql', 'SELECT 1', '-f', 'csv', '-q']);
    expect([csv.out, csv.err]).toEqual(['a,b\r\n"x,y",true\r\n,1.5\r\n', '']);
    const json = await query(['--sql', 'SELECT 1', '-f', 'json']);
    expect(lines(json.out)).toEqual(['{"a":"x,y","b":true}', '{"a":null,"b":1.5}']);
  });
});

describe('what goes wrong', () => {
  it('a wrong token is told, and not shown', async () => {
    const { code, out, err } = await query([], { env: { WIRELENS_TOKEN: 'very-secret' } });
    expect([code, out]).toEqual([1, '']);
    expect(err).toContain('does not accept the token');
    expect(err).not.toContain('very-secret');
  });

  it('takes the token from a file before the environment, and leaves its line end out', async () => {
    const file = path.join(folder, 'token');
    writeFileSync(file, 'sesam\n');
    expect((await query(['--token-file', file], { env: { WIRELENS_TOKEN: 'wrong' } })).code).toBe(0);
    writeFileSync(file, '\n');
    expect(await query(['--token-file', file])).toMatchObject({
      code: 2,
      err: expect.stringContaining('no token in it'),
    });
  });

  it('a server that is away', async () => {
    const { code, err } = await query(['--server', 'http://127.0.0.1:1']);
    expect([code, err]).toEqual([
      1,
      'wirelens: nothing listens at http://127.0.0.1:1; is wirelens server running there?\n',
    ]);
  });

  it('a busy server is asked again', async () => {
    stub.add(storedRow(1));
    stub.faults.push(() => ({ status: 503, headers: { 'retry-after': '0' } }));
    expect(await query(['-q', '-f', 'json'])).toMatchObject({
      code: 0,
      out: expect.stringContaining('"id":1'),
    });
  });

  it('a mistake in --where is shown where it is', async () => {
    const excerpt = { text: 'statsu > 3', start: 0, end: 6 };
    stub.faults.push(() => ({
      status: 400,
      body: JSON.stringify({ error: 'there is no field statsu', code: 'filter', excerpt }),
    }));
    const { code, err } = await query(['--where', 'statsu > 3']);
    expect([code, err]).toEqual([
      2,
      'wirelens: the server says: there is no field statsu\n  statsu > 3\n  ^^^^^^\n',
    ]);
  });

  it.each([
    [['--red', '--id', '3'], /two questions/],
    [['--agents', '--ip', '10.0.0.1'], /--ip has no meaning with --agents/],
    [['--bucket', '60s'], /--bucket has no meaning without --red/],
    [['--ip', 'web-1'], /IP address/],
    [['--since', '15'], /30s, 15m/],
    [['--from', 'yesterday'], /2026-11-21T07:42:00Z/],
    [['--since', '1h', '--from', '-1h'], /both say/],
    [['--sort', 'size'], /orders: started/],
    [['--red', 'path'], /groups: route/],
    [['--id', 'x'], /uid/],
    [['--csv-safe'], /--format csv/],
  ])('%s is a mistake before anything is asked', async (args, message) => {
    const { code, err } = await runHere(['query', ...args, '--server', stub.url]);
    expect([code, err]).toEqual([2, expect.stringMatching(message)]);
    expect(stub.requests).toEqual([]);
  });
});
