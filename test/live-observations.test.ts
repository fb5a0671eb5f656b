import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { follow } from '../src/cli/client/follow-question.ts';
import { ServerClient } from '../src/client/server-client.ts';
import { openDuckDbStore } from '../src/store/duckdb/open.ts';
import { READER_TOKEN, runServer } from './server/run-server.ts';
import { batchOf, EPOCH_US, origin, type RowValues, row } from './store/server-rows.ts';

describe('following an address that only a later observation has', async () => {
  const directory = mkdtempSync(path.join(tmpdir(), 'wirelens-live-observations-'));
  const store = await openDuckDbStore({ directory, log: () => {} });
  const server = await runServer({ store, limits: { streamPauseMs: 1 } });
  afterAll(async () => {
    await server.running.close();
    await store.close();
    rmSync(directory, { recursive: true, force: true });
  });
  const uidOf = (exchange: number): string => exchange.toString(16).padStart(16, '0');
  const sees = (agent: string, client: string, ...exchanges: readonly number[]) =>
    store.append(
      batchOf(
        exchanges.map(
          (exchange): RowValues => row({ started_us: EPOCH_US + exchange, uid: uidOf(exchange), client }),
        ),
      ),
      origin(agent),
      null,
    );

  /** The uids that `wirelens query --follow --ip 10.0.0.7` prints, until it is stopped. */
  function following(from: string | null) {
    const ending = new AbortController();
    const uids: unknown[] = [];
    const client = new ServerClient({ url: server.url, token: READER_TOKEN });
    const ended = follow(client, {
      selection: new URLSearchParams({ address: '10.0.0.7', ...(from === null ? {} : { from }) }),
      limit: Number.POSITIVE_INFINITY,
      signal: ending.signal,
      onRows: (rows) => {
        uids.push(...rows.map(({ uid }) => uid));
        return null;
      },
      say: () => {},
    });
    const stop = async (): Promise<void> => {
      ending.abort();
      await ended;
    };
    return { uids, stop };
  }

  it('shows each exchange once, when the observation comes, and goes on where it broke off', async () => {
    await sees('server-side', '10.9.0.254', 1, 2, 3);
    await sees('client-side', '10.0.0.7', 1);
    const fromNow = following(null);
    const fromBegin = following('1970-01-01T00:00:00Z');
    await expect.poll(() => fromBegin.uids).toEqual([uidOf(1)]);
    // The stream must be open before what it is to show comes.
    await expect.poll(async () => (await server.ask('GET', '/metrics')).text).toContain('live_streams 2\n');
    await sees('server-side', '10.9.0.254', 4);
    await sees('client-side', '10.0.0.7', 3, 4);
    // A third vantage point, and an exchange that both sides are told of at once.
    await sees('between', '10.0.0.7', 3);
    await Promise.all([sees('server-side', '10.9.0.254', 5), sees('client-side', '10.0.0.7', 5)]);
    await sees('client-side', '10.0.0.7', 2, 6);
    const later = [3, 4, 5, 2, 6].map(uidOf);
    await expect.poll(() => fromNow.uids).toEqual(later);
    await expect.poll(() => fromBegin.uids).toEqual([uidOf(1), ...later]);
    await Promise.all([fromNow.stop(), fromBegin.stop()]);

    const resumed = await eventsAfter(0, 6);
    expect(resumed.map(({ uid }) => uid)).toEqual([1, 3, 4, 5, 2, 6].map(uidOf));
    for (const [index, { id }] of resumed.entries()) {
      const rest = resumed.slice(index + 1);
      if (rest.length > 0) expect(await eventsAfter(id, rest.length)).toEqual(rest);
    }
  });

  /** The first events of a stream that begins with `Last-Event-ID`. */
  async function eventsAfter(lastId: number, count: number): Promise<{ id: number; uid: string }[]> {
    const ending = new AbortController();
    const events: { id: number; uid: string }[] = [];
    const client = new ServerClient({ url: server.url, token: READER_TOKEN });
    await client.events(
      '/api/v1/live?address=10.0.0.7',
      ({ id, data }) => {
        events.push({ id: Number(id), uid: JSON.parse(data).uid });
        if (events.length === count) ending.abort();
      },
      { signal: ending.signal, lastId: String(lastId) },
    );
    return events;
  }
});
