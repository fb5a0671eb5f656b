import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { START_NS } from '../fixtures/build/conversation.ts';
import { duplicate, lose, reorder, seededRandom } from '../fixtures/build/transform.ts';
import { goldenFolders } from '../scripts/expected-exchanges.mjs';
import { openCaptures } from '../src/capture/open.ts';
import { createJsonLinesSink } from '../src/export/json-lines-sink.ts';
import type { Exchange, Message } from '../src/model/exchange.ts';
import { LIMITS } from '../src/model/limits.ts';
import type { CaptureFacts, RunClock } from '../src/model/packet.ts';
import { routeOf } from '../src/model/route.ts';
import type { ExchangeSink } from '../src/model/sink.ts';
import { FROM_CLIENT, FROM_SERVER } from '../src/model/stream.ts';
import { runPipeline } from '../src/pipeline.ts';
import { NO_STYLE } from '../src/report/style.ts';
import { createSummary } from '../src/report/summary.ts';
import { summaryText } from '../src/report/summary-text.ts';
import { readStoredExchanges } from '../src/store/exchange-reader.ts';
import { createMemorySink } from '../src/store/memory-sink.ts';
import { createSqliteSink } from '../src/store/sqlite-sink.ts';
import { textInMemory } from './build-exchange.ts';
import { fuzzRuns, packetsOf, runPackets } from './pipeline-run.ts';
import { traffic } from './traffic.ts';

const directory = mkdtempSync(join(tmpdir(), 'wirelens-reading-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
let files = 0;
const fresh = (): string => join(directory, `${++files}.sqlite`);
const store = (path: string, clock: RunClock) =>
  createSqliteSink({ path, force: false, limits: LIMITS, clock, version: 'test', keptHeaders: [] });

/** Every sink whose output is text, and that text. */
function printing(clock: RunClock, captures: readonly CaptureFacts[]) {
  const output = textInMemory();
  const summary = createSummary({ limits: LIMITS, listed: 10, routeOf });
  const sinks: ExchangeSink[] = [createJsonLinesSink({ output, clock, captures, routeOf }), summary];
  return {
    sinks,
    printed: () => ({
      json: output.text(),
      summary: summaryText(summary.report(), { width: 120, style: NO_STYLE, limit: 10 }),
    }),
  };
}

const analysis = { ports: null, limits: LIMITS, reveal: false, checksums: false };

/** What is printed of a capture, and of the SQLite file made of it. */
async function printedTwice(paths: readonly string[]) {
  const clock: RunClock = { epochSeconds: null };
  const source = await openCaptures(paths, { clock, limits: LIMITS });
  const path = fresh();
  const live = printing(clock, source.facts);
  const run = await runPipeline(source, clock, [...live.sinks, await store(path, clock)], analysis);
  const again: RunClock = { epochSeconds: null };
  const stored: { texts?: ReturnType<typeof printing> } = {};
  const back = await readStoredExchanges(
    [path],
    (captures) => {
      stored.texts = printing(again, captures);
      return stored.texts.sinks;
    },
    { clock: again },
  );
  return { run, back, live: live.printed(), stored: stored.texts?.printed() };
}

describe('a SQLite file in place of its capture', () => {
  it.for(goldenFolders())('prints the same: $name', async ({ folder, capture }) => {
    const { run, back, live, stored } = await printedTwice([join(folder, capture)]);
    expect(stored?.json).toBe(live.json);
    expect(stored?.summary).toBe(live.summary);
    expect(back).toEqual(run);
    expect(back.ledger.imbalances()).toEqual([]);
  });

  it('prints the same of several captures at once', async () => {
    const some = goldenFolders().filter(({ name }) => /^(web-shop|nginx-ipv6|two-interfaces)$/.test(name));
    const { run, back, live, stored } = await printedTwice(
      some.map(({ folder, capture }) => join(folder, capture)),
    );
    expect(some).toHaveLength(3);
    expect(live.json.split('\n').length).toBeGreaterThan(20);
    expect(stored).toEqual(live);
    expect(back).toEqual(run);
  });

  it('gives back every field of random traffic', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.constantFrom(0, 0.02, 0.1), async (seed, loss) => {
        const random = seededRandom(seed);
        const script = traffic({ connections: 4, exchanges: 6, pipelined: 3 }, random);
        const segments = reorder(duplicate(lose(script.segments, loss, random), 0.05, random), 3, random);
        const { exchanges, connections, ledger } = runPackets(packetsOf(segments));
        const clock: RunClock = { epochSeconds: Number(START_NS / 1_000_000_000n) };
        const path = fresh();
        const sink = await store(path, clock);
        for (const exchange of exchanges) sink.exchange(exchange);
        for (const connection of connections) sink.connection(connection);
        await sink.finish({ clock, captures: [], ledger });
        const memory = createMemorySink(clock);
        const run = await readStoredExchanges([path], [memory], { clock: { epochSeconds: null } });
        expect(memory.exchanges).toEqual(exchanges.map(asStored));
        const byId = [...memory.connections].sort((one, other) => one.id - other.id);
        expect(byId).toEqual([...connections].sort((one, other) => one.id - other.id));
        expect(run).toEqual({ clock, captures: [], ledger });
      }),
      { numRuns: fuzzRuns(25) },
    );
  });
});

/** The fields of the model, without what a store does not keep. */
function asStored(exchange: Exchange): Exchange {
  const { connection, client, request, response, interim } = exchange;
  const reversed = client.text !== connection.client.text;
  const alone = request === null || response === null;
  const message = (one: Message, asks: boolean): Message => ({
    version: one.version,
    firstByteNs: one.firstByteNs,
    lastByteNs: one.lastByteNs,
    packet: one.packet,
    capture: one.capture,
    direction: asks === reversed ? FROM_SERVER : FROM_CLIENT,
    startOffset: -1,
    endOffset: -1,
    sequence: one.sequence,
    acknowledges: alone ? one.acknowledges : -1,
    headerBytes: one.headerBytes,
    bodyBytes: one.bodyBytes,
    lostBytes: one.lostBytes,
    mediaType: one.mediaType,
    headers: one.headers,
  });
  return {
    ...exchange,
    request: request && {
      ...message(request, true),
      method: request.method,
      target: request.target,
      host: request.host,
      userAgent: request.userAgent,
    },
    response: response && { ...message(response, false), status: response.status, reason: response.reason },
    interim: interim.map((one) => ({ ...one, startOffset: -1, endOffset: -1 })),
  };
}
