import { readFileSync } from 'node:fs';
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
import { readZeekLog, type ZeekLogRead } from '../../../test/read-zeek.ts';
import { fixtureNames, runFixture } from '../../../test/run-fixture.ts';
import { run as arbitraryRun } from '../../../test/store/arbitrary-run.ts';
import type { Connection, Exchange } from '../../model/exchange.ts';
import { createZeekSink } from './zeek-sink.ts';

const clock = { epochSeconds: EPOCH_SECONDS };

interface Logs {
  readonly http: ZeekLogRead;
  readonly conn: ZeekLogRead;
}

async function textsOf(
  exchanges: readonly Exchange[],
  connections: readonly Connection[],
  json: boolean,
): Promise<{ http: string; conn: string }> {
  const outputs = { http: textInMemory(), conn: textInMemory() };
  const sink = createZeekSink({ outputs, clock, captures: [], version: '0', json });
  for (const exchange of exchanges) sink.exchange(exchange);
  for (const connection of connections) sink.connection(connection);
  await sink.finish(buildRun());
  return { http: outputs.http.text(), conn: outputs.conn.text() };
}

async function logsOf(
  exchanges: readonly Exchange[],
  connections: readonly Connection[] = [],
): Promise<Logs> {
  const { http, conn } = await textsOf(exchanges, connections, false);
  return { http: readZeekLog(http), conn: readZeekLog(conn) };
}

const httpRowOf = async (exchange: Exchange) => (await logsOf([exchange])).http.rows[0];
const connRowOf = async (connection: Connection) => (await logsOf([], [connection])).conn.rows[0];

describe('http.log', () => {
  it('has the fields and types of Zeek, in its order', async () => {
    const { http } = await logsOf([]);
    expect(http.path).toBe('http');
    expect(http.fields.join(' ')).toBe(
      'ts uid id.orig_h id.orig_p id.resp_h id.resp_p trans_depth method host uri referrer version user_agent origin request_body_len response_body_len status_code status_msg info_code info_msg tags username password proxied orig_fuids orig_filenames orig_mime_types resp_fuids resp_filenames resp_mime_types',
    );
    expect(http.types.join(' ')).toBe(
      'time string addr port addr port count string string string string string string string count count count string count string set[enum] string string set[string] vector[string] vector[string] vector[string] vector[string] vector[string] vector[string]',
    );
  });

  it('says of an exchange what Zeek says', async () => {
    const row = await httpRowOf(
      buildExchange({
        position: 3,
        request: buildRequest({
          method: 'POST',
          target: '/a?b',
          version: '1.1',
          bodyBytes: 7,
          mediaType: 'application/json',
          userAgent: 'curl/8',
          headers: [
            { name: 'referer', value: 'http://r.example/' },
            { name: 'origin', value: 'http://o.example' },
            { name: 'x-forwarded-for', value: '192.0.2.1, 192.0.2.2' },
            { name: 'via', value: '1.1 proxy' },
          ],
        }),
        response: buildResponse({ version: '1.0', status: 201, reason: 'Created' }),
        interim: [
          { status: 103, timeNs: 1, startOffset: -1, endOffset: -1 },
          { status: 100, timeNs: 2, startOffset: -1, endOffset: -1 },
        ],
      }),
    );
    expect(row).toEqual({
      ts: '1795246920.002000',
      uid: row.uid,
      'id.orig_h': '10.0.0.1',
      'id.orig_p': '5000',
      'id.resp_h': '10.0.0.2',
      'id.resp_p': '80',
      trans_depth: '3',
      method: 'POST',
      host: 'example.org',
      uri: '/a?b',
      referrer: 'http://r.example/',
      version: '1.0',
      user_agent: 'curl/8',
      origin: 'http://o.example',
      request_body_len: '7',
      response_body_len: '1234',
      status_code: '201',
      status_msg: 'Created',
      info_code: '100',
      info_msg: null,
      tags: [],
      username: null,
      password: null,
      proxied: ['X-FORWARDED-FOR -> 192.0.2.1, 192.0.2.2', 'VIA -> 1.1 proxy'],
      orig_fuids: null,
      orig_filenames: null,
      orig_mime_types: ['application/json'],
      resp_fuids: null,
      resp_filenames: null,
      resp_mime_types: ['text/html'],
    });
  });

  it('leaves unset what was not there', async () => {
    expect(await httpRowOf(buildUnanswered('capture-ended'))).toMatchObject({
      method: 'GET',
      version: null,
      response_body_len: '0',
      status_code: null,
      status_msg: null,
      resp_mime_types: null,
    });
    expect(await httpRowOf(buildExchange({ request: null, outcome: 'orphan-response' }))).toMatchObject({
      ts: '1795246920.012000',
      method: null,
      host: null,
      uri: null,
      request_body_len: '0',
      status_code: '200',
    });
  });

  it('gives 101 also as informational, with its message', async () => {
    const response = buildResponse({ status: 101, reason: 'Switching Protocols', bodyBytes: 0 });
    expect(await httpRowOf(buildExchange({ response }))).toMatchObject({
      status_code: '101',
      info_code: '101',
      info_msg: 'Switching Protocols',
      resp_mime_types: null,
    });
  });
});

