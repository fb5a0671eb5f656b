import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { parseFilter } from '../../src/filter/filter.ts';
import { UserError } from '../../src/model/errors.ts';
import type { BatchNumber } from '../../src/model/row-batch.ts';
import {
  type AgentReport,
  type ExchangeStore,
  type ListQuery,
  type RedQuery,
  type Selection,
  SORTS,
} from '../../src/store/exchange-store.ts';
import { batchOf, EPOCH_US, origin, type RowValues, row } from './server-rows.ts';

const ALL: Selection = { where: null, fromUs: null, toUs: null, address: null, agent: null, node: null };
const LIST: ListQuery = {
  ...ALL,
  sort: 'started',
  descending: true,
  limit: 2000,
  cursor: null,
  afterId: null,
};
const RED: RedQuery = { ...ALL, by: [], bucketSeconds: null, limit: 100 };
const number = (stream: string, value: number): BatchNumber => ({ stream, number: value });
const at = (seconds: number, values: RowValues = {}): RowValues =>
  row({ started_us: EPOCH_US + seconds * 1e6, ...values });

const REPORT: AgentReport = {
  agent: 'a',
  node: 'node-1',
  pod: null,
  namespace: 'wirelens',
  version: '1.2.3',
  startedUs: EPOCH_US,
  interfaces: ['eth0', 'lo'],
  packets: 2 ** 40,
  packetsDropped: 3,
  exchanges: 4,
  exchangesSent: 2,
  exchangesDropped: 1,
  backlogBatches: 5,
  backlogBytes: 6,
  rssBytes: 7,
  cpuSeconds: 1.5,
  problem: 'the server answered 503',
};

