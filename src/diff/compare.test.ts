import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../fixtures/build/transform.ts';
import {
  buildCapture,
  buildConnection,
  buildExchange,
  buildRequest,
  buildResponse,
} from '../../test/build-exchange.ts';
import { findField } from '../filter/fields.ts';
import { totalNs } from '../model/phases.ts';
import { type CompareOptions, type Comparison, compareSides, significantFindings } from './compare.ts';
import { DiffSide } from './diff-side.ts';
import { Grouping } from './grouping.ts';
import { DIFF_LIMITS, type DiffLimits } from './limits.ts';
import { WatchedTime } from './watched-time.ts';

/** One request of simulated traffic. */
interface Simulated {
  readonly target: string;
  readonly startNs: number;
  readonly durationNs: number;
  /** null: no answer. */
  readonly status: number | null;
  readonly bytes: number;
}

function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

interface Shape {
  readonly routes: number;
  readonly requests: number;
  /** How much a request's slowness is that of the one before it: 0 to below 1. */
  readonly memory?: number;
  /** Requests that arrive together. */
  readonly burst?: number;
  readonly seconds?: number;
}

const SECOND = 1e9;

/** Stationary traffic: lognormal durations, a few errors, Poisson arrivals (or bursts of them), in the order of time. */
function stationary(
  random: () => number,
  { routes, requests, memory = 0, burst = 1, seconds = 60 }: Shape,
): Simulated[] {
  const starts: number[] = [];
  const bursts = requests / burst;
  const wanted = burst * Math.round(bursts + Math.sqrt(bursts) * normal(random));
  while (starts.length < wanted) {
    const at = random() * seconds * SECOND;
    for (let one = 0; one < burst; one += 1) starts.push(Math.floor(at + one * 1e5));
  }
  let mood = normal(random);
  return starts
    .slice(0, wanted)
    .sort((a, b) => a - b)
    .map((startNs) => {
      mood = memory * mood + Math.sqrt(1 - memory ** 2) * normal(random);
      const route = Math.floor(random() ** 2 * routes);
      const chance = random();
      return {
        target: `/route/${'abcdefghijklmnopqrstuvwxyz'[route]}/${Math.floor(random() * 1000)}`,
        startNs,
        durationNs: Math.round(1e7 * (1 + route) * Math.exp(0.6 * mood)),
        status: chance < 0.02 ? 503 : chance < 0.025 ? null : chance < 0.06 ? 404 : 200,
        bytes: 200 + Math.floor(random() * 50) * 10,
      };
    });
}

function sideOf(
  grouping: Grouping,
  requests: readonly Simulated[],
  spanNs: number,
  limits: DiffLimits,
): DiffSide {
  const side = new DiffSide(grouping, totalNs, { epochSeconds: 0 }, limits);
  const connection = buildConnection();
  for (const { target, startNs, durationNs, status, bytes } of requests) {
    side.exchange(
      buildExchange({
        connection,
        request: buildRequest({ target, firstByteNs: startNs, lastByteNs: startNs }),
        response:
          status === null
            ? null
            : buildResponse({
                status,
                bodyBytes: bytes,
                firstByteNs: startNs + durationNs,
                lastByteNs: startNs + durationNs,
              }),
      }),
    );
  }
  side.captures = [buildCapture({ firstNs: 0, lastNs: spanNs })];
  return side;
}

interface Choices extends Partial<CompareOptions> {
  readonly by?: readonly string[];
  readonly spanNs?: readonly [number, number];
}

function compared(
  before: readonly Simulated[],
  after: readonly Simulated[],
  choices: Choices = {},
): Comparison {
  const { by = ['method', 'host', 'route'], spanNs = [60 * SECOND, 60 * SECOND], ...options } = choices;
  const limits = options.limits ?? DIFF_LIMITS;
  const fields = by.map((name) => {
    const field = findField(name);
    if (field === undefined) throw new Error(`no field ${name}`);
    return field;
  });
  const grouping = new Grouping(fields, limits);
  const first = sideOf(grouping, before, spanNs[0], limits);
  const second = sideOf(grouping, after, spanNs[1], limits);
  return compareSides(first, second, grouping.finish(), {
    percentiles: [50, 99],
    confidence: 0.99,
    threshold: 0.1,
    limits,
    ...options,
  });
}

