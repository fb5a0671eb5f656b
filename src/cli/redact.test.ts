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
import { afterAll, describe, expect, it } from 'vitest';
import { pcapFile } from '../../fixtures/build/capture-file.ts';
import { conversation } from '../../fixtures/build/conversation.ts';
import { FIXTURES } from '../../scripts/expected-exchanges.mjs';
import { packetsOf } from '../../test/pipeline-run.ts';
import { EXIT, UserError } from '../model/errors.ts';
import type { Exchange } from '../model/exchange.ts';
import { LIMITS } from '../model/limits.ts';
import { readStoredExchanges } from '../store/exchange-reader.ts';
import { repeatableRun } from './capture-run.ts';
import { analyze } from './commands/analyze.ts';
import { type RedactFlags, redact } from './commands/redact.ts';
import { readRedactionKey } from './redaction-key.ts';

const directory = mkdtempSync(join(tmpdir(), 'wirelens-redact-cli-'));
afterAll(() => rmSync(directory, { recursive: true }));
let cases = 0;
function fresh(): string {
  cases += 1;
  const path = join(directory, String(cases));
  mkdirSync(path);
  return path;
}

const SECRET = 'k9Xw2mPq7RtZ';
const CLIENT = '93.184.216.34';
const script = conversation({ client: { address: CLIENT, port: 40_000 } })
  .handshake()
  .fromClient(
    `POST /login?token=${SECRET} HTTP/1.1\r\nHost: shop.acme.example\r\nCookie: sid=${SECRET}\r\nX-Forwarded-For: ${CLIENT}\r\nContent-Type: application/json\r\nContent-Length: 27\r\n\r\n{"password":"${SECRET}"}`,
  )
  .fromServer(`HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n${SECRET}`)
  .fin();
const CAPTURE = join(directory, 'secret.pcap');
writeFileSync(CAPTURE, pcapFile(packetsOf(script.segments), { resolution: 'nano' }));

const run = (flags: Partial<RedactFlags> & Pick<RedactFlags, 'write'>, files = [CAPTURE]): Promise<number> =>
  redact(files, { color: 'never', progress: false, quiet: true, ...flags }, '1.2.3');

async function exchangesOf(path: string): Promise<Exchange[]> {
  const exchanges: Exchange[] = [];
  await repeatableRun([path], { limits: LIMITS }).run({ onExchange: (one) => exchanges.push(one) });
  return exchanges;
}

async function errorOf(promise: Promise<unknown>): Promise<UserError> {
  const error = await promise.then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(UserError);
  return error as UserError;
}

