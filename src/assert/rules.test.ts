import { describe, expect, it } from 'vitest';
import {
  buildCapture,
  buildExchange,
  buildRequest,
  buildResponse,
  buildRun,
} from '../../test/build-exchange.ts';
import type { Exchange } from '../model/exchange.ts';
import { AssertSink, watchedSeconds } from './assert-sink.ts';
import { ASSERT_LIMITS, type AssertLimits } from './limits.ts';
import type { RuleResult } from './result.ts';
import { parseRules } from './rules-file.ts';

let nextId = 1;

/** One exchange: `GET /path 200 12`, the last in ms; `-` for no answer. */
function exchange(line: string): Exchange {
  const [method, target, status, ms] = line.split(' ');
  const startNs = 5_000_000;
  const endNs = startNs + Math.round(Number(ms) * 1e6);
  const id = nextId;
  nextId += 1;
  const answered = status !== '-';
  return buildExchange({
    id,
    request: buildRequest({ method, target, firstByteNs: startNs, lastByteNs: startNs }),
    response: answered
      ? buildResponse({ status: Number(status), firstByteNs: endNs, lastByteNs: endNs })
      : null,
    outcome: answered ? 'complete' : 'no-response',
    ending: answered ? null : 'capture-ended',
  });
}

async function check(
  rules: string,
  lines: readonly string[],
  limits: Partial<AssertLimits> = {},
): Promise<readonly RuleResult[]> {
  nextId = 1;
  const all = { ...ASSERT_LIMITS, ...limits };
  const sink = new AssertSink(
    parseRules(`version: 1\nrules:\n${rules}`, 'rules.yaml', all),
    { epochSeconds: 0 },
    all,
  );
  for (const line of lines) sink.exchange(exchange(line));
  // Captures of 2 seconds.
  await sink.finish(buildRun({ captures: [buildCapture()] }));
  return sink.results;
}

const TRAFFIC = ['GET /a 200 10', 'GET /a 200 20', 'GET /b 200 30', 'POST /checkout 503 40', 'GET /c - 0'];

describe('rules of every kind, both ways', () => {
  it.each([
    ['none: status >= 500', 'failed', [4]],
    ['none: status >= 600', 'passed', []],
    ['{where: method == "GET", none: status >= 500}', 'passed', []],
    ['all: status == 200', 'failed', [4, 5]],
    ['{where: path == "/a", all: status == 200}', 'passed', []],
    ['none: outcome == no-response', 'failed', [5]],
    ['expect: count == 5', 'passed', []],
    ['expect: count < 5', 'failed', []],
    ['expect: error_share <= 40%', 'passed', []],
    ['expect: error_share < 40%', 'failed', []],
    // Of 10, 20, 30 and 40 ms by nearest rank.
    ['expect: p50(total) == 20ms && p99(total) == 40ms', 'passed', []],
    ['expect: p50(total) < 20ms', 'failed', []],
    [
      'expect: mean(total) == 25ms && min(total) == 10ms && max(total) == 40ms && sum(total) == 100ms',
      'passed',
      [],
    ],
    ['expect: mean(total) != 25ms', 'failed', []],
    ['expect: rate == 2.5/s && rate(method == "POST") == 30/min', 'passed', []],
    ['expect: rate > 2.5/s', 'failed', []],
    ['expect: share(method == "POST") == 20% && count(method == "POST") == 1', 'passed', []],
    ['expect: share(method == "POST") > 20%', 'failed', []],
    ['{where: status == 503, expect: p99(wait) < 50ms}', 'passed', []],
  ] as const)('%s: %s', async (rule, status, offenders) => {
    const [result] = await check(`  - ${rule}`, TRAFFIC);
    expect(result.status).toBe(status);
    expect(result.offenders.map(({ id }) => id)).toEqual(offenders);
  });

  it('tells which exchanges broke it, the first ones, and counts the others', async () => {
    const [result] = await check(
      '  - none: status == 200',
      Array.from({ length: 9 }, () => 'GET /x?q=1 200 12'),
    );
    expect(result.offenders.map(({ id }) => id)).toEqual([1, 2, 3, 4, 5]);
    expect(result.offenders[0].text).toBe('GET example.org/x?q=1 → 200 in 12.0 ms');
    expect(result.offending).toBe(9);
    expect(result.summary).toBe('9 of 9 exchanges match status == 200, none should');
  });

  it('tells what was measured, and against what', async () => {
    const [result] = await check('  - expect: p99(total) < 30ms && count == 5', TRAFFIC);
    expect(result.summary).toBe('p99(total) is 40 ms, expected p99(total) < 30ms');
    expect(result.measured.map(({ text, value }) => [text, value])).toEqual([
      ['p99(total)', 40e6],
      ['count', 5],
    ]);
  });

  it('a bound on what nobody measured is not kept', async () => {
    const [result] = await check('  - {where: outcome == no-response, expect: p99(total) < 1h}', TRAFFIC);
    expect(result.status).toBe('failed');
    expect(result.summary).toContain('p99(total) is unknown');
  });
});

