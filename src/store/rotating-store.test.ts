import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { goldenFolders } from '../../scripts/expected-exchanges.mjs';
import { query } from '../../test/store/read-back.ts';
import { temporaryDirectory } from '../../test/store/temporary-directory.ts';
import { openCaptures } from '../capture/open.ts';
import type { Connection } from '../model/exchange.ts';
import { Ledger } from '../model/ledger.ts';
import { LIMITS } from '../model/limits.ts';
import type { PacketSource, RunClock } from '../model/packet.ts';
import type { RunRecord } from '../model/sink.ts';
import { runPipeline } from '../pipeline.ts';
import { readStoredExchanges } from './exchange-reader.ts';
import { connectionRecord, exchangeRecord } from './exchange-record.ts';
import { createMemorySink, type MemorySink } from './memory-sink.ts';
import { createRotatingStore, type RotatingStoreOptions } from './rotating-store.ts';
import type { StoredFile } from './sqlite-sink.ts';

const directory = temporaryDirectory();
const fresh = (): Promise<string> => mkdtemp(join(directory, 'case-'));

/** Gives packets a few at a time, as they come in life. */
function inSmallBlocks(inner: PacketSource, packets: number): PacketSource {
  let left = packets;
  let waiting = false;
  return {
    packet: inner.packet,
    onDrops: null,
    get facts() {
      return inner.facts;
    },
    next() {
      if (left === 0) return false;
      left -= 1;
      waiting = !inner.next();
      return !waiting;
    },
    async more() {
      left = packets;
      return waiting ? inner.more() : true;
    },
    close: () => inner.close(),
  };
}

interface Captured {
  readonly run: RunRecord;
  readonly whole: MemorySink;
  readonly files: readonly StoredFile[];
  readonly sealed: readonly StoredFile[];
}

async function capture(
  name: string,
  path: string,
  more: Partial<RotatingStoreOptions>,
  blockPackets = 1,
): Promise<Captured> {
  const fixture = goldenFolders().find((one) => one.name === name);
  if (fixture === undefined) throw new Error(`no fixture ${name}`);
  const clock: RunClock = { epochSeconds: null };
  const inner = await openCaptures([join(fixture.folder, fixture.capture)], { clock, limits: LIMITS });
  const source = inSmallBlocks(inner, blockPackets);
  const sealed: StoredFile[] = [];
  const store = await createRotatingStore({
    path,
    limits: LIMITS,
    clock,
    version: 'test',
    intervalNs: null,
    fileBytes: null,
    nowNs: () => source.packet.timeNs,
    onSealed: (file) => sealed.push(file),
    ...more,
  });
  const whole = createMemorySink(clock);
  const run = await runPipeline(source, clock, [whole, store], {
    ports: null,
    limits: LIMITS,
    reveal: false,
    checksums: false,
  });
  return { run, whole, files: store.files(), sealed };
}

async function readBack(paths: readonly string[]) {
  const clock: RunClock = { epochSeconds: null };
  const sink = createMemorySink(clock);
  const run = await readStoredExchanges(paths, [sink], { clock });
  return { exchanges: sink.exchanges, connections: sink.connections, run };
}

const MS = 1e6;