describe('wirelens redact', () => {
  it('writes a copy without secrets and a manifest that tells what was replaced, but not what it was', async () => {
    const folder = fresh();
    const copy = join(folder, 'copy.pcapng');
    expect(await run({ write: copy })).toBe(EXIT.fine);
    expect(readdirSync(folder).sort()).toEqual(['copy.pcapng', 'copy.pcapng.manifest.json']);
    const [exchange] = await exchangesOf(copy);
    expect(exchange?.request?.target).toMatch(
      /^\/login\?token=(?!k9Xw2mPq7RtZ)[a-z]\d[A-Z][a-z]\d[a-z][A-Z][a-z]\d[A-Z][a-z][A-Z]$/,
    );
    expect(exchange?.request?.host).toMatch(/^[a-z]{4}\.[a-z]{4}\.example$/);
    expect(exchange?.request?.headers).toContainEqual({
      name: 'x-forwarded-for',
      value: exchange?.client.address,
    });
    expect(readFileSync(copy).includes(SECRET)).toBe(false);
    const text = readFileSync(`${copy}.manifest.json`, 'utf8');
    expect(text).not.toMatch(/k9Xw2mPq7RtZ|acme|93\.184|secret\.pcap/);
    const manifest = JSON.parse(text);
    expect(manifest).toMatchObject({
      copy: { kind: 'pcapng', packets: script.segments.length, exchanges: 1 },
      key: 'random, kept nowhere',
      replaced: {
        addresses: expect.any(Number),
        cookies: { sid: 1 },
        query: { token: 1 },
        'JSON values': { password: 1 },
        'header fields': { cookie: 1, host: 1, 'x-forwarded-for': 1 },
      },
      kept: { 'header fields': { 'content-type': 1, 'content-length': 2 }, 'path segments': 1 },
      verification: { differing_exchanges: 0 },
    });
  });

  it('gives the same copy under the same key, and another one without', async () => {
    const folder = fresh();
    const key = join(folder, 'key');
    writeFileSync(key, 'a key of enough length\n');
    const copies: Buffer[] = [];
    for (const [name, flags] of Object.entries({ a: { key }, b: { key }, c: {}, d: {} })) {
      await run({ write: join(folder, name), ...flags });
      copies.push(readFileSync(join(folder, name)));
    }
    expect(copies[0]).toEqual(copies[1]);
    expect(copies[2]).not.toEqual(copies[0]);
    expect(copies[2]).not.toEqual(copies[3]);
    expect(readFileSync(join(folder, 'a.manifest.json'), 'utf8')).not.toContain('enough length');
  });

  it('keeps addresses and hosts when asked, and still no secret', async () => {
    const copy = join(fresh(), 'copy');
    await run({ write: copy, keepAddresses: true, keepHosts: true });
    const [exchange] = await exchangesOf(copy);
    expect(exchange?.client.address).toBe(CLIENT);
    expect(exchange?.request?.host).toBe('shop.acme.example');
    expect(readFileSync(copy).includes(SECRET)).toBe(false);
  });

  it('scrubs bodies and paths when asked', async () => {
    const copy = join(fresh(), 'copy');
    await run({ write: copy, scrubBodies: true, maskPaths: true });
    const bytes = readFileSync(copy);
    expect(bytes.includes('{"password"')).toBe(false);
    expect(bytes.includes('/login')).toBe(false);
  });

  it('turns a SQLite file into one of the same exchanges', async () => {
    const folder = fresh();
    const [store, copy] = [join(folder, 'a.sqlite'), join(folder, 'b.sqlite')];
    const flags = { color: 'never', progress: false, quiet: true, summary: false } as const;
    await analyze([CAPTURE], { ...flags, reveal: true, output: store, format: 'summary' }, '1.2.3');
    expect(await run({ write: copy }, [store])).toBe(EXIT.fine);
    const stored: Exchange[] = [];
    await readStoredExchanges(
      [copy],
      [
        {
          exchange: (one) => stored.push(one),
          connection() {},
          drain: () => null,
          finish: async () => {},
          abort: async () => {},
        },
      ],
      { clock: { epochSeconds: null } },
    );
    expect(
      stored.map(({ request, response }) => [request?.method, response?.status, request?.bodyBytes]),
    ).toEqual([['POST', 200, 27]]);
    expect(readFileSync(store).includes(SECRET)).toBe(true);
    expect(readFileSync(copy).includes(SECRET)).toBe(false);
    expect(readFileSync(copy).includes('secret.pcap')).toBe(false);
    expect(readFileSync(copy).includes(CLIENT)).toBe(false);
    expect(JSON.parse(readFileSync(`${copy}.manifest.json`, 'utf8')).copy).toEqual({
      kind: 'sqlite',
      exchanges: 1,
    });
  });

  it('says of a damaged capture that it was read up to the damage', async () => {
    const folder = fresh();
    const cut = join(folder, 'cut.pcap');
    writeFileSync(cut, readFileSync(CAPTURE).subarray(0, -5));
    expect(await run({ write: join(folder, 'copy') }, [cut])).toBe(EXIT.salvaged);
  });

  it.each([
    ['no file', [], {}, 'no file is named'],
    ['standard input', ['-'], {}, 'read several times'],
    ['the copy on standard output', [CAPTURE], { write: '-' }, 'checked before'],
  ])('refuses %s', async (_, files, flags, message) => {
    const error = await errorOf(run({ write: join(fresh(), 'copy'), ...flags }, files));
    expect(error.exitCode).toBe(EXIT.usage);
    expect(error.message).toContain(message);
    expect(error.hint).not.toBeNull();
  });

  it('overwrites nothing without --force, and never its input', async () => {
    const folder = fresh();
    const copy = join(folder, 'copy');
    writeFileSync(copy, 'mine');
    expect((await errorOf(run({ write: copy }))).code).toBe('file-exists');
    expect(readFileSync(copy, 'utf8')).toBe('mine');
    expect(readdirSync(folder)).toEqual(['copy']);
    expect((await errorOf(run({ write: CAPTURE, force: true }))).code).toBe('is-input');
    expect(await run({ write: copy, force: true })).toBe(EXIT.fine);
  });

  it('leaves nothing behind when the input is no capture', async () => {
    const folder = fresh();
    const text = join(folder, 'text');
    writeFileSync(text, 'just some text that is no capture at all');
    await errorOf(run({ write: join(folder, 'copy') }, [text]));
    expect(readdirSync(folder)).toEqual(['text']);
    await errorOf(run({ write: join(folder, 'copy') }, [join(folder, 'missing')]));
    expect(existsSync(join(folder, 'copy'))).toBe(false);
  });

  it('reads pcapng too', async () => {
    const copy = join(fresh(), 'copy');
    expect(await run({ write: copy }, [join(FIXTURES, 'web-shop', 'capture.pcapng')])).toBe(EXIT.fine);
    expect((await exchangesOf(copy)).length).toBeGreaterThan(0);
  });
});

describe('--key', () => {
  it.each([
    ['env:MISSING', 'no environment variable MISSING'],
    ['env:SHORT', '3 bytes'],
    ['/no/such/file', /cannot be read: no such file$/],
  ])('%s is refused', (source, message) => {
    expect(() => readRedactionKey(source, { SHORT: 'abc' })).toThrow(message);
  });

  it('is the same from a file and from the environment', () => {
    const path = join(directory, 'a-key');
    writeFileSync(path, 'correct horse battery staple\n');
    const fromFile = readRedactionKey(path).bytes('x', 'y', 8);
    const fromEnvironment = readRedactionKey('env:K', { K: 'correct horse battery staple' }).bytes(
      'x',
      'y',
      8,
    );
    expect(fromFile).toEqual(fromEnvironment);
  });
});
