import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  buildCapture,
  buildConnection,
  buildExchange,
  buildRequest,
  buildResponse,
} from '../../test/build-exchange.ts';
import { run as arbitraryRun } from '../../test/store/arbitrary-run.ts';
import { EPOCH_SECONDS } from '../../test/store/store.contract.ts';
import { temporaryDirectory } from '../../test/store/temporary-directory.ts';
import type { Connection, Exchange } from '../model/exchange.ts';
import { Ledger, PACKET_REASON_NAMES } from '../model/ledger.ts';
import { LIMITS } from '../model/limits.ts';
import type { RunClock } from '../model/packet.ts';
import type { RunRecord } from '../model/sink.ts';
import { readStoredExchanges, type StoredReadingOptions } from './exchange-reader.ts';
import { createMemorySink } from './memory-sink.ts';
import { createSqliteSink } from './sqlite-sink.ts';

const directory = temporaryDirectory();
const fresh = async (): Promise<string> => join(await mkdtemp(join(directory, 'case-')), 'out.sqlite');

interface StoredCase {
  readonly connections: readonly Connection[];
  readonly exchanges: readonly Exchange[];
  readonly run?: RunRecord;
}

/** Stores a run: each connection right after its last exchange. Gives the files' paths. */
async function store(
  path: string,
  { connections, exchanges, run }: StoredCase,
  sqliteFileBytes = LIMITS.sqliteFileBytes,
): Promise<string[]> {
  const record = run ?? recordOf(EPOCH_SECONDS);
  const sink = await createSqliteSink({
    path,
    force: false,
    limits: { sqliteFileBytes },
    clock: record.clock,
    version: 'test',
    keptHeaders: ['accept', 'server', 'via'],
  });
  const last = new Map(exchanges.map((exchange) => [exchange.connection, exchange]));
  for (const exchange of exchanges) {
    sink.exchange(exchange);
    if (last.get(exchange.connection) === exchange) sink.connection(exchange.connection);
    await sink.drain();
    // The store's thread says how much it has; a part ends where that has come back.
    if (exchange.id % 2048 === 0) await new Promise((resolve) => setTimeout(resolve, 2));
  }
  for (const connection of connections) if (!last.has(connection)) sink.connection(connection);
  await sink.finish(record);
  return sink.files().map((file) => file.path);
}

function recordOf(epochSeconds: number | null): RunRecord {
  const ledger = new Ledger();
  for (const name of Object.keys(ledger) as (keyof Ledger)[])
    if (typeof ledger[name] === 'number') (ledger[name] as number) = 1 + (name.length % 7);
  PACKET_REASON_NAMES.forEach((_, index) => {
    ledger.notUsed[index] = index * 3;
  });
  return { clock: { epochSeconds }, captures: [buildCapture(), buildCapture({ path: 'b.pcapng' })], ledger };
}

async function readBack(paths: readonly string[], more: Partial<StoredReadingOptions> = {}) {
  const options: StoredReadingOptions = { clock: { epochSeconds: null }, ...more };
  const sink = createMemorySink(options.clock);
  const run = await readStoredExchanges(paths, [sink], options);
  return { exchanges: [...sink.exchanges], connections: [...sink.connections], run, finished: sink.run };
}

const byId = (one: { id: number }, other: { id: number }): number => one.id - other.id;

/** As it was counted: what an arbitrary connection says of its exchanges is made true. */
function counted({ connections, exchanges }: StoredCase): StoredCase {
  for (const connection of connections)
    connection.exchanges = exchanges.filter((exchange) => exchange.connection === connection).length;
  return { connections, exchanges };
}