/** Largest number of successes that so many trials with that chance give, but for one time in 10,000. */
function mostOf(trials: number, chance: number): number {
  let term = (1 - chance) ** trials;
  let sum = term;
  let k = 0;
  while (sum < 0.9999) {
    term *= ((trials - k) / (k + 1)) * (chance / (1 - chance));
    k += 1;
    sum += term;
  }
  return k;
}

const route = (comparison: Comparison, name: string) => {
  const found = comparison.groups.find((group) => group.name.includes(name));
  if (found === undefined) throw new Error(`no group ${name}`);
  return found;
};
const verdict = (comparison: Comparison, name: string, kind: string) =>
  route(comparison, name).findings.find((finding) => finding.kind === kind)?.verdict;

describe('comparing traffic with itself', () => {
  it('finds nothing', () => {
    const traffic = stationary(seededRandom(5), { routes: 10, requests: 3000 });
    const comparison = compared(traffic, traffic, { threshold: 0, confidence: 0.5 });
    expect(significantFindings(comparison)).toEqual([]);
    expect(comparison.groups.map(({ verdict: one }) => one)).not.toContain('small');
    expect(comparison.tests).toBeGreaterThan(50);
  });
});

describe('false alarms: two samples of the same stationary traffic', () => {
  const SIMULATIONS = 80;
  it.each([
    ['independent requests', { routes: 12, requests: 900 }, 11],
    ['few requests', { routes: 12, requests: 120 }, 12],
    ['slow spells: neighbours are slow together', { routes: 3, requests: 900, memory: 0.7 }, 13],
    ['bursts of arrivals', { routes: 3, requests: 900, burst: 15 }, 14],
  ])('%s: in no more than 5 %% of the comparisons is anything found at 95 %%', (_name, shape, seed) => {
    const random = seededRandom(seed);
    let alarms = 0;
    for (let simulation = 0; simulation < SIMULATIONS; simulation += 1) {
      const comparison = compared(stationary(random, shape), stationary(random, shape), {
        confidence: 0.95,
        threshold: 0,
      });
      if (significantFindings(comparison).length > 0) alarms += 1;
    }
    expect(alarms).toBeLessThanOrEqual(mostOf(SIMULATIONS, 0.05));
  });

  it('halves of one capture, at the 99 % that is the default', () => {
    const random = seededRandom(15);
    let alarms = 0;
    for (let simulation = 0; simulation < 60; simulation += 1) {
      const whole = stationary(random, { routes: 8, requests: 1600, memory: 0.3, seconds: 120 });
      const half = 60 * SECOND;
      const before = whole.filter(({ startNs }) => startNs < half);
      const after = whole
        .filter(({ startNs }) => startNs >= half)
        .map((one) => ({ ...one, startNs: one.startNs - half }));
      if (significantFindings(compared(before, after)).length > 0) alarms += 1;
    }
    expect(alarms).toBeLessThanOrEqual(mostOf(60, 0.01));
  });
});

