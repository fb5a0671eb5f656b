import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { run as arbitraryRun } from '../../test/store/arbitrary-run.ts';
import { query } from '../../test/store/read-back.ts';
import { EPOCH_SECONDS, storeContract } from '../../test/store/store.contract.ts';
import { temporaryDirectory } from '../../test/store/temporary-directory.ts';
import { ANOMALIES, ANOMALY_NAMES } from '../model/anomaly.ts';
import type { Exchange } from '../model/exchange.ts';
import { Ledger, PACKET_REASON_NAMES } from '../model/ledger.ts';
import { LIMITS } from '../model/limits.ts';
import type { CaptureFacts } from '../model/packet.ts';
import { connectionRecord, exchangeRecord, type StoredRecord } from './exchange-record.ts';
import { APPLICATION_ID } from './schema.ts';
import { createSqliteSink, type SqliteSink } from './sqlite-sink.ts';

const directory = temporaryDirectory();
const clock = { epochSeconds: EPOCH_SECONDS };
const fresh = (): Promise<string> => mkdtemp(join(directory, 'case-'));
const open = (path: string, more: { force?: boolean; sqliteFileBytes?: number } = {}): Promise<SqliteSink> =>
  createSqliteSink({
    path,
    force: more.force ?? false,
    limits: { sqliteFileBytes: more.sqliteFileBytes ?? LIMITS.sqliteFileBytes },
    clock,
    version: '9.9.9-test',
    keptHeaders: ['accept', 'x-team'],
  });
const finish = (sink: SqliteSink, ledger = new Ledger(), captures: CaptureFacts[] = []): Promise<void> =>
  sink.finish({ clock, captures, ledger });

/** One exchange to vary. */
function sample(seed: number): Exchange {
  const both = arbitraryRun.filter(({ exchanges }) => exchanges.some((one) => one.request && one.response));
  const [{ exchanges }] = fc.sample(both, { numRuns: 1, seed });
  return exchanges.find((one) => one.request && one.response) as Exchange;
}
const model = sample(11);
function exchange(
  id: number,
  changes: { host?: string | null; target?: string; status?: number | null; totalNs?: number },
): Exchange {
  const request = {
    ...model.request!,
    host: changes.host ?? null,
    target: changes.target ?? '/',
    firstByteNs: id * 1000,
  };
  const status = changes.status === undefined ? 200 : changes.status;
  const endNs = id * 1000 + (changes.totalNs ?? 5000);
  const response =
    status === null ? null : { ...model.response!, status, firstByteNs: endNs, lastByteNs: endNs };
  return { ...model, id, position: id, request, response };
}

storeContract('SQLite', async () => {
  const path = join(await fresh(), 'out.sqlite');
  const sink = await open(path);
  return {
    sink,
    read: async () => ({
      exchanges: await query(path, 'SELECT * FROM exchanges ORDER BY id'),
      connections: await query(path, 'SELECT * FROM connections'),
    }),
  };
});

