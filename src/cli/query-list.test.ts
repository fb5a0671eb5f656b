import { describe, expect, it } from 'vitest';
import { cellsOf, linesOf, queryPerTest } from '../../test/query-run.ts';
import { readCsv } from '../../test/read-csv.ts';
import { type StubServer, storedRow } from '../../test/stub-server.ts';
import { NO_STYLE } from '../report/style.ts';
import { createExchangeTable } from './client/exchange-rows.ts';

let stub: StubServer;
const query = queryPerTest((begun) => {
  stub = begun;
});

describe('a list', () => {
  it('has the columns that users of LightObs know, the newest first', async () => {
    stub.add(
      storedRow(1),
      storedRow(2, { status: null, wait_ms: null, response_header_bytes: null, response_body_bytes: null }),
      storedRow(3, { client: '2001:db8::1', send_ms: 0.5, wait_ms: 12.3456, started_ns: 7 }),
    );
    const { code, out, err } = await query(['--ip', '10.244.1.7']);
    expect([code, err]).toEqual([0, '']);
    const [titles, ...rows] = linesOf(out).map(cellsOf);
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
    expect(linesOf(all.out).map((line) => (JSON.parse(line) as { id: number }).id)).toEqual(
      Array.from({ length: 25 }, (_, index) => 25 - index),
    );
    expect([all.err, stub.requests.length]).toEqual(['', 3]);
    const some = await query(['--format', 'json', '--limit', '12']);
    expect(linesOf(some.out)).toHaveLength(12);
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
      expect(Math.max(...linesOf(text).map((line) => line.length))).toBeLessThanOrEqual(width);
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
