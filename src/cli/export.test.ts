import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parquetReadObjects } from 'hyparquet';
import { afterAll, describe, expect, it } from 'vitest';
import { FIXTURES } from '../../scripts/expected-exchanges.mjs';
import { readCsv } from '../../test/read-csv.ts';
import { readZeekLog } from '../../test/read-zeek.ts';
import { EXIT } from '../model/errors.ts';
import { analyze } from './commands/analyze.ts';
import { type ExportFlags, exportExchanges } from './commands/export.ts';

const directory = mkdtempSync(join(tmpdir(), 'wirelens-export-'));
afterAll(() => rmSync(directory, { recursive: true }));
let cases = 0;
function fresh(): string {
  cases += 1;
  const path = join(directory, String(cases));
  mkdirSync(path);
  return path;
}

/** Three requests on a connection each, one TLS connection and one of another protocol; see its about.md. */
const CAPTURE = join(FIXTURES, 'mixed-traffic', 'capture.pcap');
const run = (flags: Partial<ExportFlags> & Pick<ExportFlags, 'format'>, files = [CAPTURE]): Promise<number> =>
  exportExchanges(files, { color: 'never', progress: false, quiet: true, ...flags }, '1.2.3');

describe('wirelens export', () => {
  it('writes a file that holds every exchange', async () => {
    const folder = fresh();
    expect(await run({ format: 'csv', write: join(folder, 'a.csv') })).toBe(EXIT.fine);
    const [head, ...rows] = readCsv(readFileSync(join(folder, 'a.csv'), 'utf8'));
    expect(rows.map((row) => row[head.indexOf('target')])).toEqual(['/one', '/two', '/three']);

    expect(await run({ format: 'har', write: join(folder, 'a.har') })).toBe(EXIT.fine);
    const har = JSON.parse(readFileSync(join(folder, 'a.har'), 'utf8'));
    expect(har.log.creator).toEqual({ name: 'Wirelens', version: '1.2.3' });
    expect(har.log.entries.map((entry: { request: { url: string } }) => entry.request.url)).toEqual([
      'http://127.0.0.1:8080/one',
      'http://127.0.0.1:31337/two',
      'http://127.0.0.1:8080/three',
    ]);

    expect(await run({ format: 'json', write: join(folder, 'a.jsonl') })).toBe(EXIT.fine);
    const lines = readFileSync(join(folder, 'a.jsonl'), 'utf8').trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line).target)).toEqual(['/one', '/two', '/three']);

    expect(await run({ format: 'parquet', write: join(folder, 'a.parquet') })).toBe(EXIT.fine);
    const file = new Uint8Array(readFileSync(join(folder, 'a.parquet'))).buffer;
    const columns = ['target', 'status'];
    expect(await parquetReadObjects({ file, columns })).toEqual([
      { target: '/one', status: 200n },
      { target: '/two', status: 200n },
      { target: '/three', status: 200n },
    ]);
    expect(readdirSync(folder).sort()).toEqual(['a.csv', 'a.har', 'a.jsonl', 'a.parquet']);
  });

  it("writes Zeek's two logs into a directory, which it makes", async () => {
    const logs = join(fresh(), 'logs');
    expect(await run({ format: 'zeek', write: logs })).toBe(EXIT.fine);
    expect(readdirSync(logs).sort()).toEqual(['conn.log', 'http.log']);
    const http = readZeekLog(readFileSync(join(logs, 'http.log'), 'utf8'));
    const conn = readZeekLog(readFileSync(join(logs, 'conn.log'), 'utf8'));
    expect(http.rows).toHaveLength(3);
    expect(conn.rows.map(({ service }) => service)).toEqual(['http', 'ssl', null, 'http', 'http']);
    expect(conn.rows.filter(({ service }) => service === 'http').map(({ uid }) => uid)).toEqual(
      http.rows.map(({ uid }) => uid),
    );
  });

  it('writes them as JSON too', async () => {
    const logs = fresh();
    expect(await run({ format: 'zeek', zeekJson: true, write: logs })).toBe(EXIT.fine);
    const [first] = readFileSync(join(logs, 'http.log'), 'utf8').split('\n');
    expect(JSON.parse(first)).toMatchObject({
      'id.orig_h': '127.0.0.1',
      uri: '/one',
      status_code: 200,
      tags: [],
    });
  });

  it('gives the same from the SQLite file that analyze wrote', async () => {
    const folder = fresh();
    const capture = join(FIXTURES, 'web-shop', 'capture.pcapng');
    const stored = join(folder, 'stored.sqlite');
    await analyze(
      [capture],
      { color: 'never', progress: false, quiet: true, summary: false, output: stored },
      '1.2.3',
    );
    const written = async (flags: Pick<ExportFlags, 'format'> & Partial<ExportFlags>, file: string) => {
      const path = join(folder, 'out');
      await run({ ...flags, force: true, write: path }, [file]);
      if (flags.format !== 'zeek') return readFileSync(path, 'utf8');
      const texts = ['http.log', 'conn.log'].map((log) => readFileSync(join(path, log), 'utf8'));
      rmSync(path, { recursive: true });
      // The file has the connections in another order than that in which they ended.
      return texts.map((text) => text.split('\n').sort());
    };
    for (const format of ['zeek', 'csv', 'json', 'har'] as const)
      expect(await written({ format }, stored), format).toEqual(await written({ format }, capture));
  });

  it('replaces nothing without --force', async () => {
    const folder = fresh();
    const path = join(folder, 'a.csv');
    writeFileSync(path, 'mine');
    await expect(run({ format: 'csv', write: path })).rejects.toMatchObject({ code: 'file-exists' });
    expect(readFileSync(path, 'utf8')).toBe('mine');
    writeFileSync(join(folder, 'conn.log'), 'mine');
    await expect(run({ format: 'zeek', write: folder })).rejects.toMatchObject({ code: 'file-exists' });
    expect(readdirSync(folder).sort()).toEqual(['a.csv', 'conn.log']);
    expect(await run({ format: 'csv', write: path, force: true })).toBe(EXIT.fine);
    expect(readFileSync(path, 'utf8')).toMatch(/^id,/);
  });

  it('leaves nothing behind when it fails', async () => {
    const folder = fresh();
    await expect(run({ format: 'har', maxEntries: 2, write: join(folder, 'a.har') })).rejects.toMatchObject({
      code: 'har-too-large',
    });
    await expect(
      run({ format: 'csv', write: join(folder, 'a.csv') }, [join(folder, 'none.pcap')]),
    ).rejects.toThrow();
    const noCapture = join(folder, 'no-capture');
    writeFileSync(noCapture, 'this is no capture at all, only some text');
    await expect(run({ format: 'zeek', write: join(folder, 'logs') }, [noCapture])).rejects.toThrow();
    expect(readdirSync(folder)).toEqual(['no-capture']);
  });

  it('never writes over a capture that it reads', async () => {
    await expect(run({ format: 'csv', write: CAPTURE, force: true })).rejects.toMatchObject({
      code: 'is-input',
    });
    expect(existsSync(CAPTURE)).toBe(true);
  });

  it.each([
    [{ format: 'har', csvSafe: true }, '--csv-safe is about --format csv'],
    [{ format: 'csv', maxEntries: 3 }, '--max-entries is about --format har'],
    [{ format: 'json', zeekJson: true }, '--zeek-json is about --format zeek'],
    [{ format: 'csv', zeekLog: 'conn' }, '--zeek-log is about --format zeek'],
    [
      { format: 'zeek', zeekLog: 'conn', write: '/nowhere' },
      '--zeek-log chooses what goes to standard output',
    ],
    [{ format: 'csv', force: true }, '--force is about the files of -w'],
  ] as const)('refuses options that would go unheard: %j', async (flags, message) => {
    await expect(run(flags)).rejects.toMatchObject({
      message: expect.stringContaining(message),
      exitCode: EXIT.usage,
    });
  });

  it('refuses a file where Zeek needs a directory', async () => {
    const path = join(fresh(), 'file');
    writeFileSync(path, '');
    await expect(run({ format: 'zeek', write: path })).rejects.toMatchObject({ code: 'not-a-directory' });
  });
});
