import { expect, it } from 'vitest';
import type { ExchangeStore } from '../../../src/store/exchange-store.ts';
import { batchOf, EPOCH_US, origin } from '../server-rows.ts';
import { at, LIST, number } from './questions-asked.ts';

/** What was stored stays, whole and once. `store` opens an empty one, which is closed after the test. */
export function keepingContract(store: () => Promise<ExchangeStore>): void {
  it('gives back what was put in, with who saw it', async () => {
    const one = await store();
    const odd = '/é😀\0\u{10ffff}\'"; DROP TABLE exchanges; --';
    const values = at(1, {
      target: odd,
      started_ns: 999,
      connection_id: 2 ** 53 - 1,
      host: '',
      total_ms: 0.123456789,
      status: null,
      client: '2001:db8::1',
      uid: '00000000ffffffff',
      anomalies: '["pipelined"]',
      request_headers: '[["via","a\\u0000b"]]',
    });
    const batch = batchOf([at(0), values, at(2, { uid: 'fedcba9876543210' })]);
    const who = { agent: 'agent é', node: 'n', pod: 'p', namespace: 's' };
    expect(await one.append(batch, who, null)).toEqual({
      stored: 3,
      joined: 0,
      repeatedRows: 0,
      repeated: false,
    });
    const { rows, next } = await one.list({ ...LIST, sort: 'id', descending: false });
    expect(next).toBeNull();
    expect(rows.map(({ id }) => id)).toEqual([1, 2, 3]);
    expect(rows[1]).toMatchObject({ ...values, ...who, started: '2023-11-14T22:13:21.000000Z' });
    expect(rows[0].uid).toBeNull();
    const few = await one.list({
      ...LIST,
      sort: 'id',
      descending: false,
      columns: ['target', 'status', 'nothing'],
      limit: 1,
    });
    expect(few.rows).toEqual([{ target: '/users/1', status: 200 }]);
    expect(rows[2].uid).toBe('fedcba9876543210');
    expect(rows[1].received_us).toBeGreaterThan(EPOCH_US);
  });

  it('gives back texts of every length, each in its row', async () => {
    const one = await store();
    const texts = Array.from({ length: 40 }, (_, length) => [
      '/'.repeat(length),
      `${'é'.repeat(length)}${length}`,
      `${length}${'😀'.repeat(length % 5)}`,
    ]).flat();
    const values = texts.map((target, index) =>
      at(index, { target, host: texts[texts.length - 1 - index], path: texts[index % 7] }),
    );
    await one.append(batchOf(values), origin('a'), null);
    const columns = ['target', 'host', 'path'];
    const { rows } = await one.list({ ...LIST, sort: 'id', descending: false, columns });
    expect(rows).toEqual(values.map(({ target, host, path }) => ({ target, host, path })));
  });

  it('stores a batch once, however often it comes', async () => {
    const one = await store();
    const batch = batchOf([at(0), at(1)]);
    const first = await Promise.all([
      one.append(batch, origin('a'), number('s', 1)),
      one.append(batch, origin('a'), number('s', 1)),
      one.append(batch, origin('a'), number('s', 4)),
      one.append(batch, origin('a'), number('t', 1)),
    ]);
    expect(first.map(({ stored, repeated }) => [stored, repeated])).toEqual([
      [2, false],
      [0, true],
      [2, false],
      [2, false],
    ]);
    expect(await one.append(batch, origin('b'), number('s', 4))).toEqual({
      stored: 0,
      joined: 0,
      repeatedRows: 0,
      repeated: true,
    });
    expect(await one.append(batch, origin('a'), number('s', 2 ** 53 - 1))).toMatchObject({ stored: 2 });
    expect(await one.stream('s')).toEqual({
      last: 2 ** 53 - 1,
      missing: [
        [2, 3],
        [5, 2 ** 53 - 2],
      ],
    });
    expect(await one.stream('unknown')).toEqual({ last: 0, missing: [] });
    expect(await one.facts()).toMatchObject({ exchanges: 8, observations: 8 });
  });

  it('finishes what it took before it closes, and takes nothing then', async () => {
    const one = await store();
    const taken = one.append(batchOf([at(0)]), origin('a'), null);
    const closed = one.close();
    expect(await taken).toMatchObject({ stored: 1 });
    await closed;
    await expect(one.append(batchOf([at(0)]), origin('a'), null)).rejects.toMatchObject({
      code: 'closing',
    });
    await expect(one.list(LIST)).rejects.toMatchObject({ code: 'closing' });
  });
}