describe('rules that select nothing', () => {
  it.each([
    ['{where: path == "/admin", none: status == 200}', 'failed'],
    ['{where: path == "/admin", none: status == 200, allow_empty: true}', 'passed'],
    ['{where: path == "/admin", none: status == 200, min_count: 0}', 'passed'],
    ['{where: path == "/admin", expect: p99(total) < 1s}', 'failed'],
    ['{where: path == "/admin", expect: count < 5}', 'passed'],
    ['{where: path == "/admin", expect: count < 5, allow_empty: false}', 'failed'],
    ['{where: path == "/admin", expect: count > 0}', 'failed'],
    ['{where: path == "/admin", by: host, expect: count < 5}', 'failed'],
    ['{where: path == "/a", none: status == 500, min_count: 3}', 'failed'],
    ['{where: path == "/a", none: status == 500, min_count: 2}', 'passed'],
  ])('%s: %s', async (rule, status) => {
    const [result] = await check(`  - ${rule}`, TRAFFIC);
    expect(result.status).toBe(status);
  });

  it('say so', async () => {
    const [missing, few] = await check(
      '  - {where: path == "/admin", none: status == 200}\n  - {name: b, where: path == "/a", none: error, min_count: 3}',
      TRAFFIC,
    );
    expect(missing.summary).toContain('matched nothing');
    expect(few.summary).toBe('only 2 exchanges, min_count is 3');
  });

  it('an empty input fails every rule that does not allow it', async () => {
    const results = await check('  - none: error\n  - {name: b, expect: count == 0}', []);
    expect(results.map(({ status }) => status)).toEqual(['failed', 'passed']);
  });
});

describe('groups', () => {
  const traffic = [
    ...Array.from({ length: 6 }, (_, index) => `GET /users/${index} 200 10`),
    ...Array.from({ length: 4 }, (_, index) => `GET /orders/${index} 200 ${index === 3 ? 500 : 10}`),
    'GET /rare 500 9000',
  ];

  it('are judged each by itself; the failed ones are named', async () => {
    const [result] = await check('  - {by: route, expect: max(total) < 100ms, min_group: 2}', traffic);
    expect(result.status).toBe('failed');
    expect([result.groupsJudged, result.groupsFailed, result.groupsSkipped]).toEqual([2, 1, 1]);
    expect(result.groups[0].name).toEqual(['/orders/{id}']);
    expect(result.groups[0].passed).toBe(false);
    expect(result.groups[0].measured[0].value).toBe(500e6);
  });

  it('pass when all of them do, and fail when none is large enough to be judged', async () => {
    const [fine, none] = await check(
      '  - {by: [method, route], expect: max(total) <= 500ms, min_group: 2}\n  - {name: b, by: route, expect: max(total) < 1h, min_group: 100}',
      traffic,
    );
    expect(fine.status).toBe('passed');
    expect(none.status).toBe('failed');
    expect(none.summary).toContain('no group has 100 exchanges');
  });

  it('use routes learned from all exchanges, whatever where selects', async () => {
    const names = Array.from({ length: 60 }, (_, index) => {
      const letters = 'abcdefghij';
      return `${letters[index % 10]}${letters[Math.floor(index / 10)]}-shoe`;
    });
    const shop = names.map((name, index) => `GET /products/${name} ${index < 3 ? 500 : 200} 10`);
    const [result] = await check('  - {where: status == 500, by: route, expect: count == 3}', shop);
    expect(result.groups.map(({ name }) => name)).toEqual([['/products/{slug}']]);
    expect(result.status).toBe('passed');
  });

  it('more than can be held fail the rule instead of being left out', async () => {
    const [groups, values] = await check(
      '  - {by: target, expect: max(total) < 1h}\n  - {name: b, expect: p99(total) < 1h}',
      traffic,
      { groups: 3, values: 8 },
    );
    expect(groups.status).toBe('failed');
    expect(groups.summary).toContain('more than 3 groups');
    expect(values.status).toBe('failed');
    expect(values.summary).toContain('3 too many');
  });
});

describe('time watched', () => {
  it('is what the captures cover, once', () => {
    expect(
      watchedSeconds([
        buildCapture({ firstNs: 0, lastNs: 3e9 }),
        buildCapture({ firstNs: 2e9, lastNs: 4e9 }),
        buildCapture({ firstNs: 10e9, lastNs: 11e9 }),
      ]),
    ).toBe(5);
    expect(watchedSeconds([buildCapture({ firstNs: null, lastNs: null })])).toBeNull();
  });
});
