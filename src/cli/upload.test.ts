import { type ChildProcess, spawn } from 'node:child_process';
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { pcapFile } from '../../fixtures/build/capture-file.ts';
import { conversation } from '../../fixtures/build/conversation.ts';
import { framesOf } from '../../fixtures/build/frames.ts';
import { runHere } from '../../test/run-here.ts';
import { StubServer } from '../../test/stub-server.ts';
import { UploadInputs } from './client/upload-identity.ts';

/** `wirelens upload` in a process of its own, against a stub of the server. */

const WIRELENS = path.resolve(import.meta.dirname, '../../bin/wirelens.js');
const SHOP = path.resolve(import.meta.dirname, '../../fixtures/web-shop/capture.pcapng');
const folder = mkdtempSync(path.join(tmpdir(), 'wirelens-upload-test-'));
const place = (name: string): string => path.join(folder, name);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let stub: StubServer;
beforeEach(async () => {
  stub = await StubServer.start({ token: 'sesam' });
});
afterEach(() => stub.stop());

interface Run {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

interface Surroundings {
  readonly env?: Record<string, string>;
  readonly input?: Buffer;
  readonly started?: (child: ChildProcess) => void;
}

function wirelens(args: readonly string[], { env = {}, input, started }: Surroundings = {}): Promise<Run> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [WIRELENS, ...args], {
      cwd: folder,
      env: {
        PATH: process.env.PATH,
        TMPDIR: folder,
        WIRELENS_SERVER: stub.url,
        WIRELENS_TOKEN: 'sesam',
        ...env,
      },
    });
    let out = '';
    let err = '';
    child.stdout.on('data', (data: Buffer) => {
      out += data;
    });
    child.stderr.on('data', (data: Buffer) => {
      err += data;
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, out, err }));
    child.stdin.on('error', () => {});
    child.stdin.end(input ?? '');
    started?.(child);
  });
}

const upload = (args: readonly string[], surroundings?: Surroundings): Promise<Run> =>
  wirelens(['upload', ...args], surroundings);

/** Values of a column of a stored batch, one a row. */
function column(
  body: { readonly columns: Readonly<Record<string, unknown>> },
  name: string,
  rows: number,
): unknown[] {
  const found = body.columns[name] as unknown;
  if (Array.isArray(found)) return found as unknown[];
  const { all, texts, codes } = found as { all?: unknown; texts?: unknown[]; codes?: number[] };
  if (texts !== undefined && codes !== undefined) return codes.map((code) => texts[code] ?? null);
  return Array<unknown>(rows).fill(all);
}

/** Targets of everything that was stored, in the order of the batches. */
const storedTargets = (): unknown[] =>
  [...stub.uploads]
    .sort((a, b) => (a.batch ?? 0) - (b.batch ?? 0))
    .flatMap(({ body, rows }) => column(body, 'target', rows));

const EXCHANGES = 9000;
const BIG = 'big.pcap';
const bigTargets = Array.from({ length: EXCHANGES }, (_, index) => `/item/${index}`);
beforeAll(() => {
  const script = conversation().handshake();
  // Large enough that it is not read in one go.
  const padding = 'x'.repeat(1000);
  for (const target of bigTargets) {
    script.fromClient(`GET ${target} HTTP/1.1\r\nHost: big.test\r\nX-Padding: ${padding}\r\n\r\n`);
    script.fromServer('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi');
  }
  writeFileSync(place(BIG), pcapFile(framesOf(script.segments, 'ethernet')));
});

describe('what arrives', () => {
  it('is every exchange of a capture, in numbered batches, with who sends it', async () => {
    const { code, out, err } = await upload([BIG, '--agent-name', 'wörker', '--node', 'node-a'], {
      env: { POD_NAME: 'job-1', POD_NAMESPACE: 'shop' },
    });
    expect([code, out]).toEqual([0, '']);
    expect(err).toBe(
      `uploaded 9,000 exchanges to ${stub.url} as wörker: 9,000 new (5 batches, ${/\(5 batches, (.*)\)/.exec(err)?.[1]})\n`,
    );
    expect(storedTargets()).toEqual(bigTargets);
    const numbers = stub.uploads.map(({ batch }) => batch).sort();
    expect(numbers).toEqual([1, 2, 3, 4, 5]);
    for (const { headers } of stub.uploads) {
      expect(Buffer.from(String(headers['x-wirelens-agent']), 'latin1').toString()).toBe('wörker');
      expect([
        headers['x-wirelens-node'],
        headers['x-wirelens-pod'],
        headers['x-wirelens-namespace'],
      ]).toEqual(['node-a', 'job-1', 'shop']);
    }
  });

  it('is the same from the SQLite file that analyze wrote of it', async () => {
    await wirelens(['analyze', SHOP, '-o', 'shop.sqlite', '-q']);
    await upload([SHOP]);
    await upload(['shop.sqlite']);
    const [fromCapture, fromStore] = stub.uploads;
    expect(fromCapture.rows).toBeGreaterThan(200);
    expect(fromStore.body).toEqual(fromCapture.body);
    expect(fromStore.stream).not.toBe(fromCapture.stream);
  });

  it('is what --where and a packet filter let through', async () => {
    await upload(['-r', SHOP, '--where', 'status >= 500', 'tcp', 'port', '8080']);
    const [{ body, rows }] = stub.uploads;
    const { out } = await wirelens([
      'export',
      SHOP,
      '-f',
      'json',
      '--where',
      'status >= 500',
      '--port',
      '8080',
    ]);
    expect(rows).toBe(out.split('\n').length - 1);
    for (const status of column(body, 'status', rows)) expect(status).toBeGreaterThanOrEqual(500);
  });
});