describe('the SQLite file', () => {
  it('holds captures, ledger, anomalies and facts about itself', async () => {
    const path = join(await fresh(), 'out.sqlite');
    const sink = await open(path);
    const odd = { ...exchange(1, {}), anomalies: ANOMALY_NAMES };
    sink.exchange(odd);
    const ledger = new Ledger();
    ledger.packetsRead = 12;
    ledger.segments = 9;
    ledger.notUsed[PACKET_REASON_NAMES.indexOf('arp')] = 2;
    const facts: CaptureFacts = {
      path: '-', format: 'pcapng', compression: 'zstd', byteOrder: 'big', packets: 12, capturedBytes: 800, originalBytes: 900, fileBytes: 1000,
      firstNs: 1_234_567, lastNs: 5_000_000_001,
      interfaces: [{ number: 0, name: 'eth0', linkType: 1, snaplen: 0, timeDigits: 9, packets: 12, received: 20, dropped: 8 }],
      comments: [{ scope: 'packet', packet: 3, text: "it's" }], commentsDropped: 1, skippedBlocks: { '0xbad': 2 }, timeReversals: 4,
      damage: { what: 'ends in the middle of a record', packet: 12, byteOffset: 990 },
    }; // biome-ignore format: a record
    await finish(sink, ledger, [facts]);

    expect(await query(path, 'SELECT * FROM captures')).toEqual([
      {
        id: 0, path: '-', format: 'pcapng', compression: 'zstd', byte_order: 'big', packets: 12, captured_bytes: 800, original_bytes: 900,
        file_bytes: 1000, first_us: EPOCH_SECONDS * 1e6 + 1234, first_ns: 567, last_us: EPOCH_SECONDS * 1e6 + 5_000_000, last_ns: 1,
        interfaces: JSON.stringify(facts.interfaces), kernel_drops: 8, comments: JSON.stringify(facts.comments), comments_dropped: 1,
        skipped_blocks: '{"0xbad":2}', time_reversals: 4, damage: 'ends in the middle of a record', damage_packet: 12, damage_byte_offset: 990,
      },
    ]); // biome-ignore format: a record
    const counts = Object.fromEntries(
      (await query(path, 'SELECT * FROM ledger')).map((row) => [row.name, row.value]),
    );
    expect(counts).toMatchObject({
      packets_read: 12,
      segments: 9,
      'not_used.arp': 2,
      'not_used.udp': 0,
      balances: 0,
    });
    const [balance] = await query(path, "SELECT meaning FROM ledger WHERE name = 'balances'");
    expect(balance.meaning).toContain('packets: 12 counted, 11 accounted for');
    const numbers = Object.entries(ledger).filter(([, value]) => typeof value === 'number').length;
    expect(Object.keys(counts)).toHaveLength(numbers + PACKET_REASON_NAMES.length + 1);
    expect(await query(path, 'SELECT code, meaning FROM anomalies_explained WHERE exchange_id = 1')).toEqual(
      Object.entries(ANOMALIES).map(([code, meaning]) => ({ code, meaning })),
    );
    const meta = Object.fromEntries(
      (await query(path, 'SELECT * FROM meta')).map((row) => [row.name, row.value]),
    );
    expect(meta).toEqual({
      wirelens_version: '9.9.9-test',
      schema_version: '4',
      epoch_seconds: String(EPOCH_SECONDS),
      part: '1',
      more_follow: 'no',
      kept_headers: 'accept,x-team',
    });
    expect(
      await query(path, 'SELECT * FROM pragma_user_version, pragma_application_id, pragma_integrity_check'),
    ).toEqual([{ user_version: 4, application_id: APPLICATION_ID, integrity_check: 'ok' }]);
    expect(sink.files()).toEqual([{ path, bytes: readFileSync(path).length, exchanges: 1 }]);
  });

  it('stores half a surrogate pair as U+FFFD', async () => {
    const path = join(await fresh(), 'out.sqlite');
    const sink = await open(path);
    sink.exchange(exchange(1, { target: '/a\ud800b', host: '\udc00' }));
    await finish(sink);
    expect(await query(path, 'SELECT target, host FROM exchanges')).toEqual([
      { target: '/a\ufffdb', host: '\ufffd' },
    ]);
  });

  it('rolls over above its limit, and the parts together are the single file', async () => {
    const at = await fresh();
    // Texts repeat across parts, and connections stay open across them.
    const connections = Array.from({ length: 5 }, (_, index) => ({ ...model.connection, id: index + 1 }));
    const exchanges = Array.from({ length: 60_000 }, (_, index) => ({
      ...exchange(index + 1, {
        host: `h${index % 50}`,
        target: `/t/${index % 20_000}`,
        status: index % 7 === 0 ? null : 200,
      }),
      connection: connections[index % 5],
      anomalies: index % 3 === 0 ? (['trailers', 'obs-fold'] as const) : [],
    }));
    const whole = join(at, 'whole.sqlite');
    const rolled = join(at, 'rolled.sqlite');
    const sinks = [await open(whole), await open(rolled, { sqliteFileBytes: 1_000_000 })];
    for (const sink of sinks) {
      for (const one of exchanges) {
        sink.exchange(one);
        const wait = sink.drain();
        if (wait !== null) await wait;
        if (one.id % 2048 === 0) await new Promise(setImmediate);
      }
      for (const connection of connections) sink.connection(connection);
      await finish(sink);
    }
    const parts = sinks[1].files();
    expect(parts.length).toBeGreaterThan(3);
    expect(parts[1].path).toBe(join(at, 'rolled-2.sqlite'));
    expect(sinks[0].files()).toHaveLength(1);
    expect(readdirSync(at).sort()).toEqual(
      [...parts.map(({ path }) => path.slice(at.length + 1)), 'whole.sqlite'].sort(),
    );

    const joined: StoredRecord[] = [];
    const odd: StoredRecord[] = [];
    for (const [index, { path, exchanges: count }] of parts.entries()) {
      const rows = await query(path, 'SELECT * FROM exchanges ORDER BY id');
      expect(rows).toHaveLength(count);
      joined.push(...rows);
      odd.push(...(await query(path, 'SELECT * FROM anomalies')));
      const last = index === parts.length - 1;
      const meta = Object.fromEntries(
        (await query(path, 'SELECT * FROM meta')).map((row) => [row.name, row.value]),
      );
      expect(meta).toMatchObject({ part: String(index + 1), more_follow: last ? 'no' : 'yes' });
      expect(await query(path, 'SELECT count(*) > 0 AS there FROM ledger')).toEqual([
        { there: last ? 1 : 0 },
      ]);
    }
    expect(joined).toEqual(await query(whole, 'SELECT * FROM exchanges ORDER BY id'));
    expect(joined).toEqual(exchanges.map((one) => exchangeRecord(one, EPOCH_SECONDS)));
    expect(odd).toEqual(await query(whole, 'SELECT * FROM anomalies'));
    const lastPart = parts[parts.length - 1].path;
    expect(await query(lastPart, 'SELECT * FROM connections ORDER BY id')).toEqual(
      connections.map((one) => connectionRecord(one, EPOCH_SECONDS)),
    );
  });
});
