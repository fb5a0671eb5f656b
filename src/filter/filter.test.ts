import { describe, expect, it } from 'vitest';
import {
  buildConnection,
  buildExchange,
  buildRequest,
  buildResponse,
  buildUnanswered,
  EPOCH_SECONDS,
} from '../../test/build-exchange.ts';
import type { Exchange } from '../model/exchange.ts';
import { FIELDS, findField, HEADER_FAMILIES } from './fields.ts';
import { parseFilter } from './filter.ts';

const clock = { epochSeconds: EPOCH_SECONDS };
const holds = (text: string, exchange: Exchange): boolean => parseFilter(text).matches(exchange, clock);

/** 10.0.0.1 asks 10.0.0.2:80; 503 after 250 ms, at 07:42:02. */
const failed = buildExchange({
  request: buildRequest({
    host: 'API.example.org',
    target: '/users/42?page=2',
    method: 'POST',
    userAgent: 'curl/8.5',
    firstByteNs: 2_000_000_000,
    lastByteNs: 2_000_000_000,
    headerBytes: 100,
    bodyBytes: 1400,
    headers: [{ name: 'via', value: 'a' }],
  }),
  response: buildResponse({
    status: 503,
    mediaType: 'application/json',
    firstByteNs: 2_250_000_000,
    lastByteNs: 2_250_000_000,
    headers: [
      { name: 'via', value: 'b' },
      { name: 'x-request-id', value: 'it"s' },
    ],
  }),
  connection: buildConnection({ vlans: [100, 7], tunnels: [{ kind: 'vxlan', id: 42 }], synNs: null }),
  anomalies: ['pipelined', 'obs-fold'],
});
const silent = buildUnanswered('capture-ended');
const old = buildExchange({ response: buildResponse({ status: null, version: '0.9' }) });

