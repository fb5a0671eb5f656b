import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { ExchangeStore } from '../../../src/store/exchange-store.ts';
import { batchOf, EPOCH_US, origin, type RowValues } from '../server-rows.ts';
import { at, LIST, number, RED } from './questions-asked.ts';

/** One exchange that several agents saw, or one agent twice. `store` opens an empty one, which is closed after the test. */
export function observationsContract(store: () => Promise<ExchangeStore>): void {
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
}