describe('again', () => {
  it('stores nothing new, and says so', async () => {
    await upload([SHOP]);
    const before = stub.uploads.length;
    stub.requests.length = 0;
    const { code, err } = await upload([SHOP]);
    expect([code, err]).toEqual([
      0,
      expect.stringMatching(/^nothing new: all \d+ exchanges are at .* already\n$/),
    ]);
    expect(stub.uploads).toHaveLength(before);
    expect(stub.requests.filter((request) => request.startsWith('POST'))).toEqual([]);
  });

  it('sends what is missing, and nothing else', async () => {
    await upload([BIG]);
    const stream = stub.uploads[0].stream as string;
    stub.forget(stream, 2);
    stub.forget(stream, 5);
    stub.uploads.length = 0;
    const { err } = await upload([BIG]);
    expect(stub.uploads.map(({ batch }) => batch).sort()).toEqual([2, 5]);
    expect(err).toContain('uploaded 3,000 exchanges');
    expect(err).toContain('6,000 there already');
  });

  it('takes the same content by another name for the same, and other options or another order for something else', async () => {
    writeFileSync(place('copy.pcapng'), readFileSync(SHOP));
    const choices = { version: '1', batchRows: 2000, batchBytes: 1e6, agent: null, options: { port: null } };
    const streamOf = async (
      files: readonly string[],
      more: Partial<typeof choices> = {},
    ): Promise<string> => {
      const inputs = await UploadInputs.read(files.map(place), () => {}, new AbortController().signal);
      return inputs.stream({ ...choices, ...more });
    };
    writeFileSync(place('shop.pcapng'), readFileSync(SHOP));
    const stream = await streamOf(['shop.pcapng']);
    expect(stream).toMatch(/^upload-[0-9a-f]{40}$/);
    expect(await streamOf(['copy.pcapng'])).toBe(stream);
    const others = [
      await streamOf(['shop.pcapng', BIG]),
      await streamOf([BIG, 'shop.pcapng']),
      await streamOf(['shop.pcapng', 'copy.pcapng']),
      await streamOf(['shop.pcapng'], { version: '2' }),
      await streamOf(['shop.pcapng'], { options: { port: null, where: 'status >= 500' } as never }),
      await streamOf(['shop.pcapng'], { agent: 'a' as never }),
    ];
    expect(new Set([stream, ...others]).size).toBe(7);
  });

  it('--dry-run sends nothing, and says what it would be', async () => {
    const { out } = await upload([SHOP, '--dry-run']);
    expect(out).toMatch(
      /^would upload 261 exchanges in 1 batch \(.* kB\) as upload:.*, stream upload-[0-9a-f]{40}\n$/,
    );
    expect(stub.requests).toEqual([]);
  });

  it('goes on after Ctrl-C, and in the end everything is there once and in order', async () => {
    // The answer takes its time, so that the signal finds batches under way.
    let child: ChildProcess | undefined;
    stub.faults.push(
      () => null,
      async () => {
        child?.kill('SIGINT');
        await new Promise((resolve) => setTimeout(resolve, 300));
        return null;
      },
    );
    const stopped = await upload([BIG], {
      started: (one) => {
        child = one;
      },
    });
    expect(stopped.err).toMatch(/stopped: [\d,]+ exchanges are at .*; the same command again goes on/);
    expect(stopped.code).toBe(1);
    const first = stub.uploads.length;
    expect(first).toBeLessThanOrEqual(5);
    for (const { rows, batch } of stub.uploads) expect(rows).toBe(batch === 5 ? 1000 : 2000);
    const again = await upload([BIG]);
    expect(again.code).toBe(0);
    expect(storedTargets()).toEqual(bigTargets);
    expect(stub.repeated).toBe(0);
  });
});

