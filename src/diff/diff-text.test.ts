import { describe, expect, it } from 'vitest';
import { ANSI_STYLE, NO_STYLE } from '../report/style.ts';
import type { Comparison, GroupComparison } from './compare.ts';
import { diffJson } from './diff-json.ts';
import { type DiffTextOptions, diffText, nothingInCommon } from './diff-text.ts';
import type { Finding } from './finding.ts';
import { changeText, findingText, nameText, pText, shareText } from './finding-text.ts';
import type { GroupSide } from './group-side.ts';
import { ALL, OTHER } from './grouping.ts';

const FIELDS = ['method', 'host', 'route'];

function finding(parts: Partial<Finding>): Finding {
  return {
    kind: 'p99',
    status: null,
    before: 12_100_000,
    after: 48_300_000,
    change: 48.3 / 12.1 - 1,
    countBefore: 1203,
    countAfter: 1187,
    pValue: 1e-9,
    adjustedP: 2e-8,
    dispersion: 1,
    verdict: 'worse',
    intervals: null,
    ...parts,
  };
}

function side(requests: number, durationNs: number): GroupSide {
  return {
    requests,
    stride: 1,
    startsNs: new Float64Array(requests),
    durationsNs: new Float64Array(requests).fill(durationNs),
    responseBytes: new Float64Array(requests).fill(500),
    statuses: new Int16Array(requests).fill(200),
  };
}

function group(parts: Partial<GroupComparison>): GroupComparison {
  return {
    name: ['GET', 'api.test', '/users/{id}'],
    before: side(10, 12_100_000),
    after: side(20, 48_300_000),
    findings: [],
    verdict: 'same',
    ...parts,
  };
}

function comparison(parts: Partial<Comparison>): Comparison {
  return {
    all: group({ name: ALL }),
    groups: [group({})],
    tests: 7,
    watchedNs: [10e9, 10e9],
    orphans: [0, 0],
    crowdedOut: [0, 0],
    ...parts,
  };
}

const OPTIONS: DiffTextOptions = {
  files: [['a.pcap'], ['b.pcap']],
  fields: FIELDS,
  metric: 'total',
  percentiles: [50, 99],
  confidence: 0.99,
  threshold: 0.1,
  width: 120,
  style: NO_STYLE,
  limit: 20,
};

describe('findings in words', () => {
  it.each([
    [finding({}), 'p99 12.1 ms → 48.3 ms (+299 %), significant (p < 0.001, n = 1,203 / 1,187)'],
    [
      finding({ kind: 'errors', before: 0.005, after: 0.12, change: 23, adjustedP: 0.004 }),
      'errors 0.50 % → 12 % (×24), significant (p = 0.004, n = 1,203 / 1,187)',
    ],
    [
      finding({ kind: 'client-errors', before: 0, after: 0.5, change: Number.POSITIVE_INFINITY }),
      '4xx 0 % → 50 % (from none), significant (p < 0.001, n = 1,203 / 1,187)',
    ],
    [
      finding({ kind: 'size', before: 1000, after: 500, change: -0.5, verdict: 'different' }),
      'median response 1.00 kB → 500 B (−50 %), significant (p < 0.001, n = 1,203 / 1,187)',
    ],
    [
      finding({ kind: 'status', status: -1, before: 0.1, after: 0.2, change: 1 }),
      'no answer 10 % → 20 % (+100 %), significant (p < 0.001, n = 1,203 / 1,187)',
    ],
    [
      finding({ kind: 'new', before: 0, after: 2, change: Number.POSITIVE_INFINITY, countBefore: 0 }),
      'new, 2.00/s, significant (p < 0.001, n = 0 / 1,187)',
    ],
    [
      finding({ kind: 'gone', before: 2, after: 0, change: -1, countAfter: 0 }),
      'gone, was 2.00/s, significant (p < 0.001, n = 1,203 / 0)',
    ],
    [
      finding({
        kind: 'shift',
        before: 0,
        after: 3_000_000,
        change: 0.25,
        intervals: { before: { low: 0, high: 0 }, after: { low: 2_000_000, high: 4_000_000 } },
      }),
      'total of all requests +3.00 ms (+25 % of the median, +2.00 ms to +4.00 ms with 99 % confidence), significant (p < 0.001, n = 1,203 / 1,187)',
    ],
  ])('%#', (one, text) => {
    expect(findingText(one, 'total', 0.99)).toBe(text);
  });

  it('numbers', () => {
    expect([0.034, -0.1234, 2.987, 9, 99].map(changeText)).toEqual([
      '+3.4 %',
      '−12 %',
      '+299 %',
      '×10',
      '×100',
    ]);
    expect([0, 1, 0.00001, 0.0002, 0.015, 0.12, 0.9995].map(shareText)).toEqual([
      '0 %',
      '100 %',
      '<0.01 %',
      '0.02 %',
      '1.5 %',
      '12 %',
      '99.95 %',
    ]);
    expect(pText(0.0449)).toBe('p = 0.045');
  });

  it('names, whatever the traffic put into them', () => {
    expect(nameText(['GET', 'api.test', '/users/{id}'], FIELDS)).toBe('GET api.test/users/{id}');
    expect(nameText(['GET', null, '/x'], FIELDS)).toBe('GET –/x');
    expect(nameText(['503', null], ['status', 'outcome'])).toBe('status=503 –');
    expect(nameText(OTHER, ['host'])).toBe('(other)');
    expect(nameText(['(other)'], ['host'])).toBe('(other)');
    expect(nameText(['GET', 'a\u001b[31m\u202e', '/'], FIELDS)).toBe('GET a\\x1b[31m\\u{202e}/');
  });
});

