import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { buildConnection, buildExchange, buildRequest, buildResponse } from '../../test/build-exchange.ts';
import { expression } from '../../test/filter/arbitrary-expression.ts';
import { selectedIds, storedInMemory } from '../../test/filter/stored-in-memory.ts';
import { run as arbitraryRun } from '../../test/store/arbitrary-run.ts';
import type { Exchange } from '../model/exchange.ts';
import { FIELDS } from './fields.ts';
import { type Filter, parseFilter } from './filter.ts';
import { FILTER_LIMITS } from './limits.ts';

/* The two back ends: whatever the expression and the exchanges are, both select the same ones. */

const clock = { epochSeconds: 1_700_000_000 };
const connection = buildConnection();

/** Addresses, statuses and times that expressions ask for; the rest stays as arbitrary as it is. */
const nearby = fc.array(
  fc.record({
    status: fc.constantFrom(200, 204, 404, 500, 503, 599, 600, null),
    spanNs: fc.constantFrom(0, 1, 999, 1_000_000, 250_000, 1_500_000_000, 60_000_000_000),
    beganNs: fc.constantFrom(-1, 0, 1, 999, 1000, 999_999_999, 1_000_000_000, 1_500_000_000, 60_000_000_000),
    vlans: fc.constantFrom([], [100], [4095, 3]),
    address: fc.constantFrom('10.0.0.1', '::ffff:10.0.0.1', '2001:db8::1', 'fe80::1', '::1', '192.168.1.1'),
    mediaType: fc.constantFrom(null, 'application/json', 'a'),
  }),
  { minLength: 80, maxLength: 80 },
);

interface Near {
  readonly status: number | null;
  readonly spanNs: number;
  readonly beganNs: number;
  readonly mediaType: string | null;
}

function close(exchange: Exchange, { status, spanNs, beganNs, mediaType }: Near): Exchange {
  const { request, response } = exchange;
  return {
    ...exchange,
    request: request && {
      ...request,
      firstByteNs: beganNs,
      lastByteNs: beganNs + spanNs,
      bodyBytes: request.bodyBytes % 7,
    },
    response: response && {
      ...response,
      status,
      mediaType,
      firstByteNs: request === null ? beganNs : beganNs + 2 * spanNs,
      lastByteNs: beganNs + 3 * spanNs,
    },
  };
}

const run = fc
  .tuple(arbitraryRun, nearby, fc.boolean())
  .map(([{ connections, exchanges }, near, isClose]) => {
    if (!isClose) return { connections, exchanges };
    const moved = new Map(
      connections.map((one, index) => [
        one,
        {
          ...one,
          vlans: near[index].vlans,
          client: { address: near[index].address, port: index, text: `[${near[index].address}]:${index}` },
        },
      ]),
    );
    return {
      connections: [...moved.values()],
      exchanges: exchanges.map((one, index) => {
        const connection = moved.get(one.connection) ?? one.connection;
        const isReversed = one.client === one.connection.server;
        const [client, server] = isReversed
          ? [connection.server, connection.client]
          : [connection.client, connection.server];
        return close({ ...one, connection, client, server }, near[index % near.length]);
      }),
    };
  });

const idsBy = (filter: Filter, exchanges: readonly Exchange[]): number[] =>
  exchanges.filter((one) => filter.matches(one, clock)).map(({ id }) => id);