describe('a server that fails', () => {
  it('is tried again, and a batch whose answer was lost is not stored twice', async () => {
    stub.faults.push(
      () => ({ status: 503, headers: { 'retry-after': '0' } }),
      () => null,
      () => 'cut-before',
      () => 'cut-after',
      () => ({ status: 500, body: '<html>' }),
    );
    const { code, err } = await upload([BIG]);
    expect(code).toBe(0);
    expect(storedTargets()).toEqual(bigTargets);
    expect(stub.repeated).toBe(1);
    expect(err).toContain('trying again');
    expect(err).toMatch(/uploaded 9,000 exchanges .*: 7,000 new, 2,000 arrived though the answer was lost/);
  });

  it('is left alone after --retry-for, and the same command goes on later', async () => {
    const away = (): { readonly status: number } => ({ status: 503 });
    stub.faults.push(
      () => null,
      () => null,
      ...Array<() => { readonly status: number }>(200).fill(away),
    );
    const { code, err } = await upload([BIG, '--retry-for', '300ms']);
    expect(code).toBe(1);
    expect(err).toMatch(
      /2,000 exchanges of [\d,]+ read until now are at the server; the same command again goes on/,
    );
    stub.faults.length = 0;
    expect((await upload([BIG])).code).toBe(0);
    expect(storedTargets()).toEqual(bigTargets);
  });

  it.each([
    ['a wrong token', { WIRELENS_TOKEN: 'wrong' }, /does not accept the token/],
    ['a server that is not there', { WIRELENS_SERVER: 'https://no-such-host.invalid' }, /is not known/],
  ])('%s is not tried again', async (_, env, message) => {
    const { code, err } = await upload([SHOP, '--retry-for', '1h'], { env });
    expect([code, err]).toEqual([1, expect.stringMatching(message)]);
    expect(stub.uploads).toEqual([]);
  });

  it('a batch that is refused ends it', async () => {
    stub.faults.push(
      () => null,
      () => ({ status: 400, body: '{"error":"row 3, column method: too long","code":"bad-batch"}' }),
    );
    const { code, err } = await upload([SHOP, '--retry-for', '1h']);
    expect([code, err]).toEqual([2, expect.stringContaining('row 3, column method: too long')]);
  });
});

describe('what is read', () => {
  it('a capture that is cut off is uploaded up to there, with exit code 3', async () => {
    writeFileSync(place('cut.pcapng'), readFileSync(SHOP).subarray(0, 9000));
    const { code, err } = await upload(['cut.pcapng']);
    expect(code).toBe(3);
    expect(err).toMatch(/uploaded \d+ exchanges/);
    expect(err).toMatch(/cut\.pcapng, packet \d+, byte \d+/);
    expect(stub.uploads).toHaveLength(1);
  });

  it('what is no capture is refused before the server is asked', async () => {
    writeFileSync(place('notes.txt'), 'what I have seen\n');
    const env = { WIRELENS_SERVER: 'http://127.0.0.1:1' };
    const { code, err } = await upload([SHOP, 'notes.txt', '--retry-for', '1h'], { env });
    expect([code, err]).toEqual([1, expect.stringMatching(/notes\.txt, byte 0: is text, not a capture/)]);
  });

  it('standard input is copied, and the copy is gone afterwards', async () => {
    const { code, err } = await upload(['-'], { input: readFileSync(SHOP) });
    expect([code, err]).toEqual([0, expect.stringContaining('uploaded 261 exchanges')]);
    expect(readdirSync(folder).filter((name) => name.startsWith('wirelens-upload-'))).toEqual([]);
  });

  it('a file that grows meanwhile is told', async () => {
    writeFileSync(place('growing.pcap'), readFileSync(place(BIG)));
    stub.faults.push(
      () => null,
      () => {
        appendFileSync(place('growing.pcap'), Buffer.alloc(16));
        return null;
      },
    );
    const { code, err } = await upload(['growing.pcap']);
    expect([code, err]).toEqual([1, expect.stringContaining('growing.pcap: it changed while it was read')]);
  });

  it.each([
    [[], 2, /no file is named/],
    [['nosuch.pcap'], 1, /nosuch\.pcap: there is no such file/],
    [['.'], 1, /it is a directory/],
    [['-', '-'], 2, /only once/],
    [[SHOP, '--agent-name', 'a\u0007b'], 2, /--agent-name/],
  ])('%j is a mistake', async (args, code, message) => {
    const run = await runHere(['upload', ...args, '--server', stub.url]);
    expect(run).toEqual({ code, err: expect.stringMatching(message) });
    expect(stub.uploads).toEqual([]);
  });

  it('no exchanges at all', async () => {
    const { code, err } = await upload([SHOP, '--where', 'status == 299']);
    expect([code, err]).toEqual([0, 'there are no exchanges in it; nothing was uploaded\n']);
  });
});
