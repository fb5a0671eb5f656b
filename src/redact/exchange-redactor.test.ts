import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  buildCapture,
  buildConnection,
  buildExchange,
  buildRequest,
  buildResponse,
  buildRun,
} from '../../test/build-exchange.ts';
import { essence } from '../../test/redact-essence.ts';
import { redactFiles } from '../../test/redact-run.ts';
import type { Connection, Exchange } from '../model/exchange.ts';
import type { ExchangeSink, RunRecord } from '../model/sink.ts';
import { ExchangeRedactor } from './exchange-redactor.ts';
import { RedactionKey } from './key.ts';
import { redactingSink } from './redacting-sink.ts';
import { DEFAULT_CHOICES, RedactionRules } from './rules.ts';

const FIXTURES = path.resolve(import.meta.dirname, '../../fixtures');
const rulesOf = (): RedactionRules =>
  new RedactionRules(new RedactionKey(Buffer.from('test key')), DEFAULT_CHOICES);

/** What an exchange says in words. */
function wordsOf({ client, server, request, response }: Exchange): unknown {
  return {
    ends: [client, server],
    request: request && [
      request.method,
      request.target,
      request.host,
      request.userAgent,
      request.mediaType,
      request.headers,
    ],
    response: response && [response.reason, response.mediaType, response.headers],
  };
}

describe('exchanges', () => {
  it.each([
    'nginx-keep-alive',
    'web-shop',
    'nginx-ipv6',

    'connect-proxy',
    'wrapped-vxlan',
  ])('of %s say the same as a redacted capture under the same key', async (name) => {
    const folder = path.join(FIXTURES, name);
    const file = name === 'web-shop' ? 'capture.pcapng' : 'capture.pcap';
    const { before, after } = await redactFiles([readFileSync(path.join(folder, file))]);
    const redactor = new ExchangeRedactor(rulesOf());
    // Twice, as the command does: first only to learn the secrets.
    for (const exchange of before) redactor.exchange(exchange);
    const redacted = before.map((exchange) => redactor.exchange(exchange));
    expect(redacted.map(wordsOf)).toEqual(after.map(wordsOf));
    expect(redacted.map(essence)).toEqual(before.map(essence));
  });

  it('hold no secret afterwards', () => {
    const secret = 'k9Xw2mPq7RtZ';
    const exchange = buildExchange({
      request: buildRequest({
        target: `/reset/${secret}?token=${secret}&next=/x`,
        host: `${secret}.example`,
        userAgent: `agent ${secret}`,
        headers: [
          { name: 'referer', value: `https://a.example/?s=${secret}` },
          { name: 'x-request-id', value: secret },
        ],
      }),
      response: buildResponse({
        reason: secret,
        mediaType: `text/${secret}`,
        headers: [{ name: 'etag', value: `"${secret}"` }],
      }),
    });
    expect(JSON.stringify(exchange)).toContain(secret);
    expect(JSON.stringify(new ExchangeRedactor(rulesOf()).exchange(exchange))).not.toContain(secret);
  });

  it('of one connection share it, and its totals arrive', async () => {
    const given: { exchanges: Exchange[]; connections: Connection[]; run: RunRecord | null } = {
      exchanges: [],
      connections: [],
      run: null,
    };
    const sink: ExchangeSink = {
      exchange: (exchange) => given.exchanges.push(exchange),
      connection: (connection) => given.connections.push(connection),
      drain: () => null,
      finish: async (run) => {
        given.run = run;
      },
      abort: async () => {},
    };
    const redacting = redactingSink(new ExchangeRedactor(rulesOf()), sink);
    const connection = buildConnection({
      client: { address: '93.184.216.34', port: 5000, text: '93.184.216.34:5000' },
    });
    redacting.exchange(buildExchange({ connection }));
    redacting.exchange(buildExchange({ connection, id: 2, position: 2 }));
    connection.end = 'closed-by-client';
    redacting.connection(connection);
    const capture = buildCapture({
      path: '/home/bob/secret-customer.pcap',
      comments: [{ scope: 'packet', packet: 1, text: 'bob' }],
    });
    await redacting.finish(buildRun({ captures: [capture] }));
    expect(given.exchanges[0]?.connection).toBe(given.exchanges[1]?.connection);
    expect(given.connections).toEqual([given.exchanges[0]?.connection]);
    expect(given.connections[0]?.end).toBe('closed-by-client');
    expect(given.connections[0]?.client.text).toMatch(/^(?!93\.184\.216\.34)\d\d\.\d{3}\.\d{3}\.\d\d:5000$/);
    expect(JSON.stringify(given.run?.captures)).not.toMatch(/bob|secret/);
  });
});
