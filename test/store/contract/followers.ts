import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseFilter } from '../../../src/filter/filter.ts';
import type { ExchangeStore, ListQuery } from '../../../src/store/exchange-store.ts';
import { batchOf, EPOCH_US, origin } from '../server-rows.ts';
import { at, LIST, number } from './questions-asked.ts';

/** What is new since: commits, and exchanges that begin to match. `store` opens an empty one, which is closed after the test. */
export function followersContract(store: () => Promise<ExchangeStore>): void {
  it('tells of commits, and gives what is new since', async () => {
    const one = await store();
    const told: number[] = [];
    const stop = one.onCommit((afterId) => told.push(afterId));
    await one.append(batchOf([at(0)]), origin('a'), number('s', 1));
    await one.append(batchOf([at(1), at(2)]), origin('a'), number('s', 2));
    await one.append(batchOf([at(1), at(2)]), origin('a'), number('s', 2));
    await one.facts();
    stop();
    await one.append(batchOf([at(3)]), origin('a'), null);
    await one.facts();
    expect(told).toEqual([0, 1]);
    const page = await one.list({ ...LIST, sort: 'id', descending: false, afterId: 1, limit: 2 });
    expect(page.rows.map(({ id }) => id)).toEqual([2, 3]);
    expect([page.arrivals, page.lastId]).toEqual([[2, 3], 3]);
  });

  it('tells of a commit that brought further observations only', async () => {
    const one = await store();
    await one.append(batchOf([at(0, { uid: '00000000000000aa' })]), origin('a'), null);
    const told: number[] = [];
    one.onCommit((afterId) => told.push(afterId));
    await one.append(batchOf([at(0, { uid: '00000000000000aa' })]), origin('b'), null);
    await one.facts();
    expect(told).toEqual([1]);
  });

  it('gives followers an exchange when the observation comes that has what they ask for, and once', async () => {
    const one = await store();
    const uid = '00000001000000aa';
    // Two vantage points: the first sees translated addresses, the second the client's own.
    await one.append(batchOf([at(0, { uid, client: '10.9.0.254' }), at(1)]), origin('a', 'n1'), null);
    await one.append(batchOf([at(2), at(0, { uid, client: '10.0.0.7' }), at(3)]), origin('b', 'n2'), null);
    await one.append(batchOf([at(0, { uid, client: '10.0.0.7' })]), origin('c', 'n3'), null);
    const news = async (query: Partial<ListQuery>): Promise<unknown[]> => {
      const page = await one.list({ ...LIST, sort: 'id', descending: false, ...query });
      return [...page.rows.map(({ id }, index) => [id, page.arrivals[index]]), page.lastId];
    };
    // Rows 1 and 2, then 3, 4 (of 1) and 5, then 6 (of 1).
    expect(await news({ address: '10.0.0.7', afterId: 0 })).toEqual([[1, 4], 6]);
    expect(await news({ address: '10.0.0.7', afterId: 3 })).toEqual([[1, 4], 6]);
    expect(await news({ address: '10.0.0.7', afterId: 4 })).toEqual([6]);
    expect(await news({ address: '10.9.0.254', afterId: 0 })).toEqual([[1, 1], 6]);
    expect(await news({ address: '10.9.0.254', afterId: 1 })).toEqual([6]);
    expect(await news({ node: 'n2', afterId: 2 })).toEqual([[3, 3], [1, 4], [5, 5], 6]);
    expect(await news({ node: 'n2', afterId: 2, limit: 2 })).toEqual([[3, 3], [1, 4], 4]);
    expect(await news({ agent: 'c', afterId: 2 })).toEqual([[1, 6], 6]);
    // Each condition may be fulfilled by another observation: it arrives with the last of them.
    expect(await news({ agent: 'a', node: 'n3', address: '10.0.0.7', afterId: 4 })).toEqual([[1, 6], 6]);
    expect(await news({ agent: 'a', node: 'n3', address: '10.0.0.8', afterId: 0 })).toEqual([6]);
    expect(await news({ afterId: 3 })).toEqual([[5, 5], 6]);
    expect(await news({ address: '10.0.0.7', afterId: 3, where: parseFilter('status >= 500') })).toEqual([6]);
    expect(await news({ address: '10.0.0.7', afterId: 3, fromUs: EPOCH_US + 1 })).toEqual([6]);
    const byTime = await one.list({ ...LIST, node: 'n2', afterId: 3 });
    expect(byTime.rows.map(({ id }) => id)).toEqual([5, 1]);
  });

  it('gives a follower each exchange once, wherever it breaks off', async () => {
    const one = await store();
    // [agent, uid of the exchange, it has the address] in the order in which rows come, two in a batch.
    const row = fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.integer({ min: 0, max: 5 }), fc.boolean());
    let run = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(row, { maxLength: 14 }),
        fc.infiniteStream(fc.integer({ min: 1, max: 3 })),
        async (rows, limits) => {
          run += 1;
          const address = `10.${run >> 8}.${run & 255}.1`;
          const begin = (await one.list({ ...LIST, limit: 1 })).lastId;
          const ask: Partial<ListQuery> = { sort: 'id', descending: false, address };
          const sent: unknown[] = [];
          let afterId = begin;
          for (let from = 0; from < rows.length; from += 2) {
            const [agent] = rows[from];
            const values = rows.slice(from, from + 2).map(([, exchange, has]) =>
              // Another uid in each run: what is stored from the runs before must not join.
              at(run, {
                uid: `${run.toString(16).padStart(8, '0')}0000000${exchange}`,
                client: has ? address : '10.255.0.1',
              }),
            );
            await one.append(batchOf(values), origin(agent), null);
            const { value: limit } = limits.next();
            const page = await one.list({ ...LIST, ...ask, afterId, limit });
            sent.push(...page.rows.map(({ id }) => id));
            afterId = page.lastId;
          }
          for (let more = true; more; ) {
            const page = await one.list({ ...LIST, ...ask, afterId, limit: 2 });
            sent.push(...page.rows.map(({ id }) => id));
            afterId = page.lastId;
            more = page.next !== null;
          }
          const { rows: all } = await one.list({ ...LIST, sort: 'id', address });
          const ids = all.map(({ id }) => Number(id));
          expect(sent.map(Number).sort((left, right) => left - right)).toEqual(ids.reverse());
        },
      ),
      { numRuns: 15 },
    );
  });
}
