import { describe, expect, it } from 'vitest';
import {
  buildCapture,
  buildConnection,
  buildExchange,
  buildRequest,
  buildResponse,
  buildRun,
  buildUnanswered,
  type ExchangeParts,
  textInMemory,
} from '../../test/build-exchange.ts';
import type { Exchange } from '../model/exchange.ts';
import { LIMITS } from '../model/limits.ts';
import type { ExchangeSink, RunRecord } from '../model/sink.ts';
import { createExchangeTable } from './exchange-table.ts';
import { atLeast, firstOf, slowestOf } from './selection.ts';
import { ANSI_STYLE, NO_STYLE } from './style.ts';
import { createSummary, type SummaryReport } from './summary.ts';
import { summaryText } from './summary-text.ts';
import { displayWidth } from './terminal-text.ts';

const ms = 1_000_000;
const routeOf = (target: string): string => target.replace(/\d+/g, '{id}');
let nextId = 1;

function timed(
  totalMs: number,
  parts: { target?: string; host?: string | null; method?: string; status?: number; server?: string } = {},
  more: ExchangeParts = {},
): Exchange {
  const { target = '/', host = 'example.org', method = 'GET', status = 200, server = '10.0.0.2:80' } = parts;
  const connection = buildConnection({ server: { address: '', port: 80, text: server } });
  return buildExchange({
    id: nextId++,
    connection,
    request: buildRequest({ target, host, method, firstByteNs: 0, lastByteNs: 0 }),
    response: buildResponse({ status, firstByteNs: totalMs * ms, lastByteNs: totalMs * ms }),
    ...more,
  });
}

async function summarise(
  exchanges: readonly Exchange[],
  { limits = {}, listed = 10, run = {} as Partial<RunRecord> } = {},
): Promise<SummaryReport> {
  const summary = createSummary({ limits: { ...LIMITS, ...limits }, listed, routeOf });
  for (const exchange of exchanges) summary.exchange(exchange);
  await summary.finish(buildRun(run));
  return summary.report();
}

describe('RED aggregation', () => {
  it('counts requests, errors and durations by server and by route', async () => {
    const report = await summarise([
      timed(1, { target: '/users/1' }),
      timed(2, { target: '/users/2', status: 404 }),
      timed(3, { target: '/users/3', status: 503, server: '10.0.0.3:80', host: 'other.example' }),
      timed(4, { target: '/users/1', method: 'POST' }),
      buildUnanswered('reset-by-server', { request: buildRequest({ target: '/users/9' }) }),
      buildExchange({ request: null, outcome: 'orphan-response' }),
    ]);
    expect(report).toMatchObject({ requests: 5, clientErrors: 1, serverErrors: 1, unanswered: 1 });
    expect(report.total).toMatchObject({ p50Ns: 2 * ms, p90Ns: 4 * ms, maxNs: 4 * ms });
    const routes = report.routes.map(({ group, total }) => [
      `${group.name} ${group.host}${group.route}`,
      group.requests,
      group.clientErrors,
      group.serverErrors,
      group.unanswered,
      total.p99Ns,
    ]);
    expect(routes).toEqual([
      ['GET example.org/users/{id}', 3, 1, 0, 1, 2 * ms],
      ['GET other.example/users/{id}', 1, 0, 1, 0, 3 * ms],
      ['POST example.org/users/{id}', 1, 0, 0, 0, 4 * ms],
    ]);
    const servers = report.servers.map(({ group }) => [group.name, group.requests, group.hosts]);
    expect(servers).toEqual([
      ['10.0.0.2:80', 4, ['example.org']],
      ['10.0.0.3:80', 1, ['other.example']],
    ]);
  });

  it('puts groups beyond the budget together and loses no request', async () => {
    const exchanges = Array.from({ length: 40 }, (_, index) =>
      timed(index + 1, { target: `/p${'x'.repeat(index)}`, server: `10.0.0.${index}:80` }),
    );
    const report = await summarise(exchanges, { limits: { summaryGroups: 5 } });
    for (const rows of [report.servers, report.routes]) {
      expect(rows).toHaveLength(6);
      expect(rows.at(-1)?.group).toMatchObject({ name: '(other)', requests: 35 });
      expect(rows.reduce((sum, { group }) => sum + group.requests, 0)).toBe(40);
    }
  });

  it('does not keep very long names', async () => {
    const long = 'x'.repeat(10_000);
    const report = await summarise([
      timed(1, { target: `/${long}` }),
      timed(2, { host: long }),
      timed(3, { method: long }),
    ]);
    const names = [...report.routes, ...report.servers].flatMap(({ group }) => [
      group.name,
      group.route,
      group.host ?? '',
      ...group.hosts,
    ]);
    expect(Math.max(...names.map((name) => name.length))).toBeLessThan(100);
    expect(report.routes.reduce((sum, { group }) => sum + group.requests, 0)).toBe(3);
  });

  it('goes on within 0.1 % and marked when the budget of durations is used up', async () => {
    const exchanges = Array.from({ length: 5000 }, (_, index) =>
      timed(index + 1, { server: `10.0.0.${index % 3}:80` }),
    );
    const report = await summarise(exchanges, { limits: { summaryDurations: 500 } });
    expect(report.total.approximate).toBe(true);
    expect(Math.abs((report.total.p50Ns ?? 0) - 2500 * ms)).toBeLessThan(2500 * ms * 0.001);
    expect(report.total.maxNs).toBe(5000 * ms);
    expect(summaryText(report, { width: 100, style: NO_STYLE, limit: 10 })).toContain('~2.5');
  });

  it('lists the slowest, and of every kind of failure some', async () => {
    const exchanges = [5, 9, 1, 7, 3].map((totalMs) => timed(totalMs));
    const flood = Array.from({ length: 50 }, () => timed(2, { status: 502 }));
    const report = await summarise(
      [
        ...exchanges,
        ...flood,
        buildUnanswered('reset-by-server', { id: 900 }),
        buildUnanswered('capture-ended', { id: 901 }),
      ],
      { listed: 4 },
    );
    expect(report.slowest.map((exchange) => (exchange.response?.lastByteNs ?? 0) / ms)).toEqual([9, 7, 5, 3]);
    expect(report.failures).toBe(52);
    expect(report.failed.map(({ outcome }) => outcome).sort()).toEqual([
      'complete',
      'complete',
      'no-response',
      'reset',
    ]);
  });
});

