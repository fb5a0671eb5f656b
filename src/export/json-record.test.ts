import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  buildCapture,
  buildConnection,
  buildExchange,
  buildInterim,
  buildRequest,
  buildResponse,
  buildSighting,
  buildUnanswered,
  EPOCH_SECONDS,
  textInMemory,
} from '../../test/build-exchange.ts';
import { ANOMALY_NAMES } from '../model/anomaly.ts';
import { type Exchange, type Message, TUNNEL_KINDS } from '../model/exchange.ts';
import { phasesOf, startNs } from '../model/phases.ts';
import { routeOf } from '../model/route.ts';
import { createJsonLinesSink } from './json-lines-sink.ts';
import { JsonRecordWriter } from './json-record.ts';

const clock = { epochSeconds: EPOCH_SECONDS };
const writer = (timeDigits = 6): JsonRecordWriter => {
  const capture = buildCapture();
  capture.interfaces[0].timeDigits = timeDigits;
  return new JsonRecordWriter({ clock, captures: [capture], routeOf });
};
const strict = new TextDecoder('utf-8', { fatal: true });
const lineOf = (from: JsonRecordWriter, exchange: Exchange): string => {
  from.write(exchange);
  const text = strict.decode(from.take());
  expect(text.endsWith('\n')).toBe(true);
  return text.slice(0, -1);
};
const record = (exchange: Exchange, timeDigits = 6) => JSON.parse(lineOf(writer(timeDigits), exchange));

/** 16 digits of one number of 64 bits. Where nothing was acknowledged, the ports stand. */
function obviousUid({ request, response, client, server }: Exchange): string | null {
  const ports = (client.port * 65_536 + server.port) % 2 ** 32;
  const acknowledged = (message: Message | null): number =>
    message === null || message.acknowledges < 0 ? ports : message.acknowledges;
  const orphan = response === null || response.acknowledges < 0 ? ports : 0xffff_ffff - response.acknowledges;
  const high = request === null ? orphan : request.sequence;
  const low = response === null ? acknowledged(request) : response.sequence;
  if (high < 0 || low < 0) return null;
  return (BigInt(high) * 0x1_0000_0000n + BigInt(low)).toString(16).padStart(16, '0');
}

/** The record the slow and obvious way: an object, and BigInt for times. */
function obviousRecord(exchange: Exchange, timeDigits: number): unknown {
  const { connection, request, response } = exchange;
  const time = (ns: number): string => {
    const all = BigInt(EPOCH_SECONDS) * 1_000_000_000n + BigInt(ns);
    const seconds = new Date(Number(all / 1_000_000_000n) * 1000).toISOString().slice(0, 19);
    const fraction = String(all % 1_000_000_000n).padStart(9, '0');
    return `${seconds}.${timeDigits === 6 && fraction.endsWith('000') ? fraction.slice(0, 6) : fraction}Z`;
  };
  const ms = (ns: number | null): number | null => {
    if (ns === null) return null;
    const digits = String(ns).padStart(7, '0');
    return Number(`${digits.slice(0, -6)}.${digits.slice(-6)}`);
  };
  const message = (one: Message) => ({
    capture: one.capture,
    packet: one.packet,
    header_bytes: one.headerBytes,
    body_bytes: one.bodyBytes,
    lost_bytes: one.lostBytes,
    complete: one.lastByteNs !== null,
    media_type: one.mediaType,
    headers: one.headers,
  });
  const phases = phasesOf(exchange);
  return {
    v: 1,
    id: exchange.id,
    uid: obviousUid(exchange),
    connection: connection.id,
    position: exchange.position,
    client: exchange.client.text,
    server: exchange.server.text,
    time: time(startNs(exchange)),
    method: request?.method ?? null,
    host: request?.host ?? null,
    target: request?.target ?? null,
    route: request === null ? null : routeOf(request.target),
    http_version: (request ?? response)?.version,
    status: response?.status ?? null,
    reason: response?.reason ?? null,
    outcome: exchange.outcome,
    ending: exchange.ending,
    pairing: exchange.pairing,
    connect_ms: ms(phases.connectNs),
    send_ms: ms(phases.sendNs),
    wait_ms: ms(phases.waitNs),
    receive_ms: ms(phases.receiveNs),
    total_ms: ms(phases.totalNs),
    request: request === null ? null : { ...message(request), user_agent: request.userAgent },
    response: response === null ? null : { ...message(response), http_version: response.version },
    interim: exchange.interim.map(({ status, timeNs }) => ({ status, time: time(timeNs) })),
    anomalies: exchange.anomalies,
    tcp: {
      request_retransmissions: exchange.tcp.requestRetransmissions,
      response_retransmissions: exchange.tcp.responseRetransmissions,
      request_out_of_order: exchange.tcp.requestOutOfOrder,
      response_out_of_order: exchange.tcp.responseOutOfOrder,
      client_zero_windows: exchange.tcp.clientZeroWindows,
      server_zero_windows: exchange.tcp.serverZeroWindows,
    },
    tunnels: connection.tunnels.map(({ kind, id }) => ({ kind, id })),
    vlans: connection.vlans,
    sightings: exchange.sightings.map(({ at, requestNs, responseNs }) => ({
      capture: at.capture,
      interface: null,
      interface_number: at.interfaceNumber,
      interface_index: at.interfaceIndex,
      client: at.client.text,
      server: at.server.text,
      tunnels: at.tunnels.map(({ kind, id }) => ({ kind, id })),
      vlans: at.vlans,
      request_ms: requestNs === null ? null : (requestNs - startNs(exchange)) / 1e6,
      response_ms: responseNs === null ? null : (responseNs - startNs(exchange)) / 1e6,
    })),
  };
}

