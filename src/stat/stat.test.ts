import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  buildCapture,
  buildConnection,
  buildExchange,
  buildRequest,
  buildResponse,
  buildUnanswered,
  EPOCH_SECONDS,
} from '../../test/build-exchange.ts';
import { fuzzRuns } from '../../test/pipeline-run.ts';
import type { Exchange } from '../model/exchange.ts';
import { routeOf } from '../model/route.ts';
import { askedFor, type QuestionWords } from './question.ts';
import { RouteLearner } from './routes/route-learner.ts';
import type { StatLimits } from './stat-limits.ts';
import type { StatGroup, StatReport } from './stat-report.ts';
import { createStatSink } from './stat-sink.ts';

const CLOCK = { epochSeconds: EPOCH_SECONDS };

function statOf(
  exchanges: readonly Exchange[],
  words: QuestionWords,
  limits: Partial<StatLimits> = {},
): StatReport {
  const sink = createStatSink(askedFor(words).question, {
    clock: CLOCK,
    captures: [buildCapture()],
    learner: words.plainRoutes === true ? null : new RouteLearner(),
    limits,
  });
  for (const exchange of exchanges) sink.exchange(exchange);
  return sink.report();
}

/** Exchanges of few hosts, paths and statuses, so that groups have several members. Times in whole ns. */
const exchanges: fc.Arbitrary<Exchange[]> = fc.array(
  fc
    .record({
      start: fc.oneof(
        fc.integer({ min: -5_000_000_000, max: 90_000_000_000 }),
        fc.constantFrom(0, 1_000_000_000),
      ),
      took: fc.integer({ min: 0, max: 100_000 }),
      method: fc.constantFrom('GET', 'POST'),
      host: fc.constantFrom('a.test', 'b.test', null),
      target: fc.constantFrom('/', '/users/1', '/users/2?x=1', '/users/me'),
      status: fc.constantFrom(200, 302, 404, 499, 500, 599, 600, null),
      size: fc.integer({ min: 0, max: 5000 }),
      kind: fc.constantFrom('answered', 'answered', 'answered', 'cut', 'unanswered', 'orphan'),
      client: fc.constantFrom('10.0.0.1', '10.0.0.9'),
    })
    .map(({ start, took, method, host, target, status, size, kind, client }) => {
      const connection = buildConnection({ client: { address: client, port: 5000, text: `${client}:5000` } });
      const request = buildRequest({
        firstByteNs: start,
        lastByteNs: start,
        method,
        host,
        target,
        bodyBytes: size % 7,
      });
      const response = buildResponse({
        status,
        bodyBytes: size,
        firstByteNs: start + Math.floor(took / 2),
        lastByteNs: kind === 'cut' ? null : start + took,
      });
      if (kind === 'unanswered') return buildUnanswered('capture-ended', { connection, request });
      if (kind === 'orphan')
        return buildExchange({ connection, request: null, response, outcome: 'orphan-response' });
      return buildExchange({ connection, request, response });
    }),
  { maxLength: 80 },
);

/** What each field is, said once more without the catalogue. */
const READ: Record<string, (exchange: Exchange) => string | number | boolean | null> = {
  method: ({ request }) => request?.method ?? null,
  host: ({ request }) => request?.host ?? null,
  route: ({ request }) => routeOf(request?.target ?? ''),
  target: ({ request }) => request?.target ?? null,
  status: ({ response }) => response?.status ?? null,
  client: ({ client }) => client.address,
  outcome: ({ outcome }) => outcome,
  error: ({ response }) =>
    response === null || ((response.status ?? 0) >= 500 && (response.status ?? 0) < 600),
  'response.body_bytes': ({ response }) => response?.bodyBytes ?? null,
};
const MEASURE: Record<string, (exchange: Exchange) => number | null> = {
  total: ({ request, response }) =>
    response === null || response.lastByteNs === null
      ? null
      : response.lastByteNs - (request?.firstByteNs ?? 0),
  wait: ({ request, response }) =>
    response === null ? null : response.firstByteNs - (request?.lastByteNs ?? 0),
  receive: ({ response }) =>
    response === null || response.lastByteNs === null ? null : response.lastByteNs - response.firstByteNs,
  'request.bytes': ({ request }) => (request === null ? null : request.headerBytes + request.bodyBytes),
  'response.bytes': ({ response }) => (response === null ? null : response.headerBytes + response.bodyBytes),
};

/** The smallest value that at least p per cent of the values do not exceed. */
function plainPercentile(values: readonly number[], thousandths: number): number | null {
  const ascending = [...values].sort((a, b) => a - b);
  const found = ascending.findIndex((_, index) => (index + 1) * 100_000 >= thousandths * values.length);
  return found < 0 ? null : ascending[found];
}

