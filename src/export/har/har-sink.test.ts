import { Ajv } from 'ajv';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  buildConnection,
  buildExchange,
  buildRequest,
  buildResponse,
  buildRun,
  buildUnanswered,
  EPOCH_SECONDS,
  textInMemory,
} from '../../../test/build-exchange.ts';
import { HAR_SCHEMA, isAbsoluteUrl } from '../../../test/har-schema.ts';
import { fixtureNames, runFixture } from '../../../test/run-fixture.ts';
import { run as arbitraryRun } from '../../../test/store/arbitrary-run.ts';
import type { Exchange } from '../../model/exchange.ts';
import { createHarSink, type HarOptions } from './har-sink.ts';

const clock = { epochSeconds: EPOCH_SECONDS };
const validate = new Ajv({ allErrors: true, formats: { 'absolute-url': isAbsoluteUrl } }).compile(HAR_SCHEMA);

// biome-ignore lint/suspicious/noExplicitAny: JSON as read
type Har = any;

function checked(text: string): Har {
  const har: Har = JSON.parse(text);
  validate(har);
  expect(validate.errors).toBeNull();
  return har;
}

async function harOf(exchanges: readonly Exchange[], more: Partial<HarOptions> = {}): Promise<Har> {
  const output = textInMemory();
  const sink = createHarSink({ output, clock, captures: [], version: '1.2.3', ...more });
  for (const exchange of exchanges) sink.exchange(exchange);
  await sink.finish(buildRun());
  return checked(output.text());
}

const entryOf = async (exchange: Exchange): Promise<Har> => (await harOf([exchange])).log.entries[0];

/** What HAR 1.2 says of times that a schema cannot. */
function expectConsistentTimes({ log }: Har): void {
  let before = '';
  for (const entry of log.entries) {
    const { blocked, dns, connect, send, wait, receive, ssl } = entry.timings;
    const known = [blocked, dns, connect, send, wait, receive].filter((ms: number) => ms !== -1);
    expect(known.every((ms: number) => ms >= 0)).toBe(true);
    const sum = known.reduce((all: number, ms: number) => all + ms, 0);
    expect(Math.abs(entry.time - sum)).toBeLessThanOrEqual(1e-9 * Math.max(1, sum));
    expect(ssl === -1 || ssl <= connect).toBe(true);
    expect(entry.startedDateTime >= before).toBe(true);
    before = entry.startedDateTime;
  }
}