describe('the report', () => {
  it('has the finding, the table and the verdict', () => {
    const worse = group({ findings: [finding({})], verdict: 'worse' });
    const text = diffText(
      comparison({ groups: [worse, group({ name: ['GET', 'api.test', '/b'] })] }),
      OPTIONS,
    );
    expect(text).toContain('before  a.pcap: 10 requests in 10.0 s\nafter   b.pcap: 20 requests in 10.0 s\n');
    expect(text).toContain('\nWorse\n  GET api.test/users/{id}: p99 12.1 ms → 48.3 ms (+299 %), significant');
    expect(text).toMatch(
      /GET api\.test\/users\/\{id\} +worse +10 → 20 +1\.00 → 2\.00 +0 % +12\.1 ms → 48\.3 ms/,
    );
    expect(text.trimEnd().split('\n').pop()).toBe(
      'Verdict: of 2 routes, 1 worse (99 % confidence over 7 tests, changes of 10 % and more)',
    );
    expect(text).not.toContain('4xx');
  });

  it('says when nothing differs, and how many groups could not be told', () => {
    const few = group({
      name: ['GET', 'api.test', '/b'],
      verdict: 'too-few',
      findings: [finding({ verdict: 'too-few' })],
    });
    const text = diffText(comparison({ groups: [group({}), few] }), OPTIONS);
    expect(text).toContain(
      'Verdict: nothing differs significantly in 2 routes; 1 with too few requests to tell',
    );
    expect(text).toContain('12.1 ms → 48.3 ms ?');
    expect(text).toContain('?  too few requests to tell');
    expect(text).not.toContain('Worse');
  });

  it('leaves out rates that only follow the whole traffic', () => {
    const rate = (change: number) =>
      finding({ kind: 'rate', before: 10, after: 10 * (1 + change), change, verdict: 'different' });
    const text = diffText(
      comparison({
        all: group({ name: ALL, findings: [rate(-0.5)] }),
        groups: [
          group({ name: ['GET', 'h', '/follows'], findings: [rate(-0.52)] }),
          group({ name: ['GET', 'h', '/alone'], findings: [rate(1)] }),
        ],
      }),
      OPTIONS,
    );
    const [, different] = text.split('\nDifferent\n');
    const lines = different
      .split('\n\n')[0]
      .split('\n')
      .map((line) => line.trim().split(':')[0]);
    expect(lines).toEqual(['(all requests)', 'GET h/alone']);
  });

  it('counts what is not shown or not compared, and marks samples', () => {
    const groups = Array.from({ length: 5 }, (_, index) => group({ name: ['GET', 'h', `/${index}`] }));
    const sampled = { ...side(10, 5e6), requests: 1000, stride: 4 };
    const text = diffText(
      comparison({
        all: group({ name: ALL, before: sampled }),
        groups,
        orphans: [3, 0],
        crowdedOut: [0, 8],
      }),
      { ...OPTIONS, limit: 2 },
    );
    expect(text).toContain('3 answers without a request, not compared');
    expect(text).toContain('8 requests in (other)');
    expect(text).toContain('and 3 more (--limit shows more)');
    expect(text).toContain('~5.00 ms');
  });

  it('colours only when asked to, and fits the width', () => {
    const worse = comparison({ groups: [group({ findings: [finding({})], verdict: 'worse' })] });
    expect(diffText(worse, OPTIONS)).not.toContain('\x1b');
    expect(diffText(worse, { ...OPTIONS, style: ANSI_STYLE })).toContain('\x1b[31mWorse');
    const table = diffText(comparison({ groups: [group({}), group({})] }), { ...OPTIONS, width: 80 }).split(
      '\n\n',
    )[1];
    for (const line of table.split('\n')) expect([...line].length).toBeLessThanOrEqual(80);
  });

  it('advises when the two sides have nothing in common', () => {
    const groups = [group({ after: null }), group({ before: null })];
    expect(nothingInCommon(comparison({ groups }), FIELDS)).toBe(
      'no method, host, route is on both sides; --by method,route compares whatever the host is',
    );
    expect(nothingInCommon(comparison({ groups: [...groups, group({})] }), FIELDS)).toBeNull();
  });
});

describe('JSON', () => {
  it('has units in its names, and nothing that JSON cannot hold', () => {
    const one = group({
      findings: [
        finding({ intervals: { before: { low: 11e6, high: 13e6 }, after: { low: 40e6, high: null } } }),
        finding({ kind: 'errors', before: 0, after: 0.5, change: Number.POSITIVE_INFINITY }),
      ],
      verdict: 'worse',
    });
    const json = JSON.parse(JSON.stringify(diffJson(comparison({ groups: [one] }), OPTIONS)));
    expect(json).toMatchObject({ worse: 1, better: 0, metric: 'total', confidence: 0.99, by: FIELDS });
    const [first] = json.groups;
    expect(first.group).toEqual({ method: 'GET', host: 'api.test', route: '/users/{id}' });
    expect(first.before).toMatchObject({
      requests: 10,
      per_second: 1,
      p99_ms: 12.1,
      median_response_bytes: 500,
    });
    expect(first.findings[0]).toMatchObject({
      before: 12.1,
      after: 48.3,
      after_interval: [40, null],
      p_adjusted: 2e-8,
    });
    expect(first.findings[1]).toMatchObject({ kind: 'errors', before: 0, after: 0.5, change: null });
  });
});