const bySubset = fc.subarray(Object.keys(READ), { minLength: 1, maxLength: 4 });
const metricName = fc.constantFrom(...Object.keys(MEASURE));

describe('stat on random exchanges', () => {
  it('has the sums and percentiles that the rows have', () => {
    fc.assert(
      fc.property(exchanges, bySubset, metricName, fc.boolean(), (list, by, metric, plainRoutes) => {
        const words = { by: by.join(','), metric, percentiles: '0.001,33.3,50,90,99.9,100', plainRoutes };
        const report = statOf(list, words);
        const requests = list.filter(({ request }) => request !== null);
        const naive = new Map<string, Exchange[]>();
        for (const exchange of requests) {
          const key = JSON.stringify(by.map((name) => READ[name](exchange)));
          naive.set(key, [...(naive.get(key) ?? []), exchange]);
        }
        const found = new Map(report.groups.map((group) => [JSON.stringify(group.values), group]));
        expect([...found.keys()].sort()).toEqual([...naive.keys()].sort());
        const check = (group: StatGroup, members: readonly Exchange[]): void => {
          const statuses = members.map(({ response }) => response?.status ?? -1);
          const between = (low: number, high: number): number =>
            statuses.filter((status) => status >= low && status <= high).length;
          const sum = (values: readonly number[]): number => values.reduce((all, one) => all + one, 0);
          expect(group.counts).toMatchObject({
            requests: members.length,
            clientErrors: between(400, 499),
            serverErrors: between(500, 599),
            unanswered: members.filter(({ response }) => response === null).length,
            requestBytes: sum(members.map((one) => MEASURE['request.bytes'](one) ?? 0)),
            responseBytes: sum(members.map((one) => MEASURE['response.bytes'](one) ?? 0)),
          });
          const values = members.map(MEASURE[metric]).filter((value) => value !== null);
          expect(group.measured).toBe(values.length);
          expect(group.percentiles).toEqual(
            [1, 33_300, 50_000, 90_000, 99_900, 100_000].map((one) => plainPercentile(values, one)),
          );
          expect(group.max).toBe(values.length === 0 ? null : Math.max(...values));
          if (values.length > 0) expect(group.mean).toBeCloseTo(sum(values) / values.length, 6);
          expect(group.share).toBe(requests.length === 0 ? 0 : members.length / requests.length);
        };
        for (const [key, members] of naive) check(found.get(key) as StatGroup, members);
        check(report.total, requests);
        expect(report.orphans).toBe(list.length - requests.length);
        const times = requests.map(({ request }) => request?.firstByteNs ?? 0);
        const span = Math.max(...times) - Math.min(...times);
        if (span > 0) expect(report.total.rate).toBeCloseTo((requests.length * 1e9) / span, 6);
        else expect(report.total.rate).toBeNull();
      }),
      { numRuns: fuzzRuns(400) },
    );
  });

  it('puts every request into the time bucket that holds it', () => {
    const width = fc.constantFrom<number | 'auto'>(
      'auto',
      1_000_000_000,
      7_000_000_000,
      333_333_333,
      86_400e9,
    );
    fc.assert(
      fc.property(exchanges, width, fc.integer({ min: 2, max: 40 }), (list, wanted, most) => {
        const report = statOf(list, { by: 'method', every: 'auto' });
        const planned = report.plan(wanted, most);
        const requests = list.filter(({ request }) => request !== null);
        if (planned === null) {
          expect(requests).toEqual([]);
          return;
        }
        const { buckets } = planned;
        if (wanted === 'auto') expect(buckets.count).toBeLessThanOrEqual(most);
        else expect(buckets.widthNs).toBe(wanted);
        // Whole multiples of the width in Unix time.
        const first = BigInt(EPOCH_SECONDS) * 1_000_000_000n + BigInt(buckets.startNs(0));
        expect(first % BigInt(buckets.widthNs)).toBe(0n);
        for (const group of [...report.groups, report.total]) {
          const members = requests.filter(
            ({ request }) => group.kind === 'total' || request?.method === group.values[0],
          );
          const inside = (of: readonly Exchange[]): number[] =>
            Array.from({ length: buckets.count }, (_, at) => {
              const from = buckets.startNs(at);
              return of.filter(({ request }) => {
                const ns = request?.firstByteNs ?? 0;
                return ns >= from && ns < from + buckets.widthNs;
              }).length;
            });
          const counted = report.buckets(group, buckets);
          expect([...counted.requests]).toEqual(inside(members));
          expect([...counted.errors]).toEqual(inside(members.filter(READ.error)));
          expect(counted.requests.reduce((sum, one) => sum + one, 0)).toBe(group.counts.requests);
        }
        // Neither end is empty.
        const all = report.buckets(report.total, buckets).requests;
        expect(all[0]).toBeGreaterThan(0);
        expect(all[all.length - 1]).toBeGreaterThan(0);
      }),
      { numRuns: fuzzRuns(300) },
    );
  });

  it('loses no request when there are more groups than it may hold', () => {
    fc.assert(
      fc.property(
        exchanges,
        fc.integer({ min: 1, max: 6 }),
        fc.integer({ min: 1, max: 12 }),
        (list, groups, groupsHeld) => {
          const report = statOf(list, { by: 'target,status' }, { groups, groupsHeld });
          const own = report.groups.filter(({ kind }) => kind === 'group');
          expect(own.length).toBeLessThanOrEqual(Math.min(groups, groupsHeld));
          const all = report.groups.reduce((sum, { counts }) => sum + counts.requests, 0);
          expect(all).toBe(report.total.counts.requests);
          const other = report.groups.find(({ kind }) => kind === 'other');
          expect(report.notes.some((note) => note.includes('(other)'))).toBe(other !== undefined);
          const measured = report.groups.reduce((sum, group) => sum + group.measured, 0);
          expect(measured).toBe(report.total.measured);
        },
      ),
      { numRuns: fuzzRuns(300) },
    );
  });
});