describe('the predicate and the SQL of a filter', () => {
  it('select the same exchanges', async () => {
    let some = 0;
    await fc.assert(
      fc.asyncProperty(
        run,
        fc.array(expression, { minLength: 30, maxLength: 30 }),
        async ({ connections, exchanges }, texts) => {
          const database = await storedInMemory(connections, exchanges, clock);
          try {
            for (const text of texts) {
              const filter = parseFilter(text);
              const wanted = idsBy(filter, exchanges);
              const { text: sql, parameters } = filter.sql();
              expect(
                selectedIds(database, sql, parameters),
                `${text}\n${sql}\n${parameters.join(', ')}`,
              ).toEqual(wanted);
              if (wanted.length > 0 && wanted.length < exchanges.length) some += 1;
            }
          } finally {
            database.close();
          }
        },
      ),
      // Shrinking would store a database for every step; the message names expression, SQL and parameters.
      { numRuns: 60, endOnFailure: true },
    );
    // Conditions that select all or nothing would prove little.
    expect(some).toBeGreaterThan(60);
  });

  it('draw the line between two nanoseconds at the same place', async () => {
    const times = [-1, 0, 1, 999, 1_000, 1_000_000_000, 1_500_000_000];
    const exchanges = times.map((firstByteNs, index) => {
      const request = buildRequest({ firstByteNs, lastByteNs: firstByteNs });
      const response = buildResponse({ firstByteNs: firstByteNs + index, lastByteNs: firstByteNs + index });
      return buildExchange({ id: index, request, response, connection });
    });
    const database = await storedInMemory([connection], exchanges, clock);
    const expected: readonly (readonly [string, readonly number[]])[] = [
      ['time >= 2023-11-14T22:13:20Z', [1, 2, 3, 4, 5, 6]],
      ['time > 2023-11-14T22:13:20Z', [2, 3, 4, 5, 6]],
      ['time < 2023-11-14T22:13:20Z', [0]],
      ['time <= 2023-11-14T22:13:20Z', [0, 1]],
      ['time == 2023-11-14T22:13:20.000000001Z', [2]],
      ['time > 2023-11-14T22:13:20.000000999Z', [4, 5, 6]],
      ['time >= +1s', [5, 6]],
      ['time > +1s', [6]],
      ['time in +1us..+1s', [4, 5]],
      ['time != +1.5s', [0, 1, 2, 3, 4, 5]],
      ['wait >= 3ns', [3, 4, 5, 6]],
      ['wait > 3ns', [4, 5, 6]],
      ['wait in 0ns..1ns', [0, 1]],
    ];
    for (const [text, ids] of expected) {
      const filter = parseFilter(text);
      const { text: sql, parameters } = filter.sql();
      expect(idsBy(filter, exchanges), text).toEqual(ids);
      expect(selectedIds(database, sql, parameters), text).toEqual(ids);
    }
    database.close();
  });

  it('agree on what is missing, for every field', async () => {
    await fc.assert(
      fc.asyncProperty(run, async ({ connections, exchanges }) => {
        const database = await storedInMemory(connections, exchanges, clock);
        try {
          for (const field of FIELDS.filter(({ type }) => type !== 'boolean')) {
            const filter = parseFilter(`${field.name} == null`);
            const { text, parameters } = filter.sql();
            const wanted = exchanges.filter((one) => field.text(one, clock) === null).map(({ id }) => id);
            expect(idsBy(filter, exchanges), field.name).toEqual(wanted);
            expect(selectedIds(database, text, parameters), field.name).toEqual(wanted);
          }
        } finally {
          database.close();
        }
      }),
      { numRuns: 10, endOnFailure: true },
    );
  });

  it('go together with an alias of the view', async () => {
    const database = await storedInMemory([], [], clock);
    const { text } = parseFilter('anomaly == pipelined && header["via"] && vlan == 1 && status == 200').sql(
      'e',
    );
    const parameters = parseFilter(
      'anomaly == pipelined && header["via"] && vlan == 1 && status == 200',
    ).sql().parameters;
    const statement = database.prepare(`SELECT e.id FROM exchanges AS e WHERE ${text}`);
    parameters.forEach((value, index) => {
      statement.bind(index + 1, value);
    });
    expect(statement.step()).toBe(false);
    statement.finalize();
    database.close();
  });

  it('take the largest expressions that the limits allow', async () => {
    const database = await storedInMemory([], [], clock);
    const room = FILTER_LIMITS.characters;
    const filled = (joint: string, one: (index: number) => string): string => {
      let text = one(0);
      for (let index = 1; text.length + joint.length + one(index).length <= room; index += 1)
        text += joint + one(index);
      return text;
    };
    const set = (one: (index: number) => string): string =>
      `{${Array.from({ length: FILTER_LIMITS.setElements }, (_, index) => one(index)).join(',')}}`;
    const large = [
      filled('||', (index) => `id==${index}`),
      filled('||', () => 'vlan==1'),
      filled(' && ', () => 'error || !error'),
      filled(' or ', (index) => (index % 2 === 0 ? 'header["a"]' : 'header["a"]=="b"')),
      filled('||', () => `id in ${set((index) => String(index % 10))}`),
      filled('||', () => `total in ${set((index) => `${2 * index}s`)}`),
      filled('||', () => `request.bytes in ${set((index) => `${4 * index}..${4 * index + 1}`)}`),
      filled('||', () => 'time in +1s..+2s'),
      `${'('.repeat(64)}error${')'.repeat(64)}`,
      `${'!('.repeat(64)}error || status==1${')'.repeat(64)}`,
      `${'(error && '.repeat(32)}${'(error || '.repeat(32)}error${')'.repeat(64)}`,
      Array.from(
        { length: FILTER_LIMITS.patterns },
        (_, index) => `path ~ "${'(a|b)*'.repeat(20)}${index}"`,
      ).join(' || '),
    ];
    for (const text of large) {
      const { text: sql, parameters } = parseFilter(text).sql();
      expect(selectedIds(database, sql, parameters)).toEqual([]);
    }
    database.close();
  });
});
