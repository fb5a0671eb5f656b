import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdir, mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { run as arbitraryRun } from '../../test/store/arbitrary-run.ts';
import { query } from '../../test/store/read-back.ts';
import { EPOCH_SECONDS } from '../../test/store/store.contract.ts';
import { temporaryDirectory } from '../../test/store/temporary-directory.ts';
import { UserError } from '../model/errors.ts';
import type { Exchange } from '../model/exchange.ts';
import { Ledger } from '../model/ledger.ts';
import { LIMITS } from '../model/limits.ts';
import type { CaptureFacts } from '../model/packet.ts';
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

describe('whole or not at all', () => {
  const code = async (attempt: Promise<unknown>): Promise<string> => {
    const error = await attempt.then(
      () => null,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(UserError);
    return (error as UserError).code;
  };

  it('refuses a file that exists, and a second part that exists, before any work', async () => {
    const at = await fresh();
    const path = join(at, 'out.sqlite');
    writeFileSync(path, 'mine');
    expect(await code(open(path))).toBe('file-exists');
    writeFileSync(join(at, 'other-2.sqlite'), 'mine');
    expect(await code(open(join(at, 'other.sqlite')))).toBe('file-exists');
    expect(readFileSync(path, 'utf8')).toBe('mine');
    expect(readdirSync(at).sort()).toEqual(['other-2.sqlite', 'out.sqlite']);
  });

  it('does not overwrite a file that appears while it works', async () => {
    const at = await fresh();
    const path = join(at, 'out.sqlite');
    const sink = await open(path);
    sink.exchange(exchange(1, {}));
    writeFileSync(path, 'mine');
    expect(await code(finish(sink))).toBe('file-exists');
    expect(readFileSync(path, 'utf8')).toBe('mine');
    expect(readdirSync(at)).toEqual(['out.sqlite']);
  });

  it('overwrites with force, only at the end', async () => {
    const at = await fresh();
    const path = join(at, 'out.sqlite');
    writeFileSync(path, 'old');
    const sink = await open(path, { force: true });
    sink.exchange(exchange(1, {}));
    expect(readFileSync(path, 'utf8')).toBe('old');
    await finish(sink);
    expect(await query(path, 'SELECT count(*) AS n FROM exchanges')).toEqual([{ n: 1 }]);
    expect(readdirSync(at)).toEqual(['out.sqlite']);
  });

  it('leaves nothing after abort, also twice and after work', async () => {
    const at = await fresh();
    const sink = await open(join(at, 'out.sqlite'), { sqliteFileBytes: 1 });
    for (let id = 1; id < 9000; id++) {
      sink.exchange(exchange(id, { target: `/${id}` }));
      if (id % 1000 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect(readdirSync(at).length).toBeGreaterThan(0);
    await sink.abort();
    await sink.abort();
    expect(readdirSync(at)).toEqual([]);
  });

  it('says what is wrong with a directory', async () => {
    const at = await fresh();
    expect(await code(open(join(at, 'no', 'out.sqlite')))).toBe('directory-missing');
    await mkdir(join(at, 'd'));
    expect(await code(open(join(at, 'd'), { force: true }))).toBe('is-a-directory');
    if (process.getuid?.() === 0) {
      console.log('not tried as root, who may write everywhere: a directory without write permission');
    } else {
      chmodSync(join(at, 'd'), 0o500);
      expect(await code(open(join(at, 'd', 'out.sqlite')))).toBe('not-writable');
    }
  });

  it('reports a full disk and leaves nothing', async () => {
    if (!existsSync('/dev/full')) {
      console.log('not tried: this system has no /dev/full');
      return;
    }
    const at = await fresh();
    const path = join(at, 'out.sqlite');
    const sink = await open(path);
    const [temporary] = readdirSync(at);
    // The worker opens the temporary name when it writes: let that lead to a device that is always full.
    spawnSync('ln', ['-sf', '/dev/full', join(at, temporary)]);
    sink.exchange(exchange(1, {}));
    expect(await code(finish(sink))).toBe('disk-full');
    expect(await code(sink.drain() ?? Promise.resolve())).toBe('disk-full');
    expect(readdirSync(at)).toEqual([]);
  });

  it('leaves nothing when its thread dies', async () => {
    const at = await fresh();
    const posts = vi.spyOn(Worker.prototype, 'postMessage');
    const sink = await open(join(at, 'out.sqlite'));
    for (let id = 1; id < 5000; id++) sink.exchange(exchange(id, {}));
    const thread = posts.mock.contexts[0] as Worker;
    posts.mockRestore();
    const finishing = code(finish(sink));
    await thread.terminate();
    expect(await finishing).toBe('store-failed');
    sink.exchange(exchange(5001, {}));
    expect(await code(finish(sink))).toBe('store-failed');
    await sink.abort();
    expect(readdirSync(at)).toEqual([]);
  });

  it('leaves nothing when the process is ended by process.exit', async () => {
    const at = await fresh();
    const dist = new URL('../../dist/store/sqlite-sink.js', import.meta.url).href;
    const script = `import { createSqliteSink } from ${JSON.stringify(dist)};
      await createSqliteSink({ path: ${JSON.stringify(join(at, 'out.sqlite'))}, force: false, limits: { sqliteFileBytes: 1e9 }, clock: { epochSeconds: 0 }, version: '' });
      process.exit(7);`;
    const ended = spawnSync(process.execPath, ['--input-type=module', '-e', script]);
    expect(ended.status).toBe(7);
    expect(readdirSync(at)).toEqual([]);
  });
});