describe('stat', () => {
  const many = (count: number, parts: (index: number) => { target: string; ms: number; status?: number }) =>
    Array.from({ length: count }, (_, index) => {
      const { target, ms, status } = parts(index);
      const start = index * 10_000_000;
      return buildExchange({
        id: index + 1,
        request: buildRequest({ target, firstByteNs: start, lastByteNs: start }),
        response: buildResponse({
          status: status ?? 200,
          firstByteNs: start + ms * 1e6,
          lastByteNs: start + ms * 1e6,
        }),
      });
    });

  it('groups by learned routes, and by plain ones when asked to', () => {
    const word = (index: number): string => 'abcdefgh'[index % 8] + 'abcdefgh'[Math.floor(index / 8)];
    const list = many(40, (index) => ({ target: `/p/${word(index)}`, ms: index }));
    const learned = statOf(list, { by: 'route' });
    expect(learned.groups.map(({ values, counts }) => [values[0], counts.requests])).toEqual([
      ['/p/{slug}', 40],
    ]);
    expect(learned.groups[0].percentiles).toEqual([19e6, 35e6, 39e6]);
    expect(statOf(list, { by: 'route', plainRoutes: true }).groups).toHaveLength(40);
  });

  it('says that durations beyond the limit are missing', () => {
    const list = many(10, (index) => ({ target: '/', ms: index }));
    const report = statOf(list, { by: 'host', every: '1s' }, { samples: 4 });
    expect(report.total.counts.requests).toBe(10);
    expect(report.total.max).toBe(3e6);
    expect(report.notes.join('\n')).toContain('the first 4 requests; 6 further ones');
  });

  it('lists the slowest exchanges, those that still wait included', () => {
    const list = [
      ...many(20, (index) => ({ target: `/${index}`, ms: index })),
      buildUnanswered('capture-ended', {
        id: 99,
        request: buildRequest({ firstByteNs: 1_000_000_000, lastByteNs: 1_000_000_000 }),
      }),
    ];
    const { top } = statOf(list, { slow: 'any', limit: 3 });
    expect(top.map(({ exchange, value, atLeast }) => [exchange.id, value, atLeast])).toEqual([
      [99, 1e9, true],
      [20, 19e6, false],
      [19, 18e6, false],
    ]);
    expect(statOf(list, { slow: 19e6 }).top.map(({ exchange }) => exchange.id)).toEqual([99, 20]);
    expect(
      statOf(list, { slow: 'any', metric: 'receive', limit: 3 }).top.every(({ atLeast }) => !atLeast),
    ).toBe(true);
  });

  it('keeps long values apart from each other only as far as their first characters', () => {
    const list = [buildRequest({ host: 'x'.repeat(300) }), buildRequest({ host: `${'x'.repeat(299)}y` })];
    const report = statOf(
      list.map((request) => buildExchange({ request })),
      { by: 'host' },
    );
    expect(report.groups.map(({ values }) => values[0])).toEqual([`${'x'.repeat(256)}…`]);
  });
});