describe('exchanges as HAR', () => {
  it('is valid HAR 1.2 whatever the exchanges', async () => {
    await fc.assert(
      fc.asyncProperty(arbitraryRun, async ({ exchanges }) => {
        const har = await harOf(exchanges);
        const asked = exchanges.filter(({ request }) => request !== null);
        const ids = har.log.entries.map(({ _id }: Har) => _id);
        expect(ids.sort((a: number, b: number) => a - b)).toEqual(asked.map(({ id }) => id));
        for (const { startedDateTime } of har.log.entries) expect(Date.parse(startedDateTime)).not.toBeNaN();
      }),
      { numRuns: 60 },
    );
  });

  it.each(fixtureNames())('is valid and consistent in its times: %s', async (name) => {
    const output = textInMemory();
    const seen: Exchange[] = [];
    await runFixture(name, (context) => {
      const sink = createHarSink({ output, version: '0', ...context });
      return {
        ...sink,
        exchange: (exchange) => {
          seen.push(exchange);
          sink.exchange(exchange);
        },
      };
    });
    const har = checked(output.text());
    expectConsistentTimes(har);
    const asked = seen.filter(({ request }) => request !== null);
    expect(har.log.entries).toHaveLength(asked.length);
    for (const entry of har.log.entries) {
      const exchange = seen.find(({ id }) => id === entry._id) as Exchange;
      expect(entry.response.status).toBe(exchange.response?.status ?? 0);
      expect(entry.response._error === undefined).toBe(exchange.response !== null);
    }
  });

  it('lets an entry begin with its handshake and end with its last byte', async () => {
    const exchange = buildExchange({
      connection: buildConnection({ synNs: 0, ackNs: 1_500_000 }),
      request: buildRequest({ firstByteNs: 10_000_000, lastByteNs: 12_000_000 }),
      response: buildResponse({ firstByteNs: 20_000_000, lastByteNs: 25_000_000 }),
    });
    const entry = await entryOf(exchange);
    expect(entry.timings).toEqual({
      blocked: -1,
      dns: -1,
      connect: 1.5,
      send: 2,
      wait: 8,
      receive: 5,
      ssl: -1,
    });
    expect(entry.time).toBe(16.5);
    // 10 ms - 1.5 ms, and 8.5 ms + 16.5 ms is the last byte at 25 ms.
    expect(entry.startedDateTime).toBe('2026-11-21T07:42:00.008500Z');
    expect(entry._started).toBe('2026-11-21T07:42:00.010000000Z');
    const later = await entryOf(buildExchange({ ...exchange, position: 2 }));
    expect(later).toMatchObject({ startedDateTime: '2026-11-21T07:42:00.010000Z', time: 15 });
    expect(later.timings.connect).toBe(-1);
  });

  it('shows a request without an answer as status 0, with the reason', async () => {
    const entry = await entryOf(buildUnanswered('reset-by-server', { position: 2 }));
    expect(entry.response).toMatchObject({
      status: 0,
      headersSize: -1,
      bodySize: -1,
      _error: 'reset-by-server',
    });
    expect(entry.timings).toMatchObject({ send: 0, wait: -1, receive: -1 });
    expect(entry.time).toBe(0);
  });

  it('has -1 for the end of a message that broke off', async () => {
    const entry = await entryOf(
      buildExchange({
        position: 2,
        response: buildResponse({ lastByteNs: null }),
        outcome: 'truncated',
        ending: 'capture-ended',
      }),
    );
    expect(entry.timings).toMatchObject({ send: 0, wait: 10, receive: -1 });
    expect(entry.time).toBe(10);
    expect(entry).toMatchObject({ _outcome: 'truncated', _ending: 'capture-ended' });
  });

  it('gives fields that have a place of their own, those that were kept, and never cookies', async () => {
    const entry = await entryOf(
      buildExchange({
        request: buildRequest({
          userAgent: 'curl/8',
          mediaType: 'application/json',
          headers: [
            { name: 'accept', value: '*/*' },
            { name: 'user-agent', value: 'curl/8' },
          ],
        }),
        response: buildResponse({ status: 302, headers: [{ name: 'location', value: '/there' }] }),
      }),
    );
    expect(entry.request.headers).toEqual([
      { name: 'host', value: 'example.org' },
      { name: 'content-type', value: 'application/json' },
      { name: 'accept', value: '*/*' },
      { name: 'user-agent', value: 'curl/8' },
    ]);
    expect(entry.response).toMatchObject({ redirectURL: '/there', cookies: [] });
    expect(entry.response.content).toEqual({ size: 1234, mimeType: 'text/html' });
    expect(entry.request.cookies).toEqual([]);
  });

  it('sorts by start, also when exchanges end in another order', async () => {
    const at = (id: number, ms: number): Exchange =>
      buildExchange({
        id,
        position: 2,
        request: buildRequest({ firstByteNs: ms * 1e6, lastByteNs: ms * 1e6 }),
      });
    const har = await harOf([at(1, 9), at(2, 3), at(3, 5)]);
    expect(har.log.entries.map(({ _id }: Har) => _id)).toEqual([2, 3, 1]);
    expect(har.log).toMatchObject({
      version: '1.2',
      creator: { name: 'Wirelens', version: '1.2.3' },
      pages: [],
    });
  });

  it('counts answers without a request and says so', async () => {
    const output = textInMemory();
    const sink = createHarSink({ output, clock, captures: [], version: '0' });
    sink.exchange(buildExchange({ request: null, outcome: 'orphan-response' }));
    await sink.finish(buildRun());
    expect(checked(output.text()).log.entries).toEqual([]);
    expect(sink.notices()).toEqual(['1 answer without a request: HAR has no place for them']);
  });

  it('ends with an error, and writes nothing, when there is more than the limits allow', async () => {
    for (const limits of [{ entries: 2 }, { bytes: 100 }]) {
      const output = textInMemory();
      const sink = createHarSink({ output, clock, captures: [], version: '0', limits });
      sink.exchange(buildExchange({ id: 1 }));
      expect(sink.drain()).toBeNull();
      sink.exchange(buildExchange({ id: 2 }));
      sink.exchange(buildExchange({ id: 3 }));
      await expect(sink.drain()).rejects.toThrow('more than a HAR file may hold');
      await expect(sink.finish(buildRun())).rejects.toThrow('more than a HAR file may hold');
      expect(output.text()).toBe('');
    }
    expect(
      (await harOf([buildExchange({ id: 1 }), buildExchange({ id: 2 })], { limits: { entries: 2 } })).log
        .entries,
    ).toHaveLength(2);
  });
});