const text = fc.string({
  unit: fc.oneof(
    fc.string({ minLength: 1, maxLength: 1, unit: 'binary' }),
    fc.constantFrom('"', '\\', '\x1b', '\x7f', 'é', '\u{1f600}'),
  ),
});
const timeNs = fc.integer({ min: 0, max: 100 * 86_400 * 1e9 });
const count = fc.nat(1e9);
const headers = fc.array(fc.record({ name: text, value: text }), { maxLength: 3 });
const messageParts = {
  version: text,
  firstByteNs: timeNs,
  lastByteNs: fc.option(timeNs),
  packet: count,
  capture: fc.nat(3),
  sequence: fc.oneof(fc.constantFrom(-1, 0, 0xffff_ffff), fc.nat(0xffff_ffff)),
  acknowledges: fc.oneof(fc.constantFrom(-1, 0, 0xffff_ffff), fc.nat(0xffff_ffff)),
  headerBytes: count,
  bodyBytes: fc.maxSafeNat(),
  lostBytes: count,
  mediaType: fc.option(text),
  headers,
};
const request = fc.record({
  ...messageParts,
  method: text,
  target: text,
  host: fc.option(text),
  userAgent: fc.option(text),
});
const response = fc.record({ ...messageParts, status: fc.integer({ min: 100, max: 999 }), reason: text });
const exchanges: fc.Arbitrary<Exchange> = fc
  .record({
    id: count,
    position: fc.integer({ min: 1, max: 4 }),
    request: fc.option(request.map(buildRequest), { freq: 5 }),
    response: fc.option(response.map(buildResponse), { freq: 5 }),
    interim: fc.array(
      fc.record({ status: fc.constantFrom(100, 103), timeNs }).map((parts) => buildInterim(parts)),
      { maxLength: 2 },
    ),
    pairing: fc.constantFrom('exact', 'inferred', 'ambiguous'),
    outcome: fc.constantFrom('complete', 'no-response', 'reset', 'truncated', 'orphan-response'),
    ending: fc.constantFrom(null, 'capture-ended', 'reset-by-client'),
    anomalies: fc.subarray(ANOMALY_NAMES, { maxLength: 4 }),
    sightings: fc.array(
      fc.record({
        at: fc.record({ interfaceIndex: fc.option(count), packets: count }).map(buildSighting),
        requestNs: fc.option(timeNs),
        responseNs: fc.option(timeNs),
      }),
      { maxLength: 3 },
    ),
    tcp: fc.record({ requestRetransmissions: count, clientZeroWindows: count }),
    connection: fc
      .record({
        tunnels: fc.array(fc.record({ kind: fc.constantFrom(...TUNNEL_KINDS), id: fc.option(count) }), {
          maxLength: 2,
        }),
        vlans: fc.array(fc.nat(4095), { maxLength: 2 }),
        synNs: fc.option(timeNs),
        ackNs: fc.option(timeNs),
      })
      .map(buildConnection),
  } as const)
  .filter((parts) => parts.request !== null || parts.response !== null)
  .map((parts) => buildExchange(parts));

