import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bytesOf, expectSound, refusal } from '../../test/hostile-uploads.ts';
import { UserError } from '../model/errors.ts';
import { decodeLines } from './decode-lines.ts';
import { rowsOf } from './rows-of.ts';

describe('NDJSON', () => {
  const record = {
    time: '2026-11-21T08:42:00.000001234+01:00',
    client: '10.0.0.1:5000',
    server: '[2001:db8::2]:80',
    method: 'GET',
    target: '/a?b=1',
    status: 200,
    outcome: 'complete',
    pairing: 'exact',
  };
  const lines = (...records: unknown[]): Uint8Array =>
    bytesOf(records.map((one) => (typeof one === 'string' ? one : JSON.stringify(one))).join('\n'));

  it('needs few members; unknown ones, empty lines and CR are passed over', () => {
    const batch = decodeLines(
      lines('', { ...record, v: 1, more: { deep: [[[1]]] } }, '\r', `${JSON.stringify(record)}\r`, ''),
    );
    expectSound(batch);
    const [one, other] = rowsOf(batch);
    expect(one).toEqual(other);
    expect(one).toMatchObject({
      // 2026-11-21T07:42:00Z
      started_us: 1_795_246_920_000_001,
      started_ns: 234,
      client: '10.0.0.1',
      client_port: 5000,
      server: '2001:db8::2',
      server_port: 80,
      path: '/a',
      route: null,
      status: 200,
      uid: null,
      request_headers: null,
      connection_id: 0,
      position: 1,
      places: 1,
    });
  });

  it.each<[string, unknown, string | undefined]>([
    ['no object', [1], 'line'],
    ['no time', { ...record, time: undefined }, 'time'],
    ['a time that is none', { ...record, time: '2026-02-30T00:00:00Z' }, 'time'],
    ['a number for a time', { ...record, time: 5 }, 'time'],
    ['an address without a port', { ...record, client: '10.0.0.1' }, 'client'],
    ['a port beyond 65535', { ...record, server: '10.0.0.1:65536' }, 'server'],
    ['no outcome', { ...record, outcome: null }, 'outcome'],
    ['an outcome that is none', { ...record, outcome: 'fine' }, 'outcome'],
    ['a status that is none', { ...record, status: 1000 }, 'status'],
    ['a text for a number', { ...record, total_ms: '5' }, 'total_ms'],
    ['headers that are none', { ...record, request: { headers: [{ name: 'a' }] } }, 'request.headers'],
    ['null for a header', { ...record, request: { headers: [null] } }, 'request.headers'],
    ['a request that is none', { ...record, request: 7 }, 'request'],
    ['half a surrogate pair', { ...record, host: '\ud800' }, 'host'],
    ['an interim response that is none', { ...record, interim: [5] }, 'interim'],
    ['an anomaly that is none', { ...record, anomalies: ['odd'] }, 'anomalies'],
    ['another version', { ...record, v: 2 }, undefined],
    ['no JSON', '{"time":', undefined],
    ['10^5 levels', `{"x":${'['.repeat(1e5)}`, undefined],
  ])('with %s is refused, and says in which row', (_what, wrong, column) => {
    const error = refusal(() => decodeLines(lines(record, '', wrong)));
    expect(error.place).toEqual(column === undefined ? { row: 2 } : { row: 2, column });
  });

  it('without a line, with too many, or of other bytes is refused', () => {
    expect(refusal(() => decodeLines(bytesOf('\n\n'))).code).toBe('no-rows');
    const limits = { rows: 2, bodyBytes: 1e6 };
    expect(refusal(() => decodeLines(lines(record, record, record), limits)).code).toBe('too-many-rows');
    expect(refusal(() => decodeLines(Uint8Array.of(0x7b, 0xc3, 0x28))).code).toBe('bad-utf8');
  });

  it('of anything is refused with a UserError, or is sound', () => {
    const names = [
      ...Object.keys(record),
      'request',
      'response',
      'tcp',
      'interim',
      'sightings',
      'vlans',
      'tunnels',
      'uid',
      'host',
      'v',
    ];
    fc.assert(
      fc.property(fc.constantFrom(...names), fc.jsonValue({ maxDepth: 4 }), (name, value) => {
        try {
          expectSound(decodeLines(lines({ ...record, [name]: value })));
        } catch (error) {
          if (!(error instanceof UserError)) throw error;
        }
      }),
      { numRuns: 500 },
    );
  });
});