describe('the human summary', () => {
  const hostile = timed(1500, {
    target: '/\x1b]0;owned\x07\u202egpj',
    host: 'evil\x1b[2J.example\r\n',
    status: 500,
  });
  const samples = [
    hostile,
    timed(3, { target: `/${'very/long/path/'.repeat(12)}`, host: '例え.テスト' }),
    timed(
      250,
      { server: '[2001:db8:1234:5678:9abc:def0:1234:5678]:8080', status: 404 },
      { anomalies: ['pipelined', 'content-length-and-transfer-encoding'] },
    ),
    buildUnanswered('capture-ended', { tcp: { requestRetransmissions: 3 } }),
  ];

  it.each([40, 60, 80, 100, 132, 200])(
    'fits %i columns and contains nothing that a terminal acts on',
    async (width) => {
      const run = {
        captures: [
          buildCapture({
            path: 'a\x1bb.pcap',
            damage: { what: 'the record\x07 is cut', packet: 9, byteOffset: 99 },
          }),
        ],
      };
      const text = summaryText(await summarise(samples, { run }), { width, style: NO_STYLE, limit: 10 });
      expect(text).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/);
      // Below 80 columns the numbers of the RED tables may run over; nothing else does.
      if (width >= 80)
        for (const line of text.split('\n')) expect(displayWidth(line), line).toBeLessThanOrEqual(width);
      for (const part of [
        'evil\\x1b[2J',
        'By server',
        'By route',
        'Slowest',
        'Failed and unanswered',
        'Anomalies',
        'Ledger',
      ])
        expect(text).toContain(part);
    },
  );

  it('is the same text with and without colours', async () => {
    const report = await summarise(samples);
    const plain = summaryText(report, { width: 100, style: NO_STYLE, limit: 10 });
    const coloured = summaryText(report, { width: 100, style: ANSI_STYLE, limit: 10 });
    expect(coloured).not.toBe(plain);
    expect(coloured.replace(/\x1b\[\d+m/g, '')).toBe(plain);
  });

  it('says why an exchange was slow or failed', async () => {
    const text = summaryText(await summarise(samples), { width: 200, style: NO_STYLE, limit: 10 });
    expect(text).toContain('server took 1.50 s to answer');
    expect(text).toContain('request retransmitted 3 times, capture ended 2.00 s after the request');
  });

  it('says what a capture without requests holds', async () => {
    const run = buildRun();
    run.ledger.packetsRead = 10;
    run.ledger.segments = 10;
    run.ledger.payloadBytes = 100;
    const summary = createSummary({ limits: LIMITS, listed: 10, routeOf });
    summary.connection(buildConnection({ protocol: 'tls' }));
    await summary.finish(run);
    const text = summaryText(summary.report(), { width: 80, style: NO_STYLE, limit: 10 });
    expect(text).toContain('No HTTP request found.');
    expect(text).toContain('TLS is encrypted');
  });

  it('shows the ledger with its parts and names what does not add up', async () => {
    const report = await summarise([]);
    Object.assign(report.run.ledger, {
      packetsRead: 12,
      segments: 10,
      requests: 3,
      paired: 2,
      unanswered: 1,
      responses: 2,
      exchanges: 3,
    });
    report.run.ledger.notUsed[0] = 2;
    const show = (): string => summaryText(report, { width: 100, style: NO_STYLE, limit: 10 });
    expect(show()).toContain('Ledger  balanced');
    expect(show()).toMatch(/packets +12 read = 10 TCP \+ 2 UDP\n/);
    expect(show()).toMatch(/requests +3 found = 2 answered \+ 1 unanswered\n/);
    report.run.ledger.requests = 4;
    expect(show()).toContain('does not balance');
    expect(show()).toContain('requests: 4 counted, 3 accounted for');
  });
});

