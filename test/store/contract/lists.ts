import { expect, it } from 'vitest';
import { parseFilter } from '../../../src/filter/filter.ts';
import { UserError } from '../../../src/model/errors.ts';
import { type ExchangeStore, type ListQuery, SORTS } from '../../../src/store/exchange-store.ts';
import { batchOf, EPOCH_US, origin } from '../server-rows.ts';
import { ALL, at, LIST } from './questions-asked.ts';

/** Pages of exchanges: order, selection, cursors. `store` opens an empty one, which is closed after the test. */
export function listsContract(store: () => Promise<ExchangeStore>): void {
  it('pages through every order without missing or repeating a row, while rows come in', async () => {
    const one = await store();
    const values = Array.from({ length: 57 }, (_, index) =>
      at(index % 7, {
        total_ms: index % 5 === 0 ? null : (index * 7) % 11,
        wait_ms: index % 3,
        status: index % 4 === 0 ? null : 200 + (index % 3),
        request_body_bytes: index % 6,
        response_body_bytes: index % 9,
      }),
    );
    await one.append(batchOf(values), origin('a'), null);
    for (const sort of SORTS) {
      for (const descending of [false, true]) {
        const whole = (await one.list({ ...LIST, sort, descending })).rows.filter(
          ({ agent }) => agent === 'a',
        );
        expect(whole.length).toBe(57);
        const ids: unknown[] = [];
        let cursor: string | null = null;
        do {
          const page: Awaited<ReturnType<ExchangeStore['list']>> = await one.list({
            ...LIST,
            sort,
            descending,
            cursor,
            limit: 10,
          });
          ids.push(...page.rows.filter(({ agent }) => agent === 'a').map(({ id }) => id));
          cursor = page.next;
          await one.append(batchOf([at(3, { total_ms: 5 })]), origin('later'), null);
        } while (cursor !== null);
        expect(ids, `${sort} ${descending}`).toEqual(whole.map(({ id }) => id));
      }
    }
    const byTotal = (await one.list({ ...LIST, sort: 'total', descending: true, agent: 'a' })).rows;
    const expected = values.map(({ total_ms: total }) => total as number | null);
    const sorted = expected.filter((total) => total !== null).sort((left, right) => right - left);
    expect(byTotal.map(({ total_ms: total }) => total)).toEqual([
      ...sorted,
      ...expected.filter((total) => total === null),
    ]);
  });

  it('refuses a cursor that is none, or of another order', async () => {
    const one = await store();
    await one.append(batchOf([at(0), at(1)]), origin('a'), null);
    const { next } = await one.list({ ...LIST, limit: 1 });
    for (const [cursor, sort] of [
      ['', 'started'],
      ['%', 'started'],
      ['WzFd', 'started'],
      [Buffer.from('[0,1,"x",1]').toString('base64url'), 'started'],
      ['A'.repeat(5000), 'started'],
      [next as string, 'total'],
    ] as const) {
      const answer = one.list({ ...LIST, cursor, sort });
      await expect(answer).rejects.toThrow(UserError);
      await expect(answer).rejects.toMatchObject({ code: 'cursor' });
    }
  });

  it('selects by time, address, agent, node and filter', async () => {
    const one = await store();
    await one.append(
      batchOf([
        at(0, { client: '10.0.0.7' }),
        at(1, { server: '::ffff:10.0.0.7', status: 500 }),
        at(2, { client: '2001:db8::7', anomalies: '["pipelined","trailers"]' }),
        at(3, { client: '10.0.0.70' }),
      ]),
      origin('a', 'node-1'),
      null,
    );
    await one.append(batchOf([at(4)]), origin('b', 'node-2'), null);
    const ids = async (selection: Partial<ListQuery>): Promise<unknown[]> =>
      (await one.list({ ...LIST, sort: 'id', descending: false, ...selection })).rows.map(({ id }) => id);
    const filtered = (text: string): Promise<unknown[]> => ids({ where: parseFilter(text) });
    expect(await ids({ address: '10.0.0.7' })).toEqual([1, 2]);
    expect(await ids({ address: '::ffff:10.0.0.7' })).toEqual([1, 2]);
    expect(await ids({ address: '2001:DB8:0::7' })).toEqual([3]);
    expect(await ids({ fromUs: EPOCH_US + 1e6, toUs: EPOCH_US + 3e6 })).toEqual([2, 3]);
    expect(await ids({ sort: 'started', fromUs: EPOCH_US + 1e6, toUs: EPOCH_US + 3e6 })).toEqual([2, 3]);
    expect(await ids({ agent: 'b' })).toEqual([5]);
    expect(await ids({ node: 'node-1', afterId: 2 })).toEqual([3, 4]);
    expect(await filtered('status >= 500')).toEqual([2]);
    expect(await filtered('anomaly == "trailers"')).toEqual([3]);
    expect(await filtered('!(client in 10.0.0.0/8)')).toEqual([3]);
    expect(await filtered('time >= 2023-11-14T22:13:23Z')).toEqual([4, 5]);
    await expect(ids({ address: 'nonsense' })).rejects.toMatchObject({ code: 'address' });
    await expect(filtered('time > +1s')).rejects.toMatchObject({ code: 'filter' });
  });

  it('finds an exchange by every address that an observation of it has', async () => {
    const one = await store();
    const uid = '00000001000000aa';
    const own = { uid, client: '10.0.0.7', server: '10.96.0.10' };
    await one.append(batchOf([at(0, own), at(1)]), origin('a', 'node-1'), null);
    // The address of a Service has become that of a pod, and the client's that of its node; its clock is ahead.
    const behind = { uid, client: '10.9.0.254', server: '10.244.0.9' };
    expect(await one.append(batchOf([at(5, behind)]), origin('b', 'node-2'), null)).toMatchObject({
      joined: 1,
    });
    for (const address of ['10.0.0.7', '10.96.0.10', '10.9.0.254', '10.244.0.9']) {
      for (const sort of ['started', 'id', 'total'] as const) {
        const { rows } = await one.list({ ...LIST, sort, address });
        expect(
          rows.map(({ id }) => id),
          `${address} by ${sort}`,
        ).toEqual([1]);
      }
      const [all] = await one.red({ ...ALL, address, by: [], bucketSeconds: null, limit: 10 });
      expect(all.requests, address).toBe(1);
    }
  });
}
