import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  buildCapture,
  buildExchange,
  buildRequest,
  buildResponse,
  EPOCH_SECONDS,
} from '../../test/build-exchange.ts';
import type { Exchange } from '../model/exchange.ts';
import { BoundedMoments } from './bounded-moments.ts';
import { BoundedValues } from './bounded-values.ts';
import { ExactValues } from './measured-values.ts';
import { ExactMoments } from './moments.ts';
import { percentile } from './percentiles.ts';
import { askedFor } from './question.ts';
import { RouteLearner } from './routes/route-learner.ts';
import type { StatReport } from './stat-report.ts';
import { createStatSink, type StatSink } from './stat-sink.ts';
import { readableBuckets } from './time-buckets.ts';

const CLOCK = { epochSeconds: EPOCH_SECONDS };
const WORDS = { by: 'host,route', percentiles: '1,50,99.9', every: 'auto', slow: 'any' } as const;

function sinkOf(live: boolean): StatSink {
  return createStatSink(askedFor(WORDS).question, {
    clock: CLOCK,
    captures: [buildCapture()],
    learner: new RouteLearner({ limits: { budget: 3 } }),
    ...(live ? { live: { everyNs: null } } : {}),
  });
}

/** Everything that a reader of the report can see. */
function seen(report: StatReport): unknown {
  const { groups, total, span, orphans, top, notes } = report;
  const planned = report.plan(1e9, 60);
  const rows = [...groups, total].map((group) => ({
    ...group,
    place: undefined,
    counts: { ...group.counts, index: undefined },
    buckets: planned === null ? null : report.buckets(group, planned.buckets),
  }));
  return {
    rows: rows.sort((a, b) => (JSON.stringify(a.values) < JSON.stringify(b.values) ? -1 : 1)),
    span,
    orphans,
    notes,
    top: top.map(({ exchange, value }) => [exchange.id, value]),
  };
}

const exchanges: fc.Arbitrary<Exchange[]> = fc.array(
  fc
    .record({
      start: fc.nat(40_000_000_000),
      took: fc.nat(1_000_000_000),
      host: fc.constantFrom('a.test', 'b.test'),
      target: fc.nat(8).map((name) => `/things/${'abcdefghi'[name]}-thing`),
      status: fc.constantFrom(200, 404, 500),
    })
    .map(({ start, took, host, target, status }) =>
      buildExchange({
        request: buildRequest({ firstByteNs: start, lastByteNs: start, host, target }),
        response: buildResponse({ status, firstByteNs: start + took, lastByteNs: start + took }),
      }),
    ),
  { maxLength: 60 },
);

describe('stat while packets come', () => {
  it('shows at any time what it would show of a capture that ends there', () => {
    fc.assert(
      fc.property(exchanges, fc.nat(60), (list, lookAt) => {
        const live = sinkOf(true);
        for (const [index, exchange] of list.entries()) {
          if (index === lookAt) {
            const until = sinkOf(false);
            for (const one of list.slice(0, index)) until.exchange(one);
            expect(seen(live.report())).toEqual(seen(until.report()));
          }
          live.exchange(exchange);
        }
        const whole = sinkOf(false);
        for (const one of list) whole.exchange(one);
        expect(seen(live.report())).toEqual(seen(whole.report()));
        // A look changes nothing.
        expect(seen(live.report())).toEqual(seen(whole.report()));
      }),
      { numRuns: 150 },
    );
  });

  it('learns from what comes after a look', () => {
    const request = (name: string, found: boolean) =>
      buildExchange({
        request: buildRequest({ host: 'a.test', target: `/things/${name}-thing` }),
        response: buildResponse({ status: found ? 200 : 404 }),
      });
    const routes = () => live.report().groups.map(({ values }) => values[1]);
    const live = sinkOf(true);
    for (const name of ['a', 'b', 'c', 'd']) live.exchange(request(name, false));
    expect(routes()).toEqual(['/things/{slug}']);
    // Names that the server knows after all stay names.
    for (const name of ['a', 'b']) live.exchange(request(name, true));
    expect(routes().sort()).toEqual(['/things/a-thing', '/things/b-thing', '/things/{slug}']);
  });

  const asked = ['0.1', '50', '90', '99.9', '100'].map((text) => {
    const one = percentile(text);
    if (one === null) throw new Error(text);
    return one;
  });

  it('keeps percentiles within 0.1 % where there are too many values to keep', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(3), fc.nat(2_000_000_000)), { minLength: 1, maxLength: 300 }),
        fc.integer({ min: 1, max: 120 }),
        (values, limit) => {
          const bounded = new BoundedValues(limit);
          const exact = new ExactValues(1000);
          for (const [group, value] of values) {
            bounded.add(group, value);
            exact.add(group, value);
          }
          expect(bounded.approximate).toBe(values.length >= limit);
          // Groups 0 and 1 have become one.
          const places = Uint32Array.of(0, 0, 1, 2);
          const [is, was] = [bounded, exact].map((one) => one.distributions(places, 3, asked));
          for (const [one, other] of [0, 1, 2]
            .map((place) => [is.of(place), was.of(place)])
            .concat([[is.all, was.all]])) {
            expect(one.measured).toBe(other.measured);
            expect(one.max).toBe(other.max);
            if (other.mean !== null) expect(one.mean).toBeCloseTo(other.mean, 3);
            one.percentiles.forEach((found, at) => {
              const right = other.percentiles[at];
              if (found === null || right === null) expect(found).toBe(right);
              else expect(Math.abs(found - right)).toBeLessThanOrEqual(right * 0.001);
            });
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  it('counts every request in its bucket when stretches of time become longer', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(2), fc.nat(4000)), { minLength: 1, maxLength: 200 }),
        fc.integer({ min: 4, max: 60 }),
        (requests, limit) => {
          // Not at the beginning of a stretch.
          const clock = { epochSeconds: EPOCH_SECONDS + 17 };
          const bounded = new BoundedMoments(clock, null, limit);
          const exact = new ExactMoments(1000);
          for (const [group, seconds] of requests) {
            bounded.add(group, seconds * 1e9);
            exact.add(group, seconds * 1e9);
          }
          const times = requests.map(([, seconds]) => seconds * 1e9);
          const first = Math.min(...times);
          const last = Math.max(...times);
          const buckets = readableBuckets(clock, first, last, 50, bounded.leastNs);
          const places = Uint32Array.of(0, 1, 1);
          for (const place of [null, 0, 1])
            expect(bounded.byGroup(places, 2).counts(place, buckets)).toEqual(
              exact.byGroup(places, 2).counts(place, buckets),
            );
          expect(bounded.lost).toBe(0);
        },
      ),
      { numRuns: 200 },
    );
  });
});