/** What every ExchangeStore promises. `open` gives an empty store, which the test closes. */
export function exchangeStoreContract(name: string, open: () => Promise<ExchangeStore>): void {
  describe(`${name} as the store of a server`, () => {
    let opened: ExchangeStore | null = null;
    const store = async (): Promise<ExchangeStore> => {
      opened = await open();
      return opened;
    };
    afterEach(async () => {
      await opened?.close();
      opened = null;
    });

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

    it('tells an exchange that two agents saw once, with both observations', async () => {
      const one = await store();
      const uid = '0123456789abcdef';
      const server = at(10, { uid, send_ms: 1, wait_ms: 5, started_ns: 500 });
      const client = at(10.001, { uid, send_ms: 1, wait_ms: 9, client: '10.9.9.9' });
      expect(await one.append(batchOf([server, at(11)]), origin('server', 'n1'), null)).toMatchObject({
        stored: 2,
        joined: 0,
      });
      expect(await one.append(batchOf([client]), origin('client', 'n2'), null)).toEqual({
        stored: 0,
        joined: 1,
        repeatedRows: 0,
        repeated: false,
      });
      expect(await one.facts()).toMatchObject({ exchanges: 2, observations: 3 });
      const detail = await one.get('1');
      expect(detail?.exchange).toMatchObject({ id: 1, agent: 'server', client: '10.0.0.1' });
      expect(detail?.observations.map(({ id, agent, client }) => [id, agent, client])).toEqual([
        [3, 'client', '10.9.9.9'],
        [1, 'server', '10.0.0.1'],
      ]);
      // The client waited 10 ms from 10.001 s on, the server 6 ms from 10.0000005 s on: middles at 10.006 and 10.0030005.
      expect(detail?.apart?.clientSideMs).toBeCloseTo(10, 9);
      expect(detail?.apart?.serverSideMs).toBeCloseTo(6, 9);
      expect(detail?.apart?.networkMs).toBeCloseTo(4, 9);
      expect(detail?.apart?.clockOffsetMs).toBeCloseTo(-2.9995, 9);
      expect((await one.get(uid))?.exchange.id).toBe(1);
      expect((await one.get('3'))?.exchange.id).toBe(1);
      expect((await one.get('2'))?.apart).toBeNull();
      for (const key of ['4', '0', 'fedcba9876543210', 'nonsense', '', "1'; --", '9'.repeat(40)])
        expect(await one.get(key)).toBeNull();
      expect((await one.list({ ...LIST, agent: 'client' })).rows.map(({ id }) => id)).toEqual([1]);
      expect((await one.red(RED))[0].requests).toBe(2);
    });

    it('tells the time apart only between different places', async () => {
      const one = await store();
      const place = { node: 'n1', pod: null, namespace: null };
      const seen = async (uid: string, who: object, waitMs: number): Promise<void> => {
        const origin = { agent: JSON.stringify(who), ...place, ...who };
        await one.append(batchOf([at(0, { uid, send_ms: 0.1, wait_ms: waitMs })]), origin, null);
      };
      const networkMs = async (uid: string): Promise<number | null> =>
        (await one.get(uid))?.apart?.networkMs ?? null;
      // Two agents on one node, outside of pods: 3 ms between them are not the network's.
      await seen('00000000000000a1', {}, 8);
      await seen('00000000000000a1', { agent: 'b' }, 5);
      expect(await networkMs('00000000000000a1')).toBeNull();
      // The other end, of which the widest counts; the pair of one place does not.
      await seen('00000000000000a1', { node: 'n2' }, 6);
      expect(await networkMs('00000000000000a1')).toBeCloseTo(2, 9);
      // Two pods of one node are two places, and so are nodes that nobody named.
      await seen('00000000000000a2', { pod: 'p' }, 8);
      await seen('00000000000000a2', { pod: 'q' }, 7);
      expect(await networkMs('00000000000000a2')).toBeCloseTo(1, 9);
      // The same packets twice, as when two upload one capture.
      await seen('00000000000000a3', { node: null, agent: 'x' }, 8);
      await seen('00000000000000a3', { node: null, agent: 'y' }, 8);
      expect(await networkMs('00000000000000a3')).toBeNull();
    });

    it('joins only what can be the same exchange', async () => {
      const one = await store();
      const uid = 'aaaaaaaabbbbbbbb';
      const others: readonly (readonly [string, RowValues, boolean])[] = [
        ['a', {}, false],
        ['b', {}, true],
        ['b', { started_us: EPOCH_US + 120e6, status: null, target: '/users/2' }, true],
        ['b', { route: null }, true],
        ['b', { started_us: EPOCH_US + 121e6 }, false],
        ['b', { started_us: EPOCH_US - 121e6 }, false],
        ['b', { method: 'POST' }, false],
        ['b', { route: '/x', target: '/x' }, false],
        ['b', { status: 404 }, false],
        ['b', { uid: null }, false],
        ['b', { uid }, false],
      ];
      for (const [index, [agent, values, joins]] of others.entries()) {
        const own = { uid: `${index}`.padStart(16, '0') };
        await one.append(batchOf([at(0, own)]), origin('a'), null);
        const { joined } = await one.append(batchOf([at(0, { ...own, ...values })]), origin(agent), null);
        expect(joined, `${agent} ${JSON.stringify(values)}`).toBe(joins ? 1 : 0);
      }
      // An agent that saw it already saw another one, under whatever number that comes again.
      const again = batchOf([at(0.001, { uid: '0'.repeat(15).concat('1') })]);
      expect(await one.append(again, origin('b'), null)).toMatchObject({ stored: 1, joined: 0 });
      expect(await one.append(again, origin('c'), null)).toMatchObject({ stored: 0, joined: 1 });
      // And inside of one commit, in either order of agents.
      const [left, right] = await Promise.all([
        one.append(batchOf([at(500, { uid }), at(500, { uid: '1'.repeat(16) })]), origin('x'), null),
        one.append(batchOf([at(500, { uid }), at(501, { uid: '1'.repeat(16) })]), origin('y'), null),
      ]);
      expect([left.stored + right.stored, left.joined + right.joined]).toEqual([2, 2]);
    });

    it('stores an observation once, whatever stream and options it comes again with', async () => {
      const one = await store();
      const [first, second] = [
        { uid: '00000000000000a1', started_ns: 7 },
        { uid: '00000000000000a2', target: '/b' },
      ];
      const begun = [at(0, first), at(1, second), at(0, first), at(2)];
      expect(await one.append(batchOf(begun), origin('a'), number('s', 1))).toEqual({
        stored: 3,
        joined: 0,
        repeatedRows: 1,
        repeated: false,
      });
      const others = { status: null, route: null, request_headers: '[["a","b"]]', wait_ms: null };
      // One that has no uid is not known again, and what comes between known ones is stored.
      const again = batchOf([at(0, { ...first, ...others }), at(3, { uid: '00000000000000a3' }), ...begun]);
      const twice = { stored: 2, joined: 0, repeatedRows: 4, repeated: false };
      expect(await one.append(again, origin('a'), number('t', 1))).toEqual(twice);
      expect(await one.append(again, origin('a'), number('t', 1))).toMatchObject({ repeated: true });
      const { rows } = await one.list({ ...LIST, sort: 'id', descending: false });
      expect(rows.map(({ started_us: us, uid }) => [us, uid])).toEqual([
        [EPOCH_US, first.uid],
        [EPOCH_US + 1e6, second.uid],
        [EPOCH_US + 2e6, null],
        [EPOCH_US + 3e6, '00000000000000a3'],
        [EPOCH_US + 2e6, null],
      ]);
      expect(rows[0].status).toBe(200);
      // Nothing is taken for the same that differs in what makes it one.
      for (const values of [{ started_ns: 8 }, { target: '/users/2' }, { method: 'PUT' }, { target: null }])
        expect(
          await one.append(batchOf([at(0, { ...first, ...values })]), origin('a'), null),
          JSON.stringify(values),
        ).toMatchObject({ stored: 1, repeatedRows: 0 });
      // Another agent's is a further observation, and only of that agent's it is the same.
      const third = batchOf([at(1, second)]);
      const seen = (agent: string, value: number) => one.append(third, origin(agent), number(agent, value));
      expect(await seen('b', 1)).toMatchObject({ stored: 0, joined: 1, repeatedRows: 0 });
      for (const agent of ['a', 'b'])
        expect(await seen(agent, 2)).toEqual({ stored: 0, joined: 0, repeatedRows: 1, repeated: false });
      expect(await one.stream('b')).toEqual({ last: 2, missing: [] });
      expect(await one.facts()).toMatchObject({ exchanges: 9, observations: 10 });
      // And inside of one commit.
      const [left, right] = await Promise.all([
        one.append(batchOf([at(9, { uid: 'f'.repeat(16) })]), origin('a'), number('u', 1)),
        one.append(batchOf([at(9, { uid: 'f'.repeat(16) })]), origin('a'), number('v', 1)),
      ]);
      expect([left.stored + right.stored, left.repeatedRows + right.repeatedRows]).toEqual([1, 1]);
    });

    it('counts what comes again as a list of all that came would', async () => {
      const one = await store();
      const arrivals = fc.array(
        fc.record({
          agent: fc.constantFrom('a', 'b'),
          rows: fc.array(fc.record({ uid: fc.nat(2), us: fc.nat(2), target: fc.constantFrom('/x', '/y') }), {
            minLength: 1,
            maxLength: 12,
          }),
        }),
        { minLength: 1, maxLength: 4 },
      );
      let run = 0;
      await fc.assert(
        fc.asyncProperty(arrivals, async (batches) => {
          run += 1;
          const came = new Set<string>();
          for (const { agent, rows } of batches) {
            const before = came.size;
            for (const { uid, us, target } of rows) came.add(JSON.stringify([agent, uid, us, target]));
            const values = rows.map(({ uid, us, target }) =>
              at(0, {
                uid: `${run}`.padStart(15, '0') + uid,
                started_us: EPOCH_US + us,
                target,
                route: target,
              }),
            );
            const answer = await one.append(batchOf(values), origin(agent), null);
            expect(answer.repeatedRows).toBe(rows.length - (came.size - before));
            expect(answer.stored + answer.joined).toBe(came.size - before);
          }
        }),
        { numRuns: 30 },
      );
    });

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

    it('keeps the last report of each agent', async () => {
      const one = await store();
      await one.append(batchOf([at(0), at(1)]), origin('a'), null);
      await one.report({ ...REPORT, packets: 1 }, EPOCH_US + 5);
      await one.report({ ...REPORT, agent: 'b', problem: null }, EPOCH_US + 6);
      await one.report(REPORT, EPOCH_US + 7);
      const place = { node: 'node-1', pod: null, namespace: 'wirelens' };
      const beforeUs = Date.now() * 1000;
      const other = { ...place, agent: 'b', report: { ...REPORT, agent: 'b', problem: null } };
      const all = await one.agents();
      expect(all).toEqual([
        {
          ...place,
          agent: 'a',
          report: REPORT,
          firstSeenUs: EPOCH_US + 5,
          // Its rows came after its reports.
          lastSeenUs: expect.any(Number),
          stored: 2,
        },
        { ...other, firstSeenUs: EPOCH_US + 6, lastSeenUs: EPOCH_US + 6, stored: 0 },
      ]);
      expect(Math.abs(all[0].lastSeenUs - beforeUs)).toBeLessThan(600e6);
    });

    it('lists agents that send rows and no reports', async () => {
      const one = await store();
      const job = { agent: 'job', node: 'n1', pod: 'p', namespace: 's' };
      await one.append(batchOf([at(0, { uid: '00000000000000aa' })]), job, null);
      await one.append(batchOf([at(0, { uid: '00000000000000aa' }), at(1)]), origin('lightobs'), null);
      await one.append(batchOf([at(1), at(2)]), { ...job, node: 'n2' }, number('s', 1));
      await one.append(batchOf([at(1), at(2)]), { ...job, node: 'n3' }, number('s', 1));
      await one.report({ ...REPORT, agent: 'b' }, EPOCH_US);
      const agents = await one.agents();
      expect(
        agents.map(({ agent, node, pod, report, stored }) => [agent, node, pod, report?.version, stored]),
      ).toEqual([
        ['b', 'node-1', null, '1.2.3', 0],
        ['job', 'n2', 'p', undefined, 3],
        ['lightobs', null, null, undefined, 2],
      ]);
      const { rows } = await one.list({ ...LIST, sort: 'id', descending: false });
      const [, own] = agents;
      expect(own.firstSeenUs).toBe(rows[0].received_us);
      expect(own.lastSeenUs).toBe(rows.at(-1)?.received_us);
    });

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
      expect(await news({ address: '10.0.0.7', afterId: 3, where: parseFilter('status >= 500') })).toEqual([
        6,
      ]);
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

    it('answers SQL, and nothing that it should not', async () => {
      const one = await store();
      await one.append(batchOf([at(0), at(1, { status: 500 }), at(2)]), origin('a'), null);
      const limits = { rows: 2, milliseconds: 5000 };
      const answer = await one.sql(
        'SELECT status, count(*) AS n FROM exchanges GROUP BY status ORDER BY n DESC',
        limits,
      );
      expect(answer).toMatchObject({
        columns: [
          { name: 'status', type: 'BIGINT' },
          { name: 'n', type: 'BIGINT' },
        ],
        rows: [
          [200, 2],
          [500, 1],
        ],
        truncated: false,
      });
      expect(await one.sql('SELECT id FROM exchanges ORDER BY id', limits)).toMatchObject({
        rows: [[1], [2]],
        truncated: true,
      });
      for (const text of ['DELETE FROM exchanges', 'SELECT 1; SELECT 2', 'SELEC', ''])
        await expect(one.sql(text, limits), text).rejects.toThrow(UserError);
      expect(await one.facts()).toMatchObject({ exchanges: 3 });
    });

    it('gives up what is no longer wanted', async () => {
      const one = await store();
      await one.append(batchOf([at(0)]), origin('a'), null);
      const reason = new Error('the client went away');
      await expect(one.list(LIST, AbortSignal.abort(reason))).rejects.toBe(reason);
      const controller = new AbortController();
      const waiting = one.red(RED, controller.signal);
      controller.abort(reason);
      await expect(waiting).rejects.toBe(reason);
      expect((await one.red(RED))[0].requests).toBe(1);
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
  });
}