describe('reading a SQLite file back', () => {
  it('gives the exchanges and connections that were stored, whatever they are', async () => {
    await fc.assert(
      fc.asyncProperty(arbitraryRun.map(counted), async (stored) => {
        const path = await fresh();
        const run = recordOf(EPOCH_SECONDS);
        await store(path, { ...stored, run });
        const back = await readBack([path]);
        expect(back.exchanges).toEqual(stored.exchanges.map(withoutPlaces));
        expect([...back.connections].sort(byId)).toEqual(stored.connections);
        expect(back.run).toEqual(run);
        expect(back.finished).toBe(back.run);
        // One object per connection, and the endpoints of exchanges are its endpoints.
        for (const { connection, client, server } of back.exchanges) {
          expect(back.connections).toContain(connection);
          expect([connection.client, connection.server]).toContain(client);
          expect([connection.client, connection.server]).toContain(server);
        }
      }),
      { numRuns: 40 },
    );
  });

  it('calls each connection once, after its last exchange, and those without exchanges too', async () => {
    const path = await fresh();
    const connections = [1, 2, 3].map((id) => buildConnection({ id, exchanges: id === 2 ? 0 : 3 }));
    const exchanges = [0, 2, 0, 2, 2, 0].map((place, index) =>
      buildExchange({ id: index + 1, position: index + 1, connection: connections[place] }),
    );
    await store(path, { connections, exchanges });
    const calls: string[] = [];
    await readStoredExchanges(
      [path],
      [
        {
          ...createMemorySink({ epochSeconds: 0 }),
          exchange: ({ id, connection }) => calls.push(`${id} on ${connection.id}`),
          connection: ({ id }) => calls.push(`end of ${id}`),
          finish: async () => {
            calls.push('finish');
          },
        },
      ],
      { clock: { epochSeconds: null } },
    );
    expect(calls.filter((call) => !call.startsWith('end'))).toEqual([
      '1 on 1', '2 on 3', '3 on 1', '4 on 3', '5 on 3', '6 on 1', 'finish',
    ]); // biome-ignore format: a list
    expect(calls.filter((call) => call.startsWith('end')).sort()).toEqual([
      'end of 1',
      'end of 2',
      'end of 3',
    ]);
    expect(calls.indexOf('end of 3')).toBeGreaterThan(calls.indexOf('5 on 3'));
    expect(calls.indexOf('end of 1')).toBeGreaterThan(calls.indexOf('6 on 1'));
    expect(calls.at(-1)).toBe('finish');
  });

  it('asks sinks to drain, tells progress, and stops when told to', async () => {
    const path = await fresh();
    const connection = buildConnection({ exchanges: 5000 });
    const exchanges = Array.from({ length: 5000 }, (_, index) =>
      buildExchange({ id: index + 1, connection }),
    );
    await store(path, { connections: [connection], exchanges });
    let waits = 0;
    const steps: number[] = [];
    const memory = createMemorySink({ epochSeconds: 0 });
    const patient = {
      ...memory,
      drain: () =>
        new Promise<void>((resolve) => {
          waits += 1;
          setTimeout(resolve, 1);
        }),
    };
    const run = await readStoredExchanges([path], [patient], {
      clock: { epochSeconds: null },
      onProgress: (done, total) => {
        expect(total).toBe(5000);
        steps.push(done);
      },
      stopped: () => steps.length === 2,
    });
    expect(waits).toBe(2);
    expect(steps).toEqual([1024, 2048]);
    expect(memory.exchanges).toHaveLength(2048);
    expect(memory.connections.map(({ id }) => id)).toEqual([1]);
    expect(run.ledger.imbalances).toBeDefined();
  });
});

describe('a condition', () => {
  const numbered = (count: number): StoredCase => {
    const connections = [1, 2, 3].map((id) => buildConnection({ id, exchanges: count / 3 }));
    const exchanges = Array.from({ length: count }, (_, index) =>
      buildExchange({
        id: index + 1,
        connection: connections[index % 3],
        request: buildRequest({ host: `h${index % 5}`, target: `/t/${index}` }),
        response: buildResponse({ status: index % 3 === 1 ? 500 : 200 }),
      }),
    );
    return { connections, exchanges };
  };

  it('selects exchanges, and the connections that have one', async () => {
    const path = await fresh();
    const { connections, exchanges } = numbered(3000);
    await store(path, { connections, exchanges });
    const where = { text: 'status = ? AND (host = ? OR host IS NULL)', parameters: [500, 'h2'] };
    const back = await readBack([path], { where });
    const expected = exchanges.filter(
      ({ request, response }) => response?.status === 500 && request?.host === 'h2',
    );
    expect(expected.length).toBeGreaterThan(100);
    expect(back.exchanges).toEqual(expected.map(withoutPlaces));
    expect(back.connections).toEqual([connections[1]]);
    const none = await readBack([path], { where: { text: 'NULL', parameters: [] } });
    expect([none.exchanges, none.connections]).toEqual([[], []]);
    const all = await readBack([path], { where: { text: '1', parameters: [] } });
    expect(all.exchanges).toHaveLength(3000);
  });

  it('may use functions that are registered first', async () => {
    const path = await fresh();
    await store(path, numbered(30));
    const back = await readBack([path], {
      where: {
        text: 'ends_with(target, ?)',
        parameters: ['7'],
        prepare: (database) =>
          database.register([
            {
              name: 'ends_with',
              arity: 2,
              call: (text, end) => (String(text).endsWith(String(end)) ? 1 : 0),
            },
          ]),
      },
    });
    expect(back.exchanges.map(({ request }) => request?.target)).toEqual(['/t/7', '/t/17', '/t/27']);
  });

  it('that is wrong SQL is blamed, not the file', async () => {
    const path = await fresh();
    await store(path, numbered(3));
    await expect(readBack([path], { where: { text: 'nonsense = 1', parameters: [] } })).rejects.toMatchObject(
      {
        name: 'UserError',
        message: 'SQL: no such column: nonsense',
      },
    );
  });

  it('that needs a header which was not kept is refused', async () => {
    const path = await fresh();
    await store(path, numbered(3));
    await readBack([path], { keptHeadersNeeded: ['via', 'accept'] });
    await expect(readBack([path], { keptHeadersNeeded: ['via', 'x-team'] })).rejects.toMatchObject({
      code: 'header-not-kept',
      message: 'the header field x-team was not kept in this file',
      hint: 'analyse the capture again with --keep-header x-team',
    });
  });
});

