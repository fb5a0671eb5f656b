import { describe, expect, it } from 'vitest';
import { linesOf, queryPerTest } from '../../test/query-run.ts';
import { type StubServer, storedRow } from '../../test/stub-server.ts';

let stub: StubServer;
const query = queryPerTest((begun) => {
  stub = begun;
});

describe('following', () => {
  it('prints what comes, and goes on where it was after the server was away', async () => {
    stub.add(storedRow(1));
    let step = 0;
    const run = query(['--follow', '-f', 'json'], {
      until: (out) => {
        const count = linesOf(out).length;
        if (step === 0 && count >= 1) {
          step = 1;
          stub.cutLive();
          stub.rows.push(storedRow(3));
        }
        if (step === 1 && count >= 2) {
          step = 2;
          stub.add(storedRow(4));
        }
        return count >= 3;
      },
    });
    while (stub.followers === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    stub.add(storedRow(2));
    const { code, out, err } = await run;
    expect(linesOf(out).map((line) => (JSON.parse(line) as { id: number }).id)).toEqual([2, 3, 4]);
    expect(code).toBe(0);
    expect(err).toMatch(/trying again until it is back/);
    expect(err).toMatch(/the server is back/);
  });

  it('begins with what is there since a time, in the order in which it came', async () => {
    for (let id = 1; id <= 25; id += 1)
      stub.add(storedRow(id, { client: id % 2 === 0 ? '10.9.9.9' : '10.244.0.5' }));
    stub.pageRows = 5;
    const { out } = await query([
      '--follow',
      '--since',
      '1h',
      '--ip',
      '10.9.9.9',
      '-f',
      'json',
      '--limit',
      '12',
    ]);
    expect(linesOf(out).map((line) => (JSON.parse(line) as { id: number }).id)).toEqual(
      Array.from({ length: 12 }, (_, index) => 2 * index + 2),
    );
    expect(stub.requests.some((request) => request.includes('/live'))).toBe(false);
  });

  it('does not miss what comes between the list and the stream', async () => {
    stub.add(storedRow(1), storedRow(2));
    stub.faults.push(
      () => null,
      // The stream is asked for: something has come in the meantime.
      () => {
        stub.add(storedRow(3));
        return null;
      },
    );
    const { out } = await query(['--follow', '--since', '1h', '-f', 'json', '--limit', '3']);
    expect(linesOf(out).map((line) => (JSON.parse(line) as { id: number }).id)).toEqual([1, 2, 3]);
  });
});