describe('rows of exchanges', () => {
  const table = (width: number, sortByStart = true) => {
    const output = textInMemory();
    const sink = createExchangeTable({
      output,
      clock: { epochSeconds: 0 },
      captures: [buildCapture()],
      width,
      style: NO_STYLE,
      sortByStart,
    });
    return { output, sink };
  };
  const starting = (startMs: number) =>
    buildExchange({
      id: nextId++,
      request: buildRequest({
        firstByteNs: startMs * ms,
        lastByteNs: startMs * ms,
        target: `/at-${startMs}`,
      }),
      response: buildResponse({ firstByteNs: 100 * ms, lastByteNs: 100 * ms }),
    });

  it('come in the order of their start within what was read, with titles once', async () => {
    const { output, sink } = table(Number.POSITIVE_INFINITY);
    for (const start of [30, 10, 20]) sink.exchange(starting(start));
    await sink.drain();
    sink.exchange(starting(15));
    await sink.finish(buildRun());
    expect(output.text().match(/at-\d+|time/g)).toEqual(['time', 'at-10', 'at-20', 'at-30', 'at-15']);
  });

  it('are whole in a pipe and fit on a terminal', async () => {
    const long = timed(5, { target: `/${'x'.repeat(300)}` });
    const piped = table(Number.POSITIVE_INFINITY);
    const shown = table(80);
    for (const { sink } of [piped, shown]) {
      sink.exchange(long);
      sink.exchange(buildUnanswered('reset-by-server'));
      await sink.finish(buildRun());
    }
    expect(piped.output.text()).toContain('x'.repeat(300));
    for (const line of shown.output.text().split('\n')) expect(displayWidth(line)).toBeLessThanOrEqual(80);
  });

  it('can be limited, chosen by time, and sorted by time', async () => {
    const ids = async (wrap: (sink: ExchangeSink) => ExchangeSink): Promise<number[]> => {
      const seen: number[] = [];
      const sink = wrap(collecting(seen));
      for (const [index, totalMs] of [5, 9, 1, 7].entries())
        sink.exchange(timed(totalMs, {}, { id: index + 1 }));
      sink.exchange(buildUnanswered('capture-ended', { id: 5 }));
      await sink.finish(buildRun());
      return seen;
    };
    const collecting = (seen: number[]): ExchangeSink => ({
      exchange: (exchange: Exchange) => void seen.push(exchange.id),
      connection: () => {},
      drain: () => null,
      finish: async () => {},
      abort: async () => {},
    });
    const captures = [buildCapture()];
    let reached = 0;
    expect(await ids((sink) => firstOf(2, sink, () => reached++))).toEqual([1, 2]);
    expect(reached).toBe(1);
    expect(await ids((sink) => atLeast(7 * ms, captures, sink))).toEqual([2, 4, 5]);
    expect(await ids((sink) => slowestOf(3, captures, sink))).toEqual([5, 2, 4]);
  });
});
