import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { readPaths } from '../../test/capture-reading.ts';
import { analyze } from './commands/analyze.ts';
import { extract } from './commands/extract.ts';
import { show } from './commands/show.ts';
import { separateIds } from './exchange-ids.ts';

const SHOP = path.resolve(import.meta.dirname, '../../fixtures/web-shop/capture.pcapng');
const FLAGS = { progress: false, color: 'never', quiet: true } as const;

let directory = '';
let capture = '';
let store = '';
let output = '';

function listen(): void {
  output = '';
  vi.spyOn(process.stdout, 'write').mockImplementation(((chunk: string | Uint8Array, done?: unknown) => {
    output += typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString();
    if (typeof done === 'function') done();
    return true;
  }) as typeof process.stdout.write);
}

beforeAll(async () => {
  process.stdout.setMaxListeners(0);
  directory = mkdtempSync(path.join(tmpdir(), 'wirelens-stored-'));
  capture = path.join(directory, 'shop.pcapng');
  store = path.join(directory, 'shop.sqlite');
  copyFileSync(SHOP, capture);
  listen();
  await analyze([capture], { ...FLAGS, output: store, summary: false }, 'test');
  vi.restoreAllMocks();
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));
afterEach(() => vi.restoreAllMocks());

async function shown(file: string, flags: { capture?: string[]; body?: boolean; reveal?: boolean } = {}) {
  listen();
  await show([file, '17'], { ...FLAGS, format: 'text', ...flags }, 'test');
  return output;
}

describe('a SQLite file as input', () => {
  it('shows what the capture shows', async () => {
    expect(await shown(store, { body: true })).toBe(await shown(capture, { body: true }));
    expect(await shown(store, { reveal: true })).toBe(await shown(capture, { reveal: true }));
  });

  it('extracts what the capture gives', async () => {
    const write = (name: string) => path.join(directory, name);
    const flags = { ...FLAGS, between: true };
    await extract([store, '17'], { ...flags, write: write('a.pcapng') }, 'test');
    await extract([capture, '17'], { ...flags, write: write('b.pcapng') }, 'test');
    expect(readFileSync(write('a.pcapng')).equals(readFileSync(write('b.pcapng')))).toBe(true);
    const where = 'status >= 500';
    await extract([store], { ...flags, where, write: write('c.pcapng') }, 'test');
    await extract([capture], { ...flags, where, write: write('d.pcapng') }, 'test');
    expect(readFileSync(write('c.pcapng')).equals(readFileSync(write('d.pcapng')))).toBe(true);
    expect((await readPaths([write('c.pcapng')])).packets.length).toBeGreaterThan(28);
  });

  it('says what to do when the capture has gone, or is another one', async () => {
    const moved = path.join(directory, 'elsewhere');
    const alone = path.join(directory, 'alone.sqlite');
    const gone = path.join(directory, 'gone.pcapng');
    copyFileSync(capture, gone);
    listen();
    await analyze([gone], { ...FLAGS, output: alone, summary: false }, 'test');
    vi.restoreAllMocks();
    rmSync(gone);
    const facts = await shown(alone);
    expect(facts).toContain('Exchange 17  GET shop.test:8080/api/products/2 -> 200 OK');
    expect(facts.replaceAll('\n', ' ')).toMatch(/is not there\..*--capture FILE/);
    const write = path.join(directory, 'never.pcapng');
    const flags = { ...FLAGS, between: true, write };
    await expect(extract([alone, '17'], flags, 'test')).rejects.toThrow(/is not there/);
    copyFileSync(capture, moved);
    expect(await shown(alone, { capture: [moved] })).toContain('GET /api/products/2 HTTP/1.1');
    writeFileSync(gone, readFileSync(capture).subarray(0, 40_000));
    expect((await shown(alone)).replaceAll('\n', ' ')).toMatch(/has changed since/);
    await expect(extract([alone, '17'], flags, 'test')).rejects.toThrow(/not the capture/);
  });
});

describe('separateIds', () => {
  it('tells ids from files', () => {
    const { files, ids } = separateIds(['a.pcap', '3,7-9', './17', '12']);
    expect(files).toEqual(['a.pcap', './17']);
    expect([2, 3, 6, 7, 8, 9, 10, 12].filter((id) => ids.has(id))).toEqual([3, 7, 8, 9, 12]);
    expect(() => ids.check(11, 'a.pcap')).toThrow(/no exchange 12/);
    expect(() => ids.check(12, 'a.pcap')).not.toThrow();
    for (const wrong of ['0', '9-7', '1,0', '1,,2', '1.5', '3-', '18446744073709551616'])
      expect(() => separateIds([wrong])).toThrow(/not an id/);
  });
});
