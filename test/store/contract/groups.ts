import { expect, it } from 'vitest';
import type { ExchangeStore, RedQuery } from '../../../src/store/exchange-store.ts';
import { batchOf, EPOCH_US, origin } from '../server-rows.ts';
import { at, RED } from './questions-asked.ts';

/** Rate, errors and durations by group. `store` opens an empty one, which is closed after the test. */
export function groupsContract(store: () => Promise<ExchangeStore>): void {
  it('computes rate, errors and percentiles by nearest rank', async () => {
    const one = await store();
    const values = Array.from({ length: 137 }, (_, index) =>
      at(index / 10, {
        route: index % 3 === 0 ? '/a' : '/b',
        status: index % 10 === 0 ? 503 : index % 10 === 1 ? 404 : index % 10 === 2 ? null : 200,
        total_ms: index % 10 === 2 ? null : (index * 37) % 101,
      }),
    );
    const orphan = at(0, {
      method: null,
      route: null,
      target: null,
      path: null,
      outcome: 'orphan-response',
    });
    await one.append(batchOf([...values, orphan]), origin('a', 'n1'), null);
    const rows = await one.red({ ...RED, by: ['route'] });
    expect(rows.map(({ group }) => group)).toEqual([{ route: '/b' }, { route: '/a' }]);
    for (const red of rows) {
      const own = values.filter((value) => value.route === red.group.route);
      const totals = own
        .map((value) => value.total_ms as number | null)
        .filter((total) => total !== null)
        .sort((left, right) => left - right);
      const rank = (percent: number): number => totals[Math.ceil((percent * totals.length) / 100) - 1];
      const unanswered = own.filter((value) => value.status === null).length;
      const failed = own.filter((value) => value.status === 503).length;
      expect(red).toMatchObject({
        bucketUs: null,
        requests: own.length,
        clientErrors: own.filter((value) => value.status === 404).length,
        serverErrors: failed,
        unanswered,
        p50Ms: rank(50),
        p90Ms: rank(90),
        p99Ms: rank(99),
        maxMs: totals.at(-1),
      });
      expect(red.errorRatio).toBeCloseTo((failed + unanswered) / own.length, 12);
      // From the first to the last of all 137, 0.1 s apart.
      expect(red.requestsPerS).toBeCloseTo(own.length / 13.6, 9);
    }
    const limits = { rows: 10, milliseconds: 5000 };
    const view = await one.sql('SELECT round(sum(requests_per_s), 9) FROM red_by_route', limits);
    expect(view.rows).toEqual([[expect.closeTo(137 / 13.6, 8)]]);
    const [oneOnly] = await one.red({ ...RED, by: ['route'], limit: 1 });
    expect(oneOnly.requestsPerS).toBeCloseTo(oneOnly.requests / 13.6, 9);
    const [since] = await one.red({ ...RED, fromUs: EPOCH_US + 10e6 });
    expect([since.requests, since.requestsPerS]).toEqual([37, expect.closeTo(37 / 3.6, 9)]);
    const buckets = await one.red({ ...RED, bucketSeconds: 5, limit: 2 });
    expect(buckets.map(({ bucketUs, requests }) => [bucketUs, requests])).toEqual([
      [EPOCH_US, 50],
      [EPOCH_US + 5e6, 50],
    ]);
    expect(buckets[0].requestsPerS).toBe(10);
    const [asked] = await one.red({
      ...RED,
      fromUs: EPOCH_US,
      toUs: EPOCH_US + 2e6,
      by: ['server', 'node'],
    });
    expect(asked).toMatchObject({
      group: { server: '10.0.0.2:80', node: 'n1' },
      requests: 20,
      requestsPerS: 10,
    });
    expect(await one.red({ ...RED, fromUs: EPOCH_US + 1e9 })).toEqual([]);
  });

  it('counts an exchange for each node and agent that observed it', async () => {
    const one = await store();
    const uid = '0'.repeat(15);
    const both = at(0, { uid: `${uid}1`, route: '/both', status: 500 });
    await one.append(batchOf([both, at(4, { uid: `${uid}2` })]), origin('a', 'n1'), null);
    await one.append(batchOf([at(0, { ...both, total_ms: 99 })]), origin('b', 'n2'), null);
    await one.append(batchOf([both]), origin('c', 'n2'), null);
    await one.append(batchOf([both]), origin('d', null), null);
    expect(await one.facts()).toMatchObject({ exchanges: 2, observations: 5 });
    const counted = async (query: Partial<RedQuery>): Promise<unknown[]> =>
      (await one.red({ ...RED, ...query })).map(({ group, requests, serverErrors }) => [
        ...Object.values(group),
        requests,
        serverErrors,
      ]);
    expect(await counted({ by: ['node'] })).toEqual([
      ['n1', 2, 1],
      ['n2', 1, 1],
      [null, 1, 1],
    ]);
    expect(await counted({ by: ['agent'] })).toEqual([
      ['a', 2, 1],
      ['b', 1, 1],
      ['c', 1, 1],
      ['d', 1, 1],
    ]);
    expect(await counted({ by: ['route', 'node'], node: 'n2' })).toEqual([
      ['/both', 'n1', 1, 1],
      ['/both', 'n2', 1, 1],
      ['/both', null, 1, 1],
    ]);
    expect(await counted({ by: ['node'], fromUs: EPOCH_US + 1e6 })).toEqual([['n1', 1, 0]]);
    expect(await counted({})).toEqual([[2, 1]]);
  });
}
