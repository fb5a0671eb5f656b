import {
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, describe, expect, it } from 'vitest';
import { exchangeStoreContract } from '../../../test/store/exchange-store.contract.ts';
import { batchOf, EPOCH_US, origin, row } from '../../../test/store/server-rows.ts';
import { parseFilter } from '../../filter/filter.ts';
import type { ListQuery } from '../exchange-store.ts';
import type { DuckDbStore } from './duckdb-store.ts';
import { type DuckDbStoreOptions, openDuckDbStore } from './open.ts';
import type { StoreEvent } from './store-event.ts';

const root = mkdtempSync(path.join(tmpdir(), 'wirelens-duckdb-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let directories = 0;
const newDirectory = (): string => {
  directories += 1;
  return path.join(root, String(directories));
};
const open = (directory: string, options: Partial<DuckDbStoreOptions> = {}): Promise<DuckDbStore> =>
  openDuckDbStore({ directory, log: () => {}, ...options });

exchangeStoreContract('DuckDB', () => open(newDirectory()));

const rows = (count: number, uid: string | null = null) =>
  batchOf(Array.from({ length: count }, (_, index) => row({ started_us: EPOCH_US + index * 1000, uid })));
const FILE = 'exchanges.duckdb';

describe('the directory of the DuckDB store', () => {
  it('belongs to one store', async () => {
    const directory = newDirectory();
    const store = await open(directory);
    await expect(open(directory)).rejects.toMatchObject({ code: 'store-in-use' });
    await store.close();
    await (await open(directory)).close();
  });

  it('is taken over from a process that is gone, also when its number was given again', async () => {
    const directory = newDirectory();
    await (await open(directory)).close();
    for (const owner of [
      { pid: 2 ** 22 - 1, began: null },
      { pid: process.pid, began: 'another boot 1' },
      'garbage',
    ]) {
      writeFileSync(path.join(directory, 'exchanges.lock'), JSON.stringify(owner));
      await (await open(directory)).close();
    }
    expect(readdirSync(directory)).not.toContain('exchanges.lock');
  });

  it('keeps everything, and goes on counting, after it was closed', async () => {
    const directory = newDirectory();
    const first = await open(directory);
    await first.append(rows(10), origin('a'), { stream: 's', number: 3 });
    await first.close();
    const second = await open(directory);
    expect(await second.stream('s')).toEqual({ last: 3, missing: [[1, 2]] });
    expect(await second.append(rows(10), origin('a'), { stream: 's', number: 3 })).toMatchObject({
      repeated: true,
    });
    await second.append(rows(1), origin('a'), null);
    expect((await second.get('11'))?.exchange.agent).toBe('a');
    expect(await second.facts()).toMatchObject({ exchanges: 11, keptAside: [] });
    await second.close();
  });
});

describe('observations that come again after the DuckDB store was closed', () => {
  it('are known', async () => {
    const directory = newDirectory();
    const uids = (from: number) =>
      batchOf(
        Array.from({ length: 100 }, (_, index) =>
          row({
            started_us: EPOCH_US + (from + index) * 1000,
            uid: (from + index).toString(16).padStart(16, '0'),
          }),
        ),
      );
    for (const [from, stored] of [
      [0, 100],
      [50, 50],
      [0, 0],
    ]) {
      const store = await open(directory);
      const answer = await store.append(uids(from), origin('a'), {
        stream: `from-${from}`,
        number: stored + 1,
      });
      expect(answer).toMatchObject({ stored, joined: 0, repeatedRows: 100 - stored });
      await store.close();
    }
    const last = await open(directory);
    expect(await last.facts()).toMatchObject({ exchanges: 150, observations: 150 });
    await last.close();
  });
});

describe('a damaged DuckDB file', () => {
  const damages: readonly (readonly [string, (file: string) => void])[] = [
    [
      'is no database',
      (file) => writeFileSync(file, 'this is a text, and has been one for a while'.repeat(500)),
    ],
    ['was cut off', (file) => truncateSync(file, 12_288)],
    [
      'has other bytes in its blocks',
      (file) => {
        const bytes = readFileSync(file);
        bytes.fill(0xa5, 12_288);
        writeFileSync(file, bytes);
      },
    ],
    [
      'has other bytes in its headers',
      (file) => {
        const bytes = readFileSync(file);
        bytes.fill(0xff, 0, 12_288);
        writeFileSync(file, bytes);
      },
    ],
  ];
  for (const [name, damage] of damages) {
    it(`that ${name} is kept aside, told, and does not stop the store`, async () => {
      const directory = newDirectory();
      const store = await open(directory);
      await store.append(rows(1000), origin('a'), null);
      await store.close();
      const file = path.join(directory, FILE);
      damage(file);
      const damaged = readFileSync(file);
      const events: StoreEvent[] = [];
      const next = await open(directory, { log: (event) => events.push(event) });
      const { keptAside, exchanges } = await next.facts();
      expect(exchanges).toBe(0);
      expect(keptAside).toHaveLength(1);
      expect(keptAside[0]).toMatch(/^exchanges\.duckdb\.damaged-\d{8}T\d{6}Z$/);
      expect(readFileSync(path.join(directory, keptAside[0])).equals(damaged)).toBe(true);
      expect(events.map(({ code }) => code)).toContain('database-damaged');
      expect(await next.append(rows(1), origin('a'), null)).toMatchObject({ stored: 1 });
      await next.close();
    });
  }

  it('as to its write-ahead log loses only what was there alone, and that is kept aside and told', async () => {
    const directory = newDirectory();
    const first = await open(directory);
    await first.append(rows(1000), origin('a'), { stream: 's', number: 1 });
    await first.close();
    // As a process that is killed leaves it: the second batch is in the log only.
    const second = await open(directory);
    await second.append(rows(500), origin('a'), { stream: 's', number: 2 });
    const killed = newDirectory();
    mkdirSync(killed);
    for (const end of ['', '.wal'])
      copyFileSync(path.join(directory, FILE + end), path.join(killed, FILE + end));
    await second.close();
    const sound = newDirectory();
    cpSync(killed, sound, { recursive: true });
    const wal = path.join(killed, `${FILE}.wal`);
    const bytes = readFileSync(wal);
    bytes.fill(0xa5, Math.floor(bytes.length / 3), Math.floor(bytes.length / 2));
    writeFileSync(wal, bytes);

    const events: StoreEvent[] = [];
    const next = await open(killed, { log: (event) => events.push(event) });
    const { keptAside, exchanges } = await next.facts();
    expect(exchanges).toBe(1000);
    expect(await next.get('1000')).not.toBeNull();
    expect(await next.stream('s')).toEqual({ last: 1, missing: [] });
    expect(keptAside).toEqual([expect.stringMatching(/^exchanges\.duckdb\.damaged-\d{8}T\d{6}Z\.wal$/)]);
    expect(readFileSync(path.join(killed, keptAside[0])).equals(bytes)).toBe(true);
    const told = events.find(({ code }) => code === 'log-damaged');
    expect(told).toMatchObject({ level: 'error', message: expect.stringContaining(keptAside[0]) });
    expect(events.map(({ code }) => code)).not.toContain('database-damaged');
    // Who sends it again is not taken for somebody who repeats himself.
    const again = await next.append(rows(500), origin('a'), { stream: 's', number: 2 });
    expect(again).toMatchObject({ stored: 500, repeated: false });
    await next.close();
    // The same log undamaged has everything.
    const whole = await open(sound);
    expect(await whole.facts()).toMatchObject({ exchanges: 1500, keptAside: [] });
    await whole.close();
  });

  it('of a newer version is left alone', async () => {
    const directory = newDirectory();
    await (await open(directory)).close();
    const instance = await DuckDBInstance.create(path.join(directory, FILE));
    const connection = await instance.connect();
    await connection.run("UPDATE store.meta SET value = 99 WHERE name = 'schema_version'");
    connection.closeSync();
    instance.closeSync();
    await expect(open(directory)).rejects.toMatchObject({ code: 'store-newer' });
    expect(readdirSync(directory).filter((name) => name.includes('damaged'))).toEqual([]);
  });
});

describe('pages of the DuckDB store', () => {
  it('have all rows, however far apart they lie', async () => {
    const directory = newDirectory();
    const numbers = [...Array(30).keys()];
    const batch = (from: number) =>
      batchOf(numbers.slice(from, from + 10).map((number) => row({ started_us: EPOCH_US + number * 1e6 })));
    for (const from of [0, 10, 20]) {
      const store = await open(directory);
      await store.append(batch(from), origin('a'), null);
      await store.close();
      // As if millions of others had come before the next ten.
      const instance = await DuckDBInstance.create(path.join(directory, FILE));
      const connection = await instance.connect();
      await connection.run("UPDATE store.meta SET value = value + 5_000_000 WHERE name = 'last_id'");
      connection.closeSync();
      instance.closeSync();
    }
    const store = await open(directory);
    const all = { where: null, fromUs: null, toUs: null, address: null, agent: null, node: null };
    const page = { ...all, sort: 'started', descending: true, cursor: null, afterId: null } as const;
    const times = async (query: ListQuery) => (await store.list(query)).rows.map((one) => one.started_us);
    const expected = numbers.map((number) => EPOCH_US + number * 1e6).reverse();
    expect((await store.list({ ...page, limit: 1 })).lastId).toBeGreaterThan(10_000_000);
    for (const limit of [5, 15, 30])
      for (const selection of [{}, { agent: 'a' }, { where: parseFilter('status == 200') }])
        expect(await times({ ...page, ...selection, limit })).toEqual(expected.slice(0, limit));
    await store.close();
  });
});

describe('retention of the DuckDB store', () => {
  it('deletes what was received too long ago, and never gives an id again', async () => {
    const directory = newDirectory();
    const store = await open(directory, { maxAgeSeconds: 0.001 });
    await store.append(rows(10), origin('a'), { stream: 's', number: 1 });
    await new Promise((resolve) => setTimeout(resolve, 20));
    await store.tidy();
    expect(await store.facts()).toMatchObject({ exchanges: 0, observations: 0, expired: 10, oldestUs: null });
    await store.close();
    const again = await open(directory);
    await again.append(rows(1), origin('a'), null);
    expect(
      (
        await again.list({
          where: null,
          fromUs: null,
          toUs: null,
          address: null,
          agent: null,
          node: null,
          sort: 'id',
          descending: false,
          limit: 10,
          cursor: null,
          afterId: null,
        })
      ).rows[0].id,
    ).toBe(11);
    // What was stored and deleted is still known as stored.
    expect(await again.append(rows(10), origin('a'), { stream: 's', number: 1 })).toMatchObject({
      repeated: true,
    });
    await again.close();
  });

  it('keeps the file near its limit, and the newest exchanges', async () => {
    const maxBytes = 12 * 1024 * 1024;
    const store = await open(newDirectory(), { maxBytes });
    let seed = 7;
    const random = (): number => {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
      return seed;
    };
    const batch = batchOf(
      Array.from({ length: 20_000 }, (_, index) =>
        row({
          started_us: EPOCH_US + index,
          host: `host-${random()}-${random()}-${random()}`,
          connection_id: random(),
          request_packet: random(),
        }),
      ),
    );
    for (let round = 0; round < 20; round += 1) await store.append(batch, origin('a'), null);
    await store.tidy();
    const facts = await store.facts();
    expect(facts.expired).toBeGreaterThan(0);
    expect(facts.exchanges).toBeGreaterThan(20_000);
    expect(facts.exchanges + facts.expired).toBe(400_000);
    expect(facts.fileBytes).toBeLessThan(maxBytes * 2);
    expect(await store.get('400000')).not.toBeNull();
    expect(await store.get('1')).toBeNull();
    await store.close();
  });
});
