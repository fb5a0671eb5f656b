import { describe, expect, it } from 'vitest';
import {
  buildCapture,
  buildExchange,
  buildRequest,
  buildResponse,
  buildUnanswered,
  EPOCH_SECONDS,
} from '../../test/build-exchange.ts';
import type { Exchange } from '../model/exchange.ts';
import { ANSI_STYLE, NO_STYLE } from '../report/style.ts';
import { displayWidth } from '../report/terminal-text.ts';
import { percentText, statColumns } from './columns.ts';
import { askedFor, type QuestionWords } from './question.ts';
import { sortColumn, sorted } from './sort.ts';
import { ASCII_LEVELS, BLOCKS, combined, paintMarks, sparkline } from './sparkline.ts';
import { statJson, statRecords } from './stat-records.ts';
import { createStatSink } from './stat-sink.ts';
import { statTable } from './stat-table.ts';

const CLOCK = { epochSeconds: EPOCH_SECONDS };

/** GET /fast at seconds 0 (twice) and 3; POST /slow at 0, answered 500, and at 3, not answered. */
const EXCHANGES: readonly Exchange[] = [
  exchange(1, 'GET', '/fast', 0, 10, 200),
  exchange(2, 'POST', '/slow', 0.1, 900, 500),
  exchange(3, 'GET', '/fast', 0.2, 20, 404),
  exchange(4, 'GET', '/fast', 3, 30, 200),
  buildUnanswered('capture-ended', {
    id: 5,
    request: buildRequest({ method: 'POST', target: '/slow', firstByteNs: 3.5e9, lastByteNs: 3.5e9 }),
  }),
  buildExchange({ id: 6, request: null, outcome: 'orphan-response' }),
];

function exchange(
  id: number,
  method: string,
  target: string,
  at: number,
  ms: number,
  status: number,
): Exchange {
  const start = at * 1e9;
  return buildExchange({
    id,
    request: buildRequest({ method, target, firstByteNs: start, lastByteNs: start }),
    response: buildResponse({ status, firstByteNs: start + ms * 1e6, lastByteNs: start + ms * 1e6 }),
  });
}

function asked(words: QuestionWords, exchanges = EXCHANGES) {
  const { question, sort } = askedFor(words);
  const captures = [buildCapture({ lastNs: 6e9 })];
  const sink = createStatSink(question, { clock: CLOCK, captures, learner: null });
  for (const one of exchanges) sink.exchange(one);
  const report = sink.report();
  const columns = statColumns(question);
  const sortedBy = sortColumn(columns, sort);
  return { report, columns, sortedBy, groups: sorted(report.groups, sortedBy, sort.direction) };
}

function table(words: QuestionWords, width: number, style = NO_STYLE, levels = BLOCKS): string[] {
  const found = asked({ plainRoutes: true, ...words });
  const every = words.every === undefined ? null : 1_000_000_000;
  return statTable({ ...found, width, style, levels, every, show: 'wirelens show a.pcap ID' });
}

const squeezed = (lines: readonly string[]): string[] =>
  lines.map((line) => line.replace(/ {2,}/g, '  ').trim());

describe('the table', () => {
  it('has a row for each group, the largest first, and the total', () => {
    const lines = squeezed(table({ by: 'method,route' }, Number.POSITIVE_INFINITY));
    expect(lines[0]).toBe(
      '5 requests in 3.50 s (1.43 per s) by method, route; percentiles of the total time; known of 4 of them',
    );
    // 40 and 120 bytes of head, 1234 of body. Of 10, 20, 30 ms the median is the second.
    expect(lines.slice(2)).toEqual([
      'method  route  requests  share  per s  errors  4xx  sent  received  p50  p90  p99  max',
      'GET  /fast  3  60.0 %  0.86  0 %  1  120 B  4.06 kB  20.0 ms  30.0 ms  30.0 ms  30.0 ms',
      'POST  /slow  2  40.0 %  0.57  100 %  0  80 B  1.35 kB  900 ms  900 ms  900 ms  900 ms',
      'total  5  100 %  1.43  40.0 %  1  200 B  5.42 kB  20.0 ms  900 ms  900 ms  900 ms',
    ]);
  });

  it('shows gaps, and errors in red, in its sparklines', () => {
    const plain = table({ by: 'route', every: '1s' }, 200);
    expect(plain[2]).toMatch(/1s each$/);
    expect(plain[3].endsWith('  █  ▄')).toBe(true);
    expect(plain[4].endsWith('  █  █')).toBe(true);
    expect(plain[5].endsWith('  █  ▆')).toBe(true);
    const painted = table({ by: 'route', every: '1s' }, 200, ANSI_STYLE);
    expect(painted[3].endsWith('  █  ▄')).toBe(true);
    expect(painted[4].endsWith('  \x1b[31m█\x1b[39m  \x1b[31m█\x1b[39m')).toBe(true);
    expect(table({ by: 'route', every: '1s' }, 200, NO_STYLE, ASCII_LEVELS)[3].endsWith('  @  =')).toBe(true);
  });

  it.each([80, 100, 120, 200])('keeps to %d cells', (width) => {
    const questions: QuestionWords[] = [{ slow: 'any' }, { every: '1s' }, { bigResponse: true, every: '1s' }];
    for (const words of questions)
      for (const line of table(words, width)) expect(displayWidth(line)).toBeLessThanOrEqual(width);
  });

  it('lists the exchanges that stand out, with their ids', () => {
    const lines = squeezed(table({ slow: 'any', limit: 2 }, 200));
    const at = lines.indexOf('Slowest exchanges, by total time');
    expect(lines.slice(at + 1)).toEqual([
      'id  total  at (UTC)  status  request  why',
      '5  >2.50 s  07:42:03.500  –  POST example.org/slow  capture ended 2.50 s after the request',
      '2  900 ms  07:42:00.100  500  POST example.org/slow  server took 900 ms to answer',
      'wirelens show a.pcap ID shows one of them whole',
    ]);
    expect(lines.findIndex((line) => line.startsWith('POST'))).toBeLessThan(
      lines.findIndex((line) => line.startsWith('GET')),
    );
  });

  it('shows what it is sorted by, also when that column is usually hidden', () => {
    const lines = squeezed(table({ by: 'route', sort: 'mean' }, 80));
    expect(lines.find((line) => line.startsWith('route'))?.split('  ')).toContain('mean');
  });

  it('is one row without groups, and one line without requests', () => {
    expect(squeezed(table({ by: 'none' }, 200)).slice(3)).toHaveLength(1);
    const nothing = asked({}, []);
    const options = { width: 80, style: NO_STYLE, levels: BLOCKS, every: 'auto', show: null } as const;
    expect(statTable({ ...nothing, ...options })).toEqual(['no requests']);
  });

  it('lets no control characters of the traffic through', () => {
    const hostile = [exchange(1, 'G\x1b[31mT', '/\x1b]0;x\x07\u202e', 0, 1, 200)];
    const questions: QuestionWords[] = [{ by: 'method,target' }, { slow: 'any', plainRoutes: true }];
    for (const words of questions) {
      const found = asked(words, hostile);
      const options = { width: 200, style: NO_STYLE, levels: BLOCKS, every: null, show: null } as const;
      const text = statTable({ ...found, ...options }).join('');
      expect(text).not.toMatch(/[\p{Cc}\p{Cf}]/u);
      expect(text).toContain('\\x1b');
    }
  });
});

