import { describe, expect, it } from 'vitest';
import { cellsOf, linesOf, queryPerTest } from '../../test/query-run.ts';
import type { StubServer } from '../../test/stub-server.ts';

let stub: StubServer;
const query = queryPerTest((begun) => {
  stub = begun;
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
    expect(linesOf(out).slice(1).map(cellsOf)).toEqual([
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
    const job = linesOf(out).find((line) => line.startsWith('job-7')) ?? '';
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
    expect(linesOf(table.out).slice(1).map(cellsOf)).toEqual([
      ['x,y', 'true'],
      ['null', '1.5'],
    ]);
    expect(table.err).toContain('more rows');
    const csv = await query(['--sql', 'SELECT 1', '-f', 'csv', '-q']);
    expect([csv.out, csv.err]).toEqual(['a,b\r\n"x,y",true\r\n,1.5\r\n', '']);
    const json = await query(['--sql', 'SELECT 1', '-f', 'json']);
    expect(linesOf(json.out)).toEqual(['{"a":"x,y","b":true}', '{"a":null,"b":1.5}']);
  });
});
