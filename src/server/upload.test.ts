import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { BATCH_HEADERS, batchBody, exchangeRow, runServer } from '../../test/server/run-server.ts';
import { StoreUnavailable } from '../store/exchange-store.ts';

describe('POST /api/v1/upload', async () => {
  const server = await runServer();
  afterAll(() => server.running.close());
  const upload = (body: Uint8Array | string, headers: Readonly<Record<string, string>> = BATCH_HEADERS) =>
    server.ask('POST', '/api/v1/upload', { body, headers });
  const listed = async (query: string) =>
    (await server.ask('GET', `/api/v1/exchanges?${query}`)).json.exchanges;

  it('stores a batch with who saw it', async () => {
    const headers = {
      ...BATCH_HEADERS,
      'x-wirelens-agent': 'first',
      'x-wirelens-node': 'worker-1',
      'x-wirelens-pod': 'wirelens-abc',
      'x-wirelens-namespace': 'wirelens',
    };
    const answer = await upload(
      batchBody([exchangeRow(), exchangeRow({ status: 404, target: '/no' })]),
      headers,
    );
    expect([answer.status, answer.json]).toEqual([
      200,
      { stored: 2, joined: 0, repeated_rows: 0, repeated: false },
    ]);
    const [newest] = await listed('agent=first&sort=id&limit=1');
    expect(newest).toMatchObject({
      status: 404,
      target: '/no',
      agent: 'first',
      node: 'worker-1',
      pod: 'wirelens-abc',
      namespace: 'wirelens',
      wait_ms: 12.5,
    });
  });

  it('reads names as UTF-8, as a client can send them', async () => {
    const name = 'Knoten-ä-節点';
    const headers = { ...BATCH_HEADERS, 'x-wirelens-agent': Buffer.from(name).toString('latin1') };
    expect((await upload(batchBody([exchangeRow()]), headers)).status).toBe(200);
    expect(await listed(`agent=${encodeURIComponent(name)}`)).toHaveLength(1);
  });

  it('acknowledges a repeated batch and does not store it again', async () => {
    const headers = {
      ...BATCH_HEADERS,
      'x-wirelens-agent': 'again',
      'x-wirelens-stream': 's-1',
      'x-wirelens-batch': '7',
    };
    const body = batchBody([exchangeRow()]);
    expect((await upload(body, headers)).json).toEqual({
      stored: 1,
      joined: 0,
      repeated_rows: 0,
      repeated: false,
    });
    expect((await upload(body, headers)).json).toEqual({
      stored: 0,
      joined: 0,
      repeated_rows: 0,
      repeated: true,
    });
    expect(await listed('agent=again')).toHaveLength(1);
    const state = await server.ask('GET', '/api/v1/upload/streams/s-1');
    expect(state.json).toEqual({ last: 7, missing: [[1, 6]] });
  });

  it('takes a batch without compression', async () => {
    const { gunzipSync } = await import('node:zlib');
    const { 'content-encoding': _, ...headers } = BATCH_HEADERS;
    expect((await upload(gunzipSync(batchBody([exchangeRow()])), headers)).json.stored).toBe(1);
  });

  const refusals: readonly [string, Uint8Array | string, Readonly<Record<string, string>>, number, string][] =
    [
      [
        'no agent',
        batchBody([exchangeRow()]),
        { 'x-wirelens-agent': undefined as never },
        400,
        'agent-missing',
      ],
      [
        'a name with a control character',
        batchBody([exchangeRow()]),
        { 'x-wirelens-agent': 'a\tb' },
        400,
        'invalid-name',
      ],
      [
        'a name that is not UTF-8',
        batchBody([exchangeRow()]),
        { 'x-wirelens-node': 'a\xff' },
        400,
        'invalid-name',
      ],
      ['a long name', batchBody([exchangeRow()]), { 'x-wirelens-pod': 'n'.repeat(201) }, 400, 'invalid-name'],
      [
        'a stream without a number',
        batchBody([exchangeRow()]),
        { 'x-wirelens-stream': 's' },
        400,
        'invalid-batch-number',
      ],
      [
        'a number without a stream',
        batchBody([exchangeRow()]),
        { 'x-wirelens-batch': '1' },
        400,
        'invalid-batch-number',
      ],
      [
        'number 0',
        batchBody([exchangeRow()]),
        { 'x-wirelens-stream': 's', 'x-wirelens-batch': '0' },
        400,
        'invalid-request',
      ],
      [
        'a number beyond 2^53',
        batchBody([exchangeRow()]),
        { 'x-wirelens-stream': 's', 'x-wirelens-batch': '9007199254740992' },
        400,
        'invalid-batch-number',
      ],
      [
        'a path for a stream',
        batchBody([exchangeRow()]),
        { 'x-wirelens-stream': '../s', 'x-wirelens-batch': '1' },
        400,
        'invalid-request',
      ],
      ['damaged gzip', Buffer.from('no gzip'), {}, 400, 'bad-gzip'],
      ['gzip in gzip', gzipSync(batchBody([exchangeRow()])), {}, 400, 'bad-utf8'],
      ['another coding', batchBody([exchangeRow()]), { 'content-encoding': 'br' }, 400, 'invalid-request'],
      [
        'another type',
        batchBody([exchangeRow()]),
        { 'content-type': 'text/plain' },
        415,
        'unsupported-content-type',
      ],
      ['another version', gzipSync('{"v":2,"rows":1,"columns":{}}'), {}, 400, 'unknown-version'],
    ];
  for (const [what, body, headers, status, code] of refusals) {
    it(`refuses ${what}`, async () => {
      const before = (await server.store.facts()).exchanges;
      const all = Object.fromEntries(
        Object.entries({ ...BATCH_HEADERS, ...headers }).filter(([, value]) => value !== undefined),
      );
      const answer = await upload(body, all);
      expect([answer.status, answer.json.code]).toEqual([status, code]);
      expect((await server.store.facts()).exchanges).toBe(before);
    });
  }

  it('says in which row and column something is wrong', async () => {
    const { gunzipSync } = await import('node:zlib');
    const batch = JSON.parse(gunzipSync(batchBody([exchangeRow(), exchangeRow({ status: 404 })])).toString());
    batch.columns.status = [200, 'teapot'];
    const answer = await upload(gzipSync(JSON.stringify(batch)));
    expect(answer.json).toMatchObject({ row: 2, column: 'status' });
    expect(answer.json.error).toMatch(/^row 2, column status: /);
  });

  it('says later when the store cannot work now, and no more than that', async () => {
    server.store.failNext = new StoreUnavailable('disk-full', 'the disk is full', true);
    const full = await upload(batchBody([exchangeRow()]));
    expect([full.status, full.json.code, full.headers.get('retry-after')]).toEqual([503, 'disk-full', '10']);
    server.store.failNext = new Error('secret insides');
    const failed = await upload(batchBody([exchangeRow()]));
    expect(failed.status).toBe(500);
    expect(failed.text).not.toContain('secret insides');
    expect(server.log.join('')).toContain('secret insides');
  });

  it('bounds what a body may be, as sent and decompressed', async () => {
    const small = await runServer({ limits: { uploadBytes: 5000, uploadPlainBytes: 20_000 } });
    const post = (body: Uint8Array) => small.ask('POST', '/api/v1/upload', { body, headers: BATCH_HEADERS });
    const bomb = gzipSync(Buffer.alloc(4_000_000, 0x20));
    expect(bomb.length).toBeLessThan(5000);
    const plain = await post(bomb);
    expect([plain.status, plain.json.code]).toEqual([413, 'too-large']);
    const long = await post(Buffer.alloc(5001));
    expect([long.status, long.json.code]).toEqual([413, 'too-large']);
    expect((await post(batchBody([exchangeRow()]))).status).toBe(200);
    await small.running.close();
  });

  it('puts uploads off when too much is under way, and takes them again afterwards', async () => {
    const tight = await runServer({ limits: { uploadsBytes: 10_000 } });
    let free = () => {};
    const held = new Promise<void>((resolve) => {
      free = resolve;
    });
    const { append } = tight.store;
    let isHeld = false;
    tight.store.append = async (...args) => {
      isHeld = true;
      await held;
      return append.apply(tight.store, args);
    };
    const post = () =>
      tight.ask('POST', '/api/v1/upload', {
        body: batchBody([exchangeRow({ target: `/${'x'.repeat(9000)}` })]),
        headers: BATCH_HEADERS,
      });
    const first = post();
    await expect.poll(() => isHeld).toBe(true);
    const second = await post();
    expect([second.status, second.json.code, second.headers.get('retry-after')]).toEqual([503, 'busy', '1']);
    free();
    expect((await first).status).toBe(200);
    expect((await post()).status).toBe(200);
    await tight.running.close();
  });

  it('gives back what an upload held when its client goes away', async () => {
    const tight = await runServer({ limits: { uploadsBytes: 50_000 } });
    const held = async (): Promise<number> => {
      const { text } = await tight.ask('GET', '/metrics');
      return Number(/^wirelens_server_upload_held_bytes (\d+)$/m.exec(text)?.[1]);
    };
    for (let turn = 0; turn < 5; turn += 1) {
      const abort = new AbortController();
      const broken = fetch(`${tight.url}/api/v1/upload`, {
        method: 'POST',
        headers: {
          ...BATCH_HEADERS,
          authorization: 'Bearer agent-token-0123456789',
          'content-length': '40000',
        },
        body: new ReadableStream({
          start: (controller) => controller.enqueue(new Uint8Array(100)),
        }),
        duplex: 'half',
        signal: abort.signal,
      } as never).catch(() => null);
      await expect.poll(held).toBeGreaterThan(0);
      abort.abort();
      await broken;
      await expect.poll(held).toBe(0);
    }
    const answer = await tight.ask('POST', '/api/v1/upload', {
      body: batchBody([exchangeRow()]),
      headers: BATCH_HEADERS,
    });
    expect(answer.status).toBe(200);
    await tight.running.close();
  });
});