describe('conn.log', () => {
  it('has the fields and types of Zeek, in its order', async () => {
    const { conn } = await logsOf([]);
    expect(conn.path).toBe('conn');
    expect(conn.fields.join(' ')).toBe(
      'ts uid id.orig_h id.orig_p id.resp_h id.resp_p proto service duration orig_bytes resp_bytes conn_state local_orig local_resp missed_bytes history orig_pkts orig_ip_bytes resp_pkts resp_ip_bytes tunnel_parents ip_proto',
    );
    expect(conn.types.join(' ')).toBe(
      'time string addr port addr port enum string interval count count string bool bool count string count count count count set[string] count',
    );
  });

  it('says of a connection what Zeek says', async () => {
    const totals = buildConnection().fromClient;
    const row = await connRowOf(
      buildConnection({
        firstNs: 1_000,
        lastNs: 50_001_000,
        history: 'ShADadFf',
        fromClient: { ...totals, packets: 6, payloadBytes: 300, ipBytes: 620, gapBytes: 5 },
        fromServer: { ...totals, packets: 4, payloadBytes: 900, ipBytes: 1108, gapBytes: 7 },
      }),
    );
    expect(row).toEqual({
      ts: '1795246920.000001',
      uid: row.uid,
      'id.orig_h': '10.0.0.1',
      'id.orig_p': '5000',
      'id.resp_h': '10.0.0.2',
      'id.resp_p': '80',
      proto: 'tcp',
      service: 'http',
      duration: '0.050000',
      orig_bytes: '300',
      resp_bytes: '900',
      conn_state: 'SF',
      local_orig: null,
      local_resp: null,
      missed_bytes: '12',
      history: 'ShADadFf',
      orig_pkts: '6',
      orig_ip_bytes: '620',
      resp_pkts: '4',
      resp_ip_bytes: '1108',
      tunnel_parents: null,
      ip_proto: '6',
    });
  });

  it('has neither duration nor bytes of a single packet', async () => {
    expect(await connRowOf(buildConnection({ firstNs: 5, lastNs: 5, history: 'S' }))).toMatchObject({
      duration: null,
      orig_bytes: null,
      resp_bytes: null,
      orig_pkts: '5',
      conn_state: 'S0',
    });
  });
});

describe("Zeek's logs", () => {
  it.each(fixtureNames())('join by uid and name the same ends: %s', async (name) => {
    const outputs = { http: textInMemory(), conn: textInMemory() };
    const connections: Connection[] = [];
    const run = await runFixture(name, ({ clock: ours, captures }) => {
      const sink = createZeekSink({ outputs, clock: ours, captures, version: '0' });
      return {
        ...sink,
        connection: (connection) => {
          connections.push(connection);
          sink.connection(connection);
        },
      };
    });
    const http = readZeekLog(outputs.http.text());
    const conn = readZeekLog(outputs.conn.text());
    expect(conn.rows).toHaveLength(run.ledger.connectionsClosed);
    expect(http.rows).toHaveLength(run.ledger.exchanges);
    const byUid = new Map(conn.rows.map((row) => [row.uid, row]));
    expect(byUid.size).toBe(conn.rows.length);
    for (const row of http.rows) {
      const joined = byUid.get(row.uid);
      const endsOf = (one: typeof row | undefined) =>
        [`${one?.['id.orig_h']} ${one?.['id.orig_p']}`, `${one?.['id.resp_h']} ${one?.['id.resp_p']}`].sort();
      expect(endsOf(joined)).toEqual(endsOf(row));
      expect(joined?.service).toMatch(/^http/);
    }
    for (const { conn_state } of conn.rows)
      expect(conn_state).toMatch(/^(S[0123FH]|SHR|REJ|RST[OR]|RSTOS0|RSTRH|OTH)$/);
  });

  it('are those that the documentation shows', async () => {
    const output = textInMemory();
    await runFixture('mixed-traffic', (context) =>
      createZeekSink({ outputs: { conn: output }, version: '0', ...context }),
    );
    const columns = [...Array.from({ length: 9 }, (_, index) => index), 11, 15];
    const rows = output
      .text()
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => line.split('\t'))
      .map((cells) => columns.map((column) => cells[column]).join('\t'));
    const page = readFileSync(new URL('../../../docs/formats.md', import.meta.url), 'utf8');
    expect(/```console\n\$ [^\n]*\n([^`]*)\n```/.exec(page)?.[1]).toBe(rows.join('\n'));
  });

  it('say the same in both forms, whatever the exchanges', async () => {
    await fc.assert(
      fc.asyncProperty(arbitraryRun, async ({ exchanges, connections }) => {
        const tsv = await textsOf(exchanges, connections, false);
        const json = await textsOf(exchanges, connections, true);
        for (const log of ['http', 'conn'] as const) {
          const read = readZeekLog(tsv[log]);
          const objects = json[log]
            .split('\n')
            .slice(0, -1)
            .map((line) => JSON.parse(line));
          expect(objects).toEqual(
            read.rows.map((row) => {
              const set = read.fields
                .map((name, index): [string, unknown] => {
                  const isNumber = /^(time|interval|count|port)$/.test(read.types[index]);
                  return [name, isNumber && row[name] !== null ? Number(row[name]) : row[name]];
                })
                .filter(([, value]) => value !== null);
              return Object.fromEntries(set);
            }),
          );
        }
      }),
      { numRuns: 40 },
    );
  });
});