describe('a store that rotates', () => {
  it('makes files that are together what one file would be, and each balances', async () => {
    const path = join(await fresh(), 'out.sqlite');
    const { run, whole, files, sealed } = await capture('web-shop', path, { intervalNs: 300 * MS });
    expect(files.length).toBeGreaterThan(3);
    expect(sealed).toEqual(files);
    const paths = files.map((file) => file.path);
    expect([...paths].sort()).toEqual(paths);

    const back = await readBack([...paths].reverse());
    const epoch = run.clock.epochSeconds ?? 0;
    expect(back.exchanges.map((one) => exchangeRecord(one, epoch))).toEqual(
      whole.exchanges.map((one) => exchangeRecord(one, epoch)),
    );
    expect(back.run.ledger).toEqual(run.ledger);
    expect(back.run.captures).toEqual(run.captures);
    const connectionsOf = (connections: readonly Connection[]) =>
      [...connections].sort((a, b) => a.id - b.id).map((one) => connectionRecord(one, epoch));
    expect(connectionsOf(back.connections)).toEqual(connectionsOf(whole.connections));

    let exchanges = 0;
    for (const [index, file] of files.entries()) {
      const alone = await readBack([file.path]);
      expect(alone.exchanges).toHaveLength(file.exchanges);
      expect(alone.run.ledger.exchanges).toBe(file.exchanges);
      expect(alone.run.ledger.imbalances()).toEqual([]);
      expect(await query(file.path, "SELECT value FROM ledger WHERE name = 'balances'")).toEqual([
        { value: 1 },
      ]);
      const meta = await query(
        file.path,
        "SELECT name, value FROM meta WHERE name IN ('part', 'more_follow') ORDER BY name DESC",
      );
      expect(meta).toEqual([
        { name: 'part', value: String(index + 1) },
        { name: 'more_follow', value: index + 1 === files.length ? 'no' : 'yes' },
      ]);
      exchanges += file.exchanges;
    }
    expect(exchanges).toBe(whole.exchanges.length);
  });

  it('can be read with files missing, as after a crash', async () => {
    const path = join(await fresh(), 'out.sqlite');
    const { whole, files } = await capture('web-shop', path, { intervalNs: 300 * MS });
    const kept = files.slice(0, -1).filter((_, index) => index !== 1);
    const back = await readBack(kept.map((file) => file.path));
    expect(back.exchanges).toHaveLength(kept.reduce((sum, file) => sum + file.exchanges, 0));
    expect(back.run.ledger.imbalances()).toEqual([]);
    // Numbers are those of the run.
    const ids = new Set(whole.exchanges.map(({ id }) => id));
    expect(back.exchanges.every(({ id }) => ids.has(id))).toBe(true);
  });

  it('names files by the time at which they begin, and overwrites none', async () => {
    const at = await fresh();
    const path = join(at, 'out.sqlite');
    const { files, run } = await capture('web-shop', path, { intervalNs: 300 * MS });
    const seconds = (name: string): number => {
      const [, year, month, day, hour, minute, second] =
        /^out-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z(?:_\d+)?\.sqlite$/.exec(name) ?? [];
      return Date.UTC(+year, +month - 1, +day, +hour, +minute, +second) / 1000;
    };
    const [{ firstNs, lastNs }] = run.captures;
    for (const file of files) {
      const since = seconds(basename(file.path)) - (run.clock.epochSeconds ?? 0);
      expect(since).toBeGreaterThanOrEqual(Math.floor((firstNs ?? 0) / 1e9));
      expect(since).toBeLessThanOrEqual((lastNs ?? 0) / 1e9);
    }
    const before = readdirSync(at).sort();
    expect(before).toEqual(files.map((file) => basename(file.path)).sort());
    const again = await capture('web-shop', path, { intervalNs: 300 * MS });
    expect(again.files.every((file) => !before.includes(basename(file.path)))).toBe(true);
    expect(readdirSync(at)).toHaveLength(before.length * 2);
    // Two runs side by side are two runs, not one.
    const both = await readBack([...files, ...again.files].map((file) => file.path));
    expect(both.exchanges).toHaveLength(2 * files.reduce((sum, file) => sum + file.exchanges, 0));
  });

  it('makes one file where nothing was to be divided, and none for quiet intervals', async () => {
    const path = join(await fresh(), 'out.sqlite');
    const { files } = await capture('web-shop', path, { intervalNs: 3600e9 });
    expect(files).toHaveLength(1);
    const alone = await readBack([files[0].path]);
    expect(alone.run.ledger.imbalances()).toEqual([]);
  });

  it('seals a full file', async () => {
    const path = join(await fresh(), 'out.sqlite');
    const clock: RunClock = { epochSeconds: 1_700_000_000 };
    const whole = createMemorySink(clock);
    const at = await fresh();
    await capture('web-shop', join(at, 'x.sqlite'), {}).then(({ whole: { exchanges } }) => {
      for (const exchange of exchanges) whole.exchange(exchange);
    });
    const store = await createRotatingStore({
      path, limits: LIMITS, clock, version: 'test', intervalNs: null, fileBytes: 1_000_000, nowNs: () => 0,
    }); // biome-ignore format: a record
    const record: RunRecord = { clock, captures: [], ledger: new Ledger() };
    store.begin?.(record);
    let id = 0;
    for (let round = 0; round < 400; round++) {
      for (const exchange of whole.exchanges) store.exchange({ ...exchange, id: ++id });
      await store.drain();
      if (round % 20 === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await store.finish(record);
    expect(store.files().length).toBeGreaterThan(1);
    expect(store.files().reduce((sum, file) => sum + file.exchanges, 0)).toBe(id);
  });

  it('removes what a process that was killed left half-written, and nothing else', async () => {
    const at = await fresh();
    const gone = '.out-20261121T143000Z.sqlite.tmp-4194999';
    const stay = [
      `.out-20261121T143000Z.sqlite.tmp-${process.ppid}`,
      '.other-20261121T143000Z.sqlite.tmp-4194999',
      'out-20261121T143000Z.sqlite',
    ];
    for (const name of [gone, ...stay]) writeFileSync(join(at, name), '');
    const store = await createRotatingStore({
      path: join(at, 'out.sqlite'), limits: LIMITS, clock: { epochSeconds: 1 }, version: 'test', intervalNs: 1e9, fileBytes: null, nowNs: () => 0,
    }); // biome-ignore format: a record
    await store.abort();
    expect(store.leftovers).toEqual([join(at, gone)]);
    expect(readdirSync(at).sort()).toEqual([...stay].sort());
  });

  it('says at once when nothing can be written there', async () => {
    const path = join(await fresh(), 'missing', 'out.sqlite');
    const opening = createRotatingStore({
      path, limits: LIMITS, clock: { epochSeconds: 1 }, version: 'test', intervalNs: 1e9, fileBytes: null, nowNs: () => 0,
    }); // biome-ignore format: a record
    await expect(opening).rejects.toMatchObject({ code: 'directory-missing' });
    expect(existsSync(path)).toBe(false);
  });
});