describe('planted changes are found', () => {
  const shape = { routes: 5, requests: 4000 };
  const before = stationary(seededRandom(21), shape);
  const fresh = stationary(seededRandom(22), shape);
  const changed = (change: (one: Simulated, index: number) => Simulated): Comparison =>
    compared(before, fresh.map(change));
  const onA = (one: Simulated): boolean => one.target.startsWith('/route/a/');
  const kinds = (comparison: Comparison): string[] =>
    comparison.groups.flatMap(({ name, findings }) =>
      findings
        .filter((finding) => ['worse', 'better', 'different'].includes(finding.verdict))
        .map(
          ({ kind, status, verdict: one }) =>
            `${name[2]} ${kind}${status === null ? '' : ` ${status}`} ${one}`,
        ),
    );

  it('nothing without one', () => {
    expect(kinds(changed((one) => one))).toEqual([]);
  });

  it('30 % slower on one route: its p50, its p99 and the shift, nothing else', () => {
    const slower = changed((one) =>
      onA(one) ? { ...one, durationNs: Math.round(one.durationNs * 1.3) } : one,
    );
    expect(kinds(slower).filter((text) => text.startsWith('/route/a/{id}'))).toContain(
      '/route/a/{id} p50 worse',
    );
    expect(kinds(slower).filter((text) => text.startsWith('/route/a/{id}'))).toContain(
      '/route/a/{id} shift worse',
    );
    expect(kinds(slower).every((text) => text.startsWith('/route/a/{id}'))).toBe(true);
    const shift = route(slower, '/route/a/{id}').findings.find(({ kind }) => kind === 'shift');
    // Durations are lognormal with median 10 ms: a third of it.
    expect(shift?.after).toBeGreaterThan(2e6);
    expect(shift?.after).toBeLessThan(4e6);
    expect(shift?.intervals?.after.low).toBeLessThan(3e6);
    expect(shift?.intervals?.after.high).toBeGreaterThan(3e6);
    expect(slower.groups[0].name).toContain('/route/a/{id}');
  });

  it('as much faster is better, not worse', () => {
    const faster = changed((one) =>
      onA(one) ? { ...one, durationNs: Math.round(one.durationNs * 0.7) } : one,
    );
    expect(kinds(faster)).toContain('/route/a/{id} p50 better');
    expect(kinds(faster).filter((text) => text.endsWith('worse'))).toEqual([]);
  });

  it('a tail: 4 % of the requests take a second; p99, not p50', () => {
    let count = 0;
    const tail = changed((one) => {
      if (!onA(one)) return one;
      count += 1;
      return count % 25 === 0 ? { ...one, durationNs: 1e9 } : one;
    });
    expect(kinds(tail)).toContain('/route/a/{id} p99 worse');
    expect(verdict(tail, '/route/a/{id}', 'p50')).toBe('same');
    expect(route(tail, '/route/a/{id}').findings.find(({ kind }) => kind === 'p99')?.after).toBe(1e9);
  });

  it('errors: 5xx, no answer, and 4xx', () => {
    let count = 0;
    const every = (n: number): boolean => {
      count += 1;
      return count % n === 0;
    };
    expect(kinds(changed((one) => (onA(one) && every(10) ? { ...one, status: 500 } : one)))).toContain(
      '/route/a/{id} errors worse',
    );
    expect(kinds(changed((one) => (onA(one) && every(10) ? { ...one, status: null } : one)))).toContain(
      '/route/a/{id} errors worse',
    );
    expect(kinds(changed((one) => (onA(one) && every(10) ? { ...one, status: 401 } : one)))).toContain(
      '/route/a/{id} client-errors worse',
    );
    expect(
      kinds(changed((one) => (onA(one) && one.status === 200 && every(3) ? { ...one, status: 304 } : one))),
    ).toContain('/route/a/{id} status 304 different');
  });

  it('sizes and rates, which are neither better nor worse', () => {
    expect(kinds(changed((one) => (onA(one) ? { ...one, bytes: one.bytes + 200 } : one)))).toEqual([
      '/route/a/{id} size different',
    ]);
    const half = compared(
      before,
      fresh.filter((one, index) => !onA(one) || index % 2 === 0),
    );
    expect(kinds(half)).toEqual(['/route/a/{id} rate different']);
    const longer = compared(before, fresh, { spanNs: [60 * SECOND, 120 * SECOND] });
    expect(longer.all.findings.find(({ kind }) => kind === 'rate')?.change).toBeCloseTo(-0.5, 1);
  });

  it('new and gone routes', () => {
    const renamed = changed((one) =>
      onA(one) ? { ...one, target: one.target.replace('/route/a/', '/v2/a/') } : one,
    );
    expect(kinds(renamed)).toContain('/v2/a/{id} new different');
    expect(kinds(renamed)).toContain('/route/a/{id} gone different');
    const once = compared(before, [...fresh, { ...fresh[0], target: '/once' }]);
    expect(verdict(once, '/once', 'new')).toBe('too-few');
  });

  it('changes below the threshold are found, and said to be small', () => {
    const tenth = fresh.map((one) => ({ ...one, durationNs: Math.round(one.durationNs * 1.25) }));
    expect(verdict(compared(before, tenth, { threshold: 0.1 }), '/route/a/{id}', 'p50')).toBe('worse');
    expect(verdict(compared(before, tenth, { threshold: 0.6 }), '/route/a/{id}', 'p50')).toBe('small');
  });

  it('too few requests to tell, however large the difference', () => {
    const few = [1, 2, 3].map((n) => ({ ...before[0], target: '/few', status: 200, durationNs: n * 1e6 }));
    const slow = few.map((one) => ({ ...one, durationNs: one.durationNs * 1000 }));
    const comparison = compared([...before, ...few], [...fresh, ...slow]);
    for (const kind of ['p50', 'p99', 'shift']) expect(verdict(comparison, '/few', kind)).toBe('too-few');
    expect(route(comparison, '/few').verdict).toBe('too-few');
  });
});

