import { readdirSync } from 'node:fs';
import { SocketAddress } from 'node:net';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  buildCapture,
  buildExchange,
  buildInterface,
  buildRequest,
  EPOCH_SECONDS,
} from '../../test/build-exchange.ts';
import { run } from '../../test/store/arbitrary-run.ts';
import { openCaptures } from '../capture/open.ts';
import { EXCHANGE_COLUMNS } from '../export/exchange-columns.ts';
import { JsonRecordWriter } from '../export/json-record.ts';
import type { Exchange } from '../model/exchange.ts';
import { LIMITS } from '../model/limits.ts';
import type { CaptureFacts } from '../model/packet.ts';
import { routeOf } from '../model/route.ts';
import { runPipeline } from '../pipeline.ts';
import { BATCH_COLUMN } from './batch-columns.ts';
import { BatchEncoder } from './batch-encoder.ts';
import { decodeBatch } from './decode-batch.ts';
import { decodeLines } from './decode-lines.ts';
import { gunzipLimited } from './gunzip-limited.ts';
import { rowsOf } from './rows-of.ts';

const clock = { epochSeconds: EPOCH_SECONDS };

/** As inet_ntop writes it, which is how Wirelens does, but for the old form ::1.2.3.4. */
function canonical(address: string): string {
  if (!address.includes(':')) return address;
  const text = new SocketAddress({ address, family: 'ipv6' }).address;
  const old = /^::(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(text);
  if (old === null) return text;
  const [a, b, c, d] = old.slice(1).map(Number) as [number, number, number, number];
  const groups = [a * 256 + b, c * 256 + d].map((group) => group.toString(16));
  return `::${groups.join(':')}`;
}

/** What the batch must say: the values of the columns of an exchange, and the rest by its description. */
function expectedRow(exchange: Exchange, captures: readonly CaptureFacts[] = []): Record<string, unknown> {
  const values = EXCHANGE_COLUMNS.filter(({ name }) => BATCH_COLUMN.has(name)).map(({ name, value }) => {
    const plain = value(exchange, EPOCH_SECONDS);
    return [name, name === 'client' || name === 'server' ? canonical(String(plain)) : plain];
  });
  const { connection, anomalies, sightings, request, response } = exchange;
  const json = (list: readonly unknown[]): string | null => (list.length === 0 ? null : JSON.stringify(list));
  const began = request?.firstByteNs ?? response?.firstByteNs ?? 0;
  const ms = (ns: number | null): number | null => (ns === null ? null : (ns - began) / 1e6);
  const nameOf = (number: number): string | null =>
    captures.flatMap(({ interfaces }) => interfaces).find((one) => one.number === number)?.name ?? null;
  return {
    ...Object.fromEntries(values),
    anomalies: json(anomalies),
    vlans: json(connection.vlans),
    tunnels: json(connection.tunnels.map(({ kind, id }) => ({ kind, id }))),
    sightings: json(
      sightings.map(({ at, requestNs, responseNs }) => ({
        capture: at.capture,
        interface: nameOf(at.interfaceNumber),
        interface_number: at.interfaceNumber,
        interface_index: at.interfaceIndex,
        client: at.client.text,
        server: at.server.text,
        tunnels: at.tunnels.map(({ kind, id }) => ({ kind, id })),
        vlans: at.vlans,
        request_ms: ms(requestNs),
        response_ms: ms(responseNs),
      })),
    ),
  };
}

async function throughBatch(exchanges: readonly Exchange[], captures: readonly CaptureFacts[] = []) {
  const encoder = new BatchEncoder({ clock, captures });
  for (const exchange of exchanges) encoder.add(exchange);
  expect(encoder.rows).toBe(exchanges.length);
  expect(encoder.bytes).toBeGreaterThan(0);
  const body = await gunzipLimited(encoder.take(), 64 * 1024 * 1024);
  expect(encoder.rows).toBe(0);
  expect(encoder.valuesLeftOut).toBe(0);
  return rowsOf(decodeBatch(body));
}

function throughLines(
  exchanges: readonly Exchange[],
  captures: readonly CaptureFacts[],
  epochSeconds: number | null,
) {
  const writer = new JsonRecordWriter({ clock: { epochSeconds }, captures, routeOf });
  for (const exchange of exchanges) writer.write(exchange);
  return rowsOf(decodeLines(writer.take()));
}

const some = run.filter(({ exchanges }) => exchanges.length > 0);

describe('what was encoded comes out again', () => {
  it('of arbitrary exchanges: the columns of an exchange', async () => {
    const captures = [buildCapture({ interfaces: [buildInterface({ number: 3, name: 'veth "3"\u0000é' })] })];
    await fc.assert(
      fc.asyncProperty(some, async ({ exchanges }) => {
        expect(await throughBatch(exchanges, captures)).toEqual(
          exchanges.map((exchange) => expectedRow(exchange, captures)),
        );
      }),
      { numRuns: 60 },
    );
  });

  it('of arbitrary exchanges as NDJSON: the same rows', async () => {
    await fc.assert(
      fc.asyncProperty(some, async ({ exchanges }) => {
        expect(throughLines(exchanges, [], EPOCH_SECONDS)).toEqual(await throughBatch(exchanges));
      }),
      { numRuns: 60 },
    );
  });

  it('batch after batch, each on its own', async () => {
    const encoder = new BatchEncoder({ clock, captures: [] });
    for (const target of ['/one', '/two', '/one']) {
      encoder.add(buildExchange({ request: buildRequest({ target }) }));
      const rows = rowsOf(decodeBatch(await gunzipLimited(encoder.take(), 1e6)));
      expect(rows.map(({ target: sent, status }) => [sent, status])).toEqual([[target, 200]]);
    }
  });

  it('of more rows than a column begins with', async () => {
    const exchanges = Array.from({ length: 5000 }, (_, index) =>
      buildExchange({
        id: index + 1,
        request: index % 7 === 0 ? null : buildRequest({ target: `/items/${index}`, packet: index }),
      }),
    );
    expect(await throughBatch(exchanges)).toEqual(exchanges.map((exchange) => expectedRow(exchange)));
  });
});

describe('what no batch may hold', () => {
  it('is left out and counted: half a surrogate pair is replaced, a giant text and a number out of range go', async () => {
    const encoder = new BatchEncoder({ clock, captures: [] });
    encoder.add(
      buildExchange({
        request: buildRequest({
          target: 'x'.repeat(2 * 1024 * 1024),
          host: 'a\ud800b',
          bodyBytes: 2 ** 60,
          headers: [{ name: 'via', value: '\udc00' }],
        }),
        tcp: { requestRetransmissions: 2 ** 60 },
      }),
    );
    const [row] = rowsOf(decodeBatch(await gunzipLimited(encoder.take(), 64 * 1024 * 1024)));
    expect(row).toMatchObject({
      target: null,
      path: null,
      host: 'a\ufffdb',
      request_body_bytes: null,
      request_headers: '[["via","\ufffd"]]',
      request_retransmissions: Number.MAX_SAFE_INTEGER,
    });
    expect(encoder.valuesLeftOut).toBe(4);
  });
});

const FIXTURES = path.resolve(import.meta.dirname, '../../fixtures');
const captures = readdirSync(FIXTURES, { recursive: true, encoding: 'utf8' })
  .filter((name) => /(^|\/)capture\.pcap(ng)?$/.test(name))
  .map((name) => path.join(FIXTURES, name));

describe('every fixture', () => {
  it('gives the same rows as NDJSON and as a batch', async () => {
    expect(captures.length).toBeGreaterThan(40);
    let rows = 0;
    for (const file of captures) {
      const runClock = { epochSeconds: null };
      const source = await openCaptures([file], { clock: runClock, limits: LIMITS });
      const exchanges: Exchange[] = [];
      const sink = {
        exchange: (exchange: Exchange) => void exchanges.push(exchange),
        connection: () => {},
        drain: () => null,
        finish: async () => {},
        abort: async () => {},
      };
      const options = { limits: LIMITS, ports: null, reveal: false, checksums: false };
      const { captures: facts } = await runPipeline(source, runClock, [sink], options);
      if (exchanges.length === 0) continue;
      const encoder = new BatchEncoder({ clock: runClock, captures: facts });
      for (const exchange of exchanges) encoder.add(exchange);
      const batch = rowsOf(decodeBatch(await gunzipLimited(encoder.take(), 64 * 1024 * 1024)));
      expect(throughLines(exchanges, facts, runClock.epochSeconds), file).toEqual(batch);
      expect(batch.every(({ uid }) => /^[0-9a-f]{16}$/.test(String(uid)))).toBe(true);
      rows += batch.length;
    }
    expect(rows).toBeGreaterThan(200);
  });
});
