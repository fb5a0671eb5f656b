import { get } from 'node:http';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  BATCH_HEADERS,
  batchBody,
  exchangeRow,
  READER_TOKEN,
  runServer,
} from '../../test/server/run-server.ts';

describe('questions of readers', async () => {
  const server = await runServer();
  afterAll(() => server.running.close());
  beforeAll(async () => {
    const rows = Array.from({ length: 250 }, (_, index) =>
      exchangeRow({
        started_us: 1_795_246_920_000_000 + index * 1_000_000,
        uid: `00000001${index.toString(16).padStart(8, '0')}`,
      }),
    );
    await server.ask('POST', '/api/v1/upload', { headers: BATCH_HEADERS, body: batchBody(rows) });
  });
  const listed = (query: string) => server.ask('GET', `/api/v1/exchanges?${query}`);

  it('pages through everything without a gap or a repetition', async () => {
    const ids: number[] = [];
    let cursor = '';
    do {
      const { json } = await listed(`limit=100&order=asc${cursor}`);
      ids.push(...json.exchanges.map(({ id }: { id: number }) => id));
      cursor = json.next === null ? '' : `&cursor=${encodeURIComponent(json.next)}`;
    } while (cursor !== '');
    expect(ids).toEqual(Array.from({ length: 250 }, (_, index) => index + 1));
  });

  it('takes times in three forms, from the first included to the last excluded', async () => {
    const seconds = async (query: string) =>
      (await listed(`order=asc&${query}`)).json.exchanges.map(
        (row: { started_us: number }) => row.started_us / 1e6 - 1_795_246_920,
      );
    // 1795246920 is 2026-11-21T07:42:00Z: `date -u -d @1795246920`.
    expect(await seconds('from=2026-11-21T07:42:01Z&to=2026-11-21T07:42:03Z')).toEqual([1, 2]);
    expect(await seconds('from=2026-11-21T08:42:01%2B01:00&to=1795246922.5')).toEqual([1, 2]);
    expect(await seconds('from=now')).toEqual(Date.now() > 1_795_247_200_000 ? [] : expect.anything());
  });

  it('gives the columns that are wanted, and the id to go on after', async () => {
    const { json } = await listed('columns=status,%20id&sort=id&order=asc&limit=2&after_id=10');
    expect(json.exchanges).toEqual([
      { id: 11, status: 200 },
      { id: 12, status: 200 },
    ]);
    expect(json.last_id).toBe(12);
    expect((await listed('sort=id&order=asc&after_id=249&columns=id')).json).toEqual({
      exchanges: [{ id: 250 }],
      next: null,
      last_id: 250,
    });
    const wrong = await listed('columns=id,statsu');
    expect([wrong.status, wrong.json.code, wrong.json.hint]).toEqual([
      400,
      'unknown-column',
      "did you mean 'status'?",
    ]);
  });

  const refusals: readonly [string, string, string | undefined][] = [
    ['limt=3', "unknown query parameter 'limt'", "did you mean 'limit'?"],
    ['from=yesterday', "query parameter 'from' is not a time", undefined],
    ['from=2026-02-30T00:00:00Z', "query parameter 'from' is not a time", undefined],
    ['address=10.0.0.0/8', "query parameter 'address' is not an IP address", undefined],
    ['limit=0', "query parameter 'limit' must be >= 1", undefined],
    ['limit=2001', "query parameter 'limit' must be <= 2000", undefined],
    ['limit=1e3', "query parameter 'limit' must be integer", undefined],
    ['limit=', "query parameter 'limit' must be integer", undefined],
    ['limit=1&limit=2', "query parameter 'limit' must be integer", undefined],
    [
      'sort=size',
      "query parameter 'sort' must be one of started, total, wait, status, request_bytes, response_bytes, id",
      undefined,
    ],
    ['order=up', "query parameter 'order' must be one of asc, desc", undefined],
    ['where=status+%3E%3E', expect.stringMatching(/^filter: /) as never, undefined],
  ];
  for (const [query, error, hint] of refusals) {
    it(`refuses ${query} with a sentence`, async () => {
      const answer = await listed(query);
      expect([answer.status, answer.json.error]).toEqual([400, error]);
      if (hint !== undefined) expect(answer.json.hint).toBe(hint);
    });
  }

  it('shows where an expression is wrong', async () => {
    const { json } = await listed(`where=${encodeURIComponent('method == "GET" && statuss >= 500')}`);
    expect(json).toMatchObject({ code: 'filter', hint: 'did you mean status?' });
    expect(json.excerpt.text.slice(json.excerpt.start, json.excerpt.end)).toBe('statuss');
  });

  it('finds one exchange by its id and by its uid', async () => {
    const byId = await server.ask('GET', '/api/v1/exchanges/17');
    expect(byId.json.exchange).toMatchObject({ id: 17, uid: '0000000100000010' });
    expect(byId.json).toMatchObject({ apart: null, observations: [{ id: 17 }] });
    expect((await server.ask('GET', '/api/v1/exchanges/0000000100000010')).json).toEqual(byId.json);
    const none = await server.ask('GET', '/api/v1/exchanges/251');
    expect([none.status, none.json.code]).toEqual([404, 'not-found']);
    for (const key of ['0', '-1', '1.5', 'x', '..%2f..%2fetc%2fpasswd', '%00', `${'9'.repeat(400)}`])
      expect([key, (await server.ask('GET', `/api/v1/exchanges/${key}`)).status]).toEqual([key, 400]);
  });

  it('groups by what is known, and suggests what may be meant', async () => {
    const { json } = await server.ask('GET', '/api/v1/red?by=route,server,route&bucket=5m');
    expect(json).toMatchObject({ by: ['route', 'server'], bucket_s: 300, groups: [{ requests: 250 }] });
    const unknown = await server.ask('GET', '/api/v1/red?by=rute');
    expect([unknown.status, unknown.json.hint]).toEqual([400, "did you mean 'route'?"]);
    for (const bucket of ['0s', '5y', '-1s', '1.5s', '400d'])
      expect([bucket, (await server.ask('GET', `/api/v1/red?bucket=${bucket}`)).status]).toEqual([
        bucket,
        400,
      ]);
  });

  it('keeps the last report of an agent', async () => {
    const report = {
      node: 'worker-1',
      pod: null,
      namespace: null,
      version: '0.1.0',
      started: '2026-11-21T07:42:00.5Z',
      interfaces: ['any'],
      packets: 1000,
      packets_dropped: 1,
      exchanges: 40,
      exchanges_sent: 39,
      exchanges_dropped: 0,
      backlog_batches: 1,
      backlog_bytes: 512,
      rss_bytes: 90_000_000,
      cpu_seconds: 1.25,
      problem: null,
    };
    const name = 'node/1 ä';
    const path = `/api/v1/agents/${encodeURIComponent(name)}`;
    expect((await server.ask('PUT', path, { body: report })).status).toBe(204);
    expect((await server.ask('PUT', path, { body: { ...report, agent: name, packets: 2000 } })).status).toBe(
      204,
    );
    const { json } = await server.ask('GET', '/api/v1/agents');
    expect(json.agents).toEqual([
      {
        ...report,
        agent: name,
        reports: true,
        started: '2026-11-21T07:42:00.500000Z',
        packets: 2000,
        first_seen: expect.stringMatching(/Z$/),
        last_seen: expect.stringMatching(/Z$/),
        stored: 0,
      },
    ]);
    const refused: readonly [object, string][] = [
      [{ ...report, agent: 'other' }, 'the report is of another agent than the path'],
      [{ ...report, packets: '1000' }, "field 'packets' must be integer"],
      [{ ...report, packets: -1 }, "field 'packets' must be >= 0"],
      [{ ...report, packet: 1 }, "unknown field 'packet'"],
      [{ ...report, version: undefined }, "field 'version' is missing"],
      [{ ...report, started: 'now' }, "field 'started' must be a time as RFC 3339 has it"],
      [[report], 'the body must be object'],
    ];
    for (const [body, error] of refused) {
      const answer = await server.ask('PUT', path, { body });
      expect([answer.status, answer.json.error]).toEqual([400, error]);
    }
  });

  it('runs SQL within its bounds, or not at all', async () => {
    const sql = (body: unknown) => server.ask('POST', '/api/v1/sql', { body: JSON.stringify(body) });
    expect((await sql({ sql: 'SELECT 1' })).json).toMatchObject({ rows: [[1]], truncated: false });
    expect((await sql({ sql: 'SELECT 1', limit: 10_001 })).status).toBe(400);
    expect((await sql({ sql: 'SELECT 1', limit: '1' })).status).toBe(400);
    expect((await sql({ query: 'SELECT 1' })).status).toBe(400);
    expect((await sql({ sql: '' })).status).toBe(400);
    expect((await sql({ sql: 'x'.repeat(20_001) })).status).toBe(400);
    const off = await runServer({ sql: null });
    const answer = await off.ask('POST', '/api/v1/sql', { body: { sql: 'SELECT 1' } });
    expect([answer.status, answer.json.code]).toEqual([403, 'sql-off']);
    await off.running.close();
  });

  it('cancels a question when nobody waits for the answer', async () => {
    const slow = await runServer();
    let aborted = 0;
    let begun = () => {};
    const beginning = new Promise<void>((resolve) => {
      begun = resolve;
    });
    slow.store.sql = (_text, _limits, signal) =>
      new Promise((_, reject) => {
        begun();
        signal?.addEventListener('abort', () => {
          aborted += 1;
          reject(signal.reason);
        });
      });
    const abort = new AbortController();
    const asked = fetch(`${slow.url}/api/v1/sql`, {
      method: 'POST',
      headers: { authorization: `Bearer ${READER_TOKEN}`, 'content-type': 'application/json' },
      body: '{"sql":"SELECT forever"}',
      signal: abort.signal,
    }).catch(() => null);
    await beginning;
    abort.abort();
    await asked;
    await expect.poll(() => aborted).toBe(1);
    await slow.running.close();
    expect(slow.log.filter((line) => line.includes('"level":50'))).toEqual([]);
  });

  it('bounds how many statements run at once', async () => {
    const slow = await runServer({ limits: { statements: 2 } });
    let free = () => {};
    slow.store.hold = new Promise((resolve) => {
      free = resolve;
    });
    const ask = () => slow.ask('POST', '/api/v1/sql', { body: { sql: 'SELECT 1' } });
    const running = [ask(), ask()];
    await expect.poll(async () => (await ask()).status).toBe(503);
    free();
    expect((await Promise.all(running)).map(({ status }) => status)).toEqual([200, 200]);
    expect((await ask()).status).toBe(200);
    await slow.running.close();
  });

  it('compresses answers for who asks for it', async () => {
    const raw = (coding: string | null) =>
      new Promise<{ encoding: string | undefined; body: Buffer }>((resolve, reject) => {
        const headers = {
          authorization: `Bearer ${READER_TOKEN}`,
          ...(coding === null ? {} : { 'accept-encoding': coding }),
        };
        get(`${server.url}/api/v1/exchanges`, { headers }, (answer) => {
          const parts: Buffer[] = [];
          answer.on('data', (part: Buffer) => parts.push(part));
          answer.on('end', () =>
            resolve({ encoding: answer.headers['content-encoding'], body: Buffer.concat(parts) }),
          );
        }).on('error', reject);
      });
    const plain = await raw(null);
    const packed = await raw('br;q=1, gzip;q=0.5');
    expect([plain.encoding, packed.encoding]).toEqual([undefined, 'gzip']);
    expect(gunzipSync(packed.body).equals(plain.body)).toBe(true);
    expect(packed.body.length).toBeLessThan(plain.body.length / 5);
    expect((await raw('gzip;q=0')).encoding).toBeUndefined();
  });

  it('says which methods an endpoint takes', async () => {
    const answer = await server.ask('DELETE', '/api/v1/exchanges/1');
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET']);
    expect((await server.ask('GET', '/api/v2/exchanges')).status).toBe(404);
  });
});