describe('several files', () => {
  const many = (): StoredCase => {
    const connections = Array.from({ length: 7 }, (_, index) => buildConnection({ id: index + 1 }));
    const exchanges = Array.from({ length: 60_000 }, (_, index) =>
      buildExchange({
        id: index + 1,
        // Some connections go on over parts, others lie within one.
        connection: connections[index % 4 === 0 ? 4 + Math.floor(index / 20_000) : index % 4],
        request: buildRequest({ target: `/t/${index}`, packet: index + 1 }),
        anomalies: index % 5 === 0 ? ['trailers'] : [],
      }),
    );
    return counted({ connections, exchanges });
  };

  it('parts of a run are one, named in any order or found beside the first', async () => {
    const path = await fresh();
    const stored = many();
    const parts = await store(path, stored, 1_000_000);
    expect(parts.length).toBeGreaterThan(2);
    const expected = stored.exchanges.map(withoutPlaces);
    for (const named of [[path], [...parts].sort(), [parts[2], path]]) {
      const back = await readBack(named);
      expect(back.exchanges).toEqual(expected);
      expect([...back.connections].sort(byId)).toEqual(stored.connections);
      // One has no exchange.
      expect(new Set(back.exchanges.map(({ connection }) => connection)).size).toBe(6);
      expect(back.run).toEqual(recordOf(EPOCH_SECONDS));
    }
    await expect(readBack([parts[1]])).rejects.toMatchObject({ code: 'part-without-beginning' });
    rmSync(parts[1]);
    await expect(readBack([path])).rejects.toMatchObject({ code: 'part-missing' });
    const other = buildExchange({ id: 1 });
    await store(parts[1], { connections: [other.connection], exchanges: [other] });
    await expect(readBack([path])).rejects.toMatchObject({ code: 'part-of-another-run' });
  });

  it('of several runs are read as if they were one', async () => {
    const [early, late] = [await fresh(), await fresh()];
    const one = buildExchange({ id: 3, connection: buildConnection({ id: 2, interfaceNumber: 0 }) });
    const two = buildExchange({ id: 1, connection: buildConnection({ id: 1, firstNs: 5, lastNs: 9 }) });
    await store(late, { connections: [one.connection], exchanges: [one], run: recordOf(EPOCH_SECONDS + 90) });
    await store(early, { connections: [two.connection], exchanges: [two], run: recordOf(EPOCH_SECONDS) });
    const clock: RunClock = { epochSeconds: null };
    const { exchanges, connections, run } = await readBack([late, early], { clock });
    expect(clock.epochSeconds).toBe(EPOCH_SECONDS);
    const [first, second] = exchanges;
    expect([first.id, first.connection.id, first.request?.capture]).toEqual([3, 2, 0]);
    expect(first.request?.firstByteNs).toBe(90e9 + 2_000_000);
    expect(first.response?.lastByteNs).toBe(90e9 + 13_000_000);
    expect(first.connection.ackNs).toBe(90e9 + 1_000_000);
    // After 3 exchanges, 2 connections, 2 captures with one interface each of the same number.
    expect([second.id, second.connection.id, second.connection.capture]).toEqual([4, 3, 2]);
    expect([second.request?.capture, second.response?.capture]).toEqual([2, 2]);
    expect([second.connection.interfaceNumber, second.connection.firstNs]).toEqual([1, 5]);
    expect(connections).toHaveLength(2);
    expect(run.captures.map(({ path, firstNs }) => [path, firstNs])).toEqual([
      ['sample.pcap', 90e9], ['b.pcapng', 90e9], ['sample.pcap', 0], ['b.pcapng', 0],
    ]); // biome-ignore format: a list
    expect(run.captures.map(({ interfaces }) => interfaces[0].number)).toEqual([0, 0, 1, 1]);
    const single = recordOf(EPOCH_SECONDS).ledger;
    expect(run.ledger.packetsRead).toBe(single.packetsRead * 2);
    expect([...run.ledger.notUsed]).toEqual([...single.notUsed].map((count) => count * 2));
  });

  it('named twice are refused', async () => {
    const path = await fresh();
    await store(path, { connections: [], exchanges: [] });
    await expect(readBack([path, path])).rejects.toMatchObject({ code: 'named-twice' });
  });
});

/** As a store gives it back. */
function withoutPlaces(exchange: Exchange): Exchange {
  const { request, response } = exchange;
  const known = request === null || response === null ? {} : { acknowledges: -1 };
  const place = { startOffset: -1, endOffset: -1, ...known };
  return {
    ...exchange,
    request: request && { ...request, ...place },
    response: response && { ...response, ...place },
  };
}
