import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { queryPerTest } from '../../test/query-run.ts';
import { runHere } from '../../test/run-here.ts';
import { type StubServer, storedRow } from '../../test/stub-server.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'wirelens-query-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let stub: StubServer;
const query = queryPerTest((begun) => {
  stub = begun;
});

describe('what goes wrong', () => {
  it('a wrong token is told, and not shown', async () => {
    const { code, out, err } = await query([], { env: { WIRELENS_TOKEN: 'very-secret' } });
    expect([code, out]).toEqual([1, '']);
    expect(err).toContain('does not accept the token');
    expect(err).not.toContain('very-secret');
  });

  it('takes the token from a file before the environment, and leaves its line end out', async () => {
    const file = path.join(folder, 'token');
    writeFileSync(file, 'sesam\n');
    expect((await query(['--token-file', file], { env: { WIRELENS_TOKEN: 'wrong' } })).code).toBe(0);
    writeFileSync(file, '\n');
    expect(await query(['--token-file', file])).toMatchObject({
      code: 2,
      err: expect.stringContaining('no token in it'),
    });
  });

  it('a server that is away', async () => {
    const { code, err } = await query(['--server', 'http://127.0.0.1:1']);
    expect([code, err]).toEqual([
      1,
      'wirelens: nothing listens at http://127.0.0.1:1; is wirelens server running there?\n',
    ]);
  });

  it('a busy server is asked again', async () => {
    stub.add(storedRow(1));
    stub.faults.push(() => ({ status: 503, headers: { 'retry-after': '0' } }));
    expect(await query(['-q', '-f', 'json'])).toMatchObject({
      code: 0,
      out: expect.stringContaining('"id":1'),
    });
  });

  it('a mistake in --where is shown where it is', async () => {
    const excerpt = { text: 'statsu > 3', start: 0, end: 6 };
    stub.faults.push(() => ({
      status: 400,
      body: JSON.stringify({ error: 'there is no field statsu', code: 'filter', excerpt }),
    }));
    const { code, err } = await query(['--where', 'statsu > 3']);
    expect([code, err]).toEqual([
      2,
      'wirelens: the server says: there is no field statsu\n  statsu > 3\n  ^^^^^^\n',
    ]);
  });

  it.each([
    [['--red', '--id', '3'], /two questions/],
    [['--agents', '--ip', '10.0.0.1'], /--ip has no meaning with --agents/],
    [['--bucket', '60s'], /--bucket has no meaning without --red/],
    [['--ip', 'web-1'], /IP address/],
    [['--since', '15'], /30s, 15m/],
    [['--from', 'yesterday'], /2026-11-21T07:42:00Z/],
    [['--since', '1h', '--from', '-1h'], /both say/],
    [['--sort', 'size'], /orders: started/],
    [['--red', 'path'], /groups: route/],
    [['--id', 'x'], /uid/],
    [['--csv-safe'], /--format csv/],
  ])('%s is a mistake before anything is asked', async (args, message) => {
    const { code, err } = await runHere(['query', ...args, '--server', stub.url]);
    expect([code, err]).toEqual([2, expect.stringMatching(message)]);
    expect(stub.requests).toEqual([]);
  });
});