describe('a filter', () => {
  it.each([
    [
      'status >= 500 && host ~* "api" && wait > 200ms && client in 10.0.0.0/8 && header["content-type"] ~ "json"',
      true,
    ],
    ['status == 503', true],
    ['status != 503', false],
    ['status > 503', false],
    ['status >= 503', true],
    ['status < 503', false],
    ['status in 500..599', true],
    ['status in {200, 503}', true],
    ['status in {200..299, 404}', false],
    ['status not in {200..299, 404}', true],
    ['status == 5xx', true],
    ['status in {4xx, 5XX}', true],
    ['status != 5xx', false],
    ['500 <= status', true],
    ['wait == 250ms', true],
    ['wait == 0.25s', true],
    ['wait in 250000us..1min', true],
    ['wait < 250000001ns', true],
    ['connect', false],
    ['connect < 1h', false],
    ['connect >= 0s', false],
    ['!(connect < 1h)', true],
    ['request.bytes == 1500', true],
    ['request.bytes == 1.5kB', true],
    ['request.body_bytes < 1KiB', false],
    ['request.bytes in 1KiB..1.5k', true],
    ['host == "API.example.org"', true],
    ['host == "api.example.org"', false],
    ['host ~ "api"', false],
    ['host ~* "^api\\.EXAMPLE"', true],
    ['host !~* "api"', false],
    ['host contains "example"', true],
    ['host startsWith "API."', true],
    ['host endsWith ".org"', true],
    ["method in {'GET', 'POST'}", true],
    ['path == "/users/42"', true],
    ['query == "page=2"', true],
    ['route == "/users/{id}"', true],
    ['user_agent contains "curl"', true],
    ['client == 10.0.0.1', true],
    ['client == ::ffff:10.0.0.1', true],
    ['client in {192.168.0.0/16, 10.0.0.1}', true],
    ['server in 10.0.0.0/31', false],
    ['server.port == 80', true],
    ['time >= 2026-11-21T07:42:02Z', true],
    ['time > 2026-11-21T07:42:02Z', false],
    ['time == 2026-11-21T08:42:02.000000000+01:00', true],
    ['time > +2s', false],
    ['time in +1s..+3s', true],
    ['outcome == complete', true],
    ['outcome == "complete"', true],
    ['ending == null', true],
    ['ending', false],
    ['anomaly == pipelined', true],
    ['"pipelined" in anomaly', true],
    ['anomaly == mid-stream', false],
    ['anomaly != pipelined', false],
    ['anomaly in {mid-stream, obs-fold}', true],
    ['anomaly ~ "fold$"', true],
    ['vlan == 7', true],
    ['vlan > 99', true],
    ['vlan in 8..99', false],
    ['7 in vlan', true],
    ['tunnel == vxlan', true],
    ['tunnel != gre', true],
    ['interim', false],
    ['header["Via"] == "b"', true],
    ['request.header["via"] == "b"', false],
    ['header["via"] != "c"', true],
    ['header["via"] != "b"', false],
    ['header["x-request-id"] == "it\\"s"', true],
    ['header["host"] startsWith "API"', true],
    ['header["user-agent"] ~ "^curl/[0-9.]+$"', true],
    ['header["etag"]', false],
    ['error', true],
    ['!error', false],
    ['error == false', false],
    ['not error or status == 503', true],
    ['error and not (status == 503)', false],
    ['position == 1 || status == 200 && error == false', true],
    ['(position == 1 || status == 200) && error == false', false],
    ['NOT error OR position == 1', true],
  ])('%s: %s', (text, expected) => {
    expect(holds(text, failed)).toBe(expected);
  });

  it('is false for every comparison with what is missing, also for its opposite in order, and true for !=', () => {
    for (const text of [
      'status < 500',
      'status >= 500',
      'status == 200',
      'status in 0..999',
      'wait > 0ns',
      'wait <= 9h',
    ])
      expect(holds(text, silent), text).toBe(false);
    for (const text of [
      'status != 200',
      '!(status < 500)',
      'status not in 0..999',
      'status == null',
      '!status',
    ])
      expect(holds(text, silent), text).toBe(true);
    expect(holds('error', silent)).toBe(true);
  });

  it('counts an answer of HTTP/0.9 as an answer without a status', () => {
    expect(holds('status == null && !error && response.bytes > 0', old)).toBe(true);
    expect(holds('status < 600', old)).toBe(false);
  });

  it('has the request of an orphan response missing', () => {
    const orphan = buildExchange({ request: null, outcome: 'orphan-response' });
    expect(
      holds('method == null && path == null && route == null && query == null && wait == null', orphan),
    ).toBe(true);
    expect(holds('version == "1.1" && status == 200', orphan)).toBe(true);
  });

  it('names the header fields that must be kept for it, and the fields in it', () => {
    const filter = parseFilter(
      'header["X-A"] && !(response.header["x-b"] == "1") && header["x-a"] ~ "2" && header["host"] && status == 1',
    );
    expect(filter.headers).toEqual(['x-a', 'x-b']);
    expect(filter.fields).toEqual(['header["x-a"]', 'response.header["x-b"]', 'header["host"]', 'status']);
  });

  it('takes patterns as written, with single or doubled backslashes', () => {
    const exchange = buildExchange({ request: buildRequest({ target: '/a.b/1' }) });
    expect(holds('path ~ "a\\.b/\\d"', exchange)).toBe(true);
    expect(holds('path ~ "a\\\\.b/\\\\d"', exchange)).toBe(true);
    expect(holds("path ~ 'a\\.x'", exchange)).toBe(false);
    expect(holds('path == "\\u{2f}a.b/1"', exchange)).toBe(true);
  });
});

describe('the catalogue of fields', () => {
  it('has each name once, in the form that the language reads', () => {
    const names = FIELDS.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const name of names) expect(name).toMatch(/^[a-z][a-z_]*(\.[a-z][a-z_]*)?$/);
  });

  it('has an example for each that is right and about that field', () => {
    for (const { name, example } of FIELDS) expect(parseFilter(example).fields, example).toEqual([name]);
    for (const { example } of HEADER_FAMILIES) expect(() => parseFilter(example)).not.toThrow();
  });

  it('gives values as text for grouping', () => {
    const text = (name: string, exchange = failed): string | null | undefined =>
      findField(name)?.text(exchange, clock);
    expect(text('status')).toBe('503');
    expect(text('status', silent)).toBeNull();
    expect(text('wait')).toBe('250ms');
    expect(text('time')).toBe('2026-11-21T07:42:02.000000Z');
    expect(text('request.bytes')).toBe('1500B');
    expect(text('vlan')).toBe('100,7');
    expect(text('interim')).toBeNull();
    expect(text('error')).toBe('yes');
    expect(text('header["via"]')).toBe('a, b');
    expect(text('response.header[Via]')).toBe('b');
    expect(text('header["etag"]')).toBeNull();
    expect(text('route')).toBe('/users/{id}');
  });

  it('does not find what is no field', () => {
    for (const name of [
      '',
      'Status',
      'header',
      'header[]',
      'header["a b"]',
      'constructor',
      '__proto__',
      'header["a"',
    ])
      expect(findField(name), name).toBeUndefined();
  });
});