describe('the JSON form of an exchange', () => {
  it('reads back equal to the obvious way of making it, whatever the strings and times', () => {
    fc.assert(
      fc.property(exchanges, fc.constantFrom(6, 9), (exchange, digits) => {
        const line = lineOf(writer(digits), exchange);
        expect(line).not.toContain('\n');
        expect(JSON.parse(line)).toEqual(JSON.parse(JSON.stringify(obviousRecord(exchange, digits))));
      }),
      { numRuns: 500 },
    );
  });

  it('is the same from a writer that has written other exchanges before', () => {
    fc.assert(
      fc.property(fc.array(exchanges, { maxLength: 6 }), (several) => {
        const one = writer();
        for (const exchange of several) expect(lineOf(one, exchange)).toBe(lineOf(writer(), exchange));
      }),
    );
  });

  it('gives times with the resolution of the capture and loses no nanosecond', () => {
    const at = (ns: number) => buildExchange({ request: buildRequest({ firstByteNs: ns }) });
    expect(record(at(123_456_000), 6).time).toBe('2026-11-21T07:42:00.123456Z');
    expect(record(at(123_456_000), 9).time).toBe('2026-11-21T07:42:00.123456000Z');
    expect(record(at(61_000_000_001), 9).time).toBe('2026-11-21T07:43:01.000000001Z');
    expect(record(at(1), 6).time).toBe('2026-11-21T07:42:00.000000001Z');
    expect(record(at(-1_000), 6).time).toBe('2026-11-21T07:41:59.999999Z');
  });

  it('gives phases in milliseconds with all digits', () => {
    const exchange = buildExchange({
      request: buildRequest({ firstByteNs: 0, lastByteNs: 1 }),
      response: buildResponse({ firstByteNs: 1_234_568, lastByteNs: 86_400_000_000_001 }),
    });
    expect(lineOf(writer(), exchange)).toContain(
      '"connect_ms":1,"send_ms":0.000001,"wait_ms":1.234567,"receive_ms":86399998.765433,"total_ms":86400000.000001',
    );
  });

  it('has null where there is no request, no response or no number', () => {
    const unanswered = record(buildUnanswered('reset-by-server', { position: 2 }));
    expect(unanswered).toMatchObject({
      status: null,
      reason: null,
      response: null,
      connect_ms: null,
      wait_ms: null,
      total_ms: null,
    });
    expect(unanswered).toMatchObject({
      outcome: 'reset',
      ending: 'reset-by-server',
      method: 'GET',
      route: '/',
    });
    const orphan = record(buildExchange({ request: null, outcome: 'orphan-response' }));
    expect(orphan).toMatchObject({
      method: null,
      host: null,
      target: null,
      route: null,
      request: null,
      status: 200,
    });
  });

  it('has room for strings longer than its buffer', () => {
    const target = `/${'x'.repeat(700_000)}`;
    const host = '例'.repeat(300_000);
    expect(record(buildExchange({ request: buildRequest({ target, host }) }))).toMatchObject({
      target,
      host,
    });
  });

  it('writes one line per exchange', async () => {
    const output = textInMemory();
    const sink = createJsonLinesSink({ output, clock, captures: [buildCapture()], routeOf });
    sink.exchange(buildExchange({ id: 1 }));
    sink.exchange(buildExchange({ id: 2, request: buildRequest({ target: '/a\nb\u2028' }) }));
    await sink.drain();
    const lines = output.text().split('\n');
    expect(lines.map((line) => (line === '' ? null : JSON.parse(line).id))).toEqual([1, 2, null]);
  });

  it('is documented field by field', () => {
    const page = readFileSync(new URL('../../docs/json-record.md', import.meta.url), 'utf8');
    const sample = record(
      buildExchange({
        request: buildRequest({ headers: [{ name: 'accept', value: '*/*' }] }),
        interim: [buildInterim()],
        connection: buildConnection({ tunnels: [{ kind: 'vxlan', id: 5 }] }),
        sightings: [
          {
            at: buildSighting({ tunnels: [{ kind: 'vxlan', id: 5 }] }),
            requestNs: 2_000_000,
            responseNs: null,
          },
        ],
      }),
    );
    const paths = new Set<string>();
    const collect = (value: unknown, path: string): void => {
      if (Array.isArray(value)) for (const item of value) collect(item, `${path}[]`);
      else if (value !== null && typeof value === 'object') {
        for (const [key, inner] of Object.entries(value)) {
          const name = path === '' ? key : `${path}.${key}`;
          paths.add(name);
          collect(inner, name);
        }
      }
    };
    collect(sample, '');
    const documented = new Set([...page.matchAll(/^\| `([^`]+)` \|/gm)].map((match) => match[1]));
    expect(documented).toEqual(paths);
  });
});