describe('output for programs', () => {
  it('is one JSON document with the buckets and when they begin', () => {
    const { report, columns, groups } = asked({
      by: 'status,route',
      every: '1s',
      bigResponse: true,
      plainRoutes: true,
    });
    const buckets = report.plan(1_000_000_000, 60)?.buckets ?? null;
    const found = JSON.parse([...statJson({ report, columns, groups, buckets })].join(''));
    expect(found).toMatchObject({
      by: ['status', 'route'],
      metric: 'response.bytes',
      first: '2026-11-21T07:42:00.000000Z',
      seconds: 3.5,
      answers_without_request: 1,
      buckets: {
        seconds: 1,
        starts: ['00', '01', '02', '03'].map((second) => `2026-11-21T07:42:${second}.000000Z`),
      },
      groups_left_out: 0,
      total: {
        count: 5,
        errors: 2,
        error_share: 0.4,
        buckets: { requests: [3, 0, 0, 2], errors: [1, 0, 0, 1] },
      },
    });
    expect(found.groups).toHaveLength(4);
    expect(
      found.groups.find(({ group }: { group: object }) => JSON.stringify(group).includes('null')),
    ).toMatchObject({
      group: { status: null, route: '/slow' },
      unanswered: 1,
      p50_bytes: null,
      max_bytes: null,
    });
    expect(found.groups[0]).toMatchObject({ p50_bytes: 1354, max_bytes: 1354 });
    expect(found.exchanges.map(({ id }: { id: number }) => id)).toEqual([1, 2, 3, 4]);
  });

  it('is records whose columns add up', () => {
    const { report, columns, groups } = asked({ by: 'route', plainRoutes: true, every: '1s' });
    const buckets = report.plan(1_000_000_000, 60)?.buckets ?? null;
    const [names, ...rows] = [...statRecords({ report, columns, groups, buckets })];
    const at = (name: string): number => names.indexOf(name);
    expect(rows.map((row) => [row[at('route')], row[at('count')], row[at('p99_ms')]])).toEqual([
      ['/fast', 3, 30],
      ['/slow', 2, 900],
    ]);
    expect(names.at(-1)).toBe('from 2026-11-21T07:42:03.000000Z');
    expect(rows.map((row) => row.slice(-4))).toEqual([
      [2, 0, 0, 1],
      [1, 0, 0, 1],
    ]);
    expect(new Set(rows.map((row) => row.length))).toEqual(new Set([names.length]));
  });
});

describe('sparkline', () => {
  it('has eight levels, and a blank only for nothing', () => {
    expect(sparkline([0, 1, 2, 3, 4, 5, 6, 7, 8], BLOCKS)).toBe(' ▁▂▃▄▅▆▇█');
    expect(sparkline([1, 0, 1000], BLOCKS)).toBe('▁ █');
    expect(sparkline([0, 0], BLOCKS)).toBe('  ');
    expect(sparkline([3], ASCII_LEVELS)).toBe('@');
  });

  it('adds neighbours up where there is no room for each', () => {
    expect([...combined([1, 2, 3, 4, 5], 2)]).toEqual([3, 7, 5]);
  });

  it('paints what is marked', () => {
    expect(paintMarks([0, 1, 2, 0, 1], (text) => `<${text}>`)('abcde')).toBe('a<bc>d<e>');
  });
});

describe('percentText', () => {
  it('never says all or nothing when it is not so', () => {
    expect([0, 1, 1e-6, 1 - 1e-6, 0.5, null].map(percentText)).toEqual([
      '0 %',
      '100 %',
      '<0.1 %',
      '>99.9 %',
      '50.0 %',
      '–',
    ]);
  });
});