describe('grouping', () => {
  it('learns routes from both sides together', () => {
    const one = stationary(seededRandom(31), { routes: 1, requests: 1 })[0];
    const words = (count: number, prefix: string): Simulated[] =>
      Array.from({ length: count }, (_, index) => ({
        ...one,
        target: `/products/${prefix}-${'abcdefghijklmnopqrstuvwxyz'[index % 26]}-${'xyzuvw'[Math.floor(index / 26)]}`,
      }));
    // Each side alone has no more names than would be kept apart.
    const comparison = compared(words(20, 'red'), words(20, 'blue'));
    expect(comparison.groups.map(({ name }) => name[2])).toEqual(['/products/{slug}']);
  });

  it('by any fields; what an exchange does not have is a group of its own', () => {
    const traffic = stationary(seededRandom(32), { routes: 2, requests: 500 });
    const names = compared(traffic, traffic, { by: ['status'] }).groups.map(({ name }) => name[0]);
    expect(names.sort()).toEqual(['200', '404', '503', null].sort());
  });

  it('beyond the limits of groups the rest is one, and nothing is lost', () => {
    const traffic = stationary(seededRandom(33), { routes: 9, requests: 500 });
    const total = (comparison: Comparison): number =>
      comparison.groups.reduce((sum, group) => sum + (group.before?.requests ?? 0), 0);
    const fewGroups = compared(traffic, traffic, { limits: { ...DIFF_LIMITS, groups: 4 } });
    expect(fewGroups.groups).toHaveLength(4);
    expect(fewGroups.groups.some(({ name }) => name[0] === '(other)')).toBe(true);
    expect(total(fewGroups)).toBe(traffic.length);
    const fewPlaces = compared(traffic, traffic, { limits: { ...DIFF_LIMITS, places: 3 } });
    expect(fewPlaces.crowdedOut[0]).toBeGreaterThan(0);
    expect(total(fewPlaces)).toBe(traffic.length);
  });

  it('answers without a request are counted, not compared', () => {
    const grouping = new Grouping([], DIFF_LIMITS);
    const side = new DiffSide(grouping, totalNs, { epochSeconds: 0 }, DIFF_LIMITS);
    side.exchange(buildExchange({ request: null, outcome: 'orphan-response' }));
    expect(side.orphans).toBe(1);
    expect(side.log.length).toBe(0);
  });
});

describe('when there are more requests than can be kept', () => {
  const traffic = stationary(seededRandom(41), { routes: 4, requests: 6000 });
  const rare = Array.from({ length: 12 }, (_, index) => ({ ...traffic[index * 400], target: '/rare' }));
  const all = [...traffic, ...rare].sort((a, b) => a.startNs - b.startNs);
  const limits = { ...DIFF_LIMITS, kept: 1000 };

  it('frequent groups are thinned out, rare ones are not, and all are counted', () => {
    const { groups, all: whole } = compared(all, all, { limits });
    const side = groups.find(({ name }) => name.includes('/rare'))?.before;
    expect(side?.stride).toBe(1);
    expect(side?.durationsNs.length).toBe(12);
    expect(whole.before?.requests).toBe(all.length);
    for (const { before } of groups) {
      if (before === null) continue;
      expect(Math.abs(before.durationsNs.length * before.stride - before.requests)).toBeLessThan(
        before.stride,
      );
    }
  });

  it('still finds nothing in itself, and a planted shift', () => {
    expect(significantFindings(compared(all, all, { limits, confidence: 0.5, threshold: 0 }))).toEqual([]);
    const slower = all.map((one) => ({ ...one, durationNs: one.durationNs * 2 }));
    expect(verdict(compared(all, slower, { limits }), '/route/a/{id}', 'p50')).toBe('worse');
    expect(
      compared(all, all, { limits }).all.findings.find(({ kind }) => kind === 'rate')?.before,
    ).toBeCloseTo(all.length / 60, 1);
  });
});

describe('time watched', () => {
  it('is the union of the captures: overlaps once, pauses not', () => {
    const watched = new WatchedTime([
      buildCapture({ firstNs: 0, lastNs: 10 }),
      buildCapture({ firstNs: 5, lastNs: 12 }),
      buildCapture({ firstNs: 100, lastNs: 120 }),
      buildCapture({ firstNs: null, lastNs: null }),
    ]);
    expect(watched.totalNs).toBe(32);
    expect([...watched.byWindow(10)]).toEqual([
      [0, 10],
      [1, 2],
      [10, 10],
      [11, 10],
    ]);
  });
});
