import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { buildExchange, buildRequest, EPOCH_SECONDS } from '../../test/build-exchange.ts';
import { bytesOf, expectSound, refusal } from '../../test/hostile-uploads.ts';
import { UserError } from '../model/errors.ts';
import { BATCH_COLUMNS, TRANSFER_LIMITS } from './batch-columns.ts';
import { BatchEncoder } from './batch-encoder.ts';
import { decodeBatch } from './decode-batch.ts';
import { decodeLines } from './decode-lines.ts';
import { batchText } from './encode-batch.ts';
import { rowsOf } from './rows-of.ts';

type Columns = Record<string, unknown>;

/** A good batch of three rows, in which one thing is made wrong. */
function batch(): { v: unknown; rows: unknown; columns: Columns } {
  const encoder = new BatchEncoder({ clock: { epochSeconds: EPOCH_SECONDS }, captures: [] });
  for (const target of ['/a', '/b', '/a']) encoder.add(buildExchange({ request: buildRequest({ target }) }));
  return JSON.parse(batchText(encoder.takeBatch())) as ReturnType<typeof batch>;
}
const encoded = (value: unknown): Uint8Array => bytesOf(JSON.stringify(value));
const withColumn = (name: string, value: unknown): Uint8Array => {
  const { columns, ...rest } = batch();
  return encoded({ ...rest, columns: { ...columns, [name]: value } });
};
const refused = (body: Uint8Array): UserError => refusal(() => decodeBatch(body));

describe('a batch', () => {
  it('that is good is taken, with values one by one, too, and without the columns that may be null', () => {
    const { columns, ...rest } = batch();
    expectSound(decodeBatch(encoded({ ...rest, columns })));
    const { uid: _uid, reason: _reason, ...fewer } = columns;
    const plain = decodeBatch(encoded({ ...rest, columns: { ...fewer, target: ['/x', null, '/x'] } }));
    expectSound(plain);
    expect(rowsOf(plain).map(({ target, uid, reason }) => [target, uid, reason])).toEqual([
      ['/x', null, null],
      [null, null, null],
      ['/x', null, null],
    ]);
  });

  const WRONG: readonly [string, string, unknown, { row?: number; code?: string }?][] = [
    ['too few values', 'status', [200, 200]],
    ['too many values', 'status', [200, 200, 200, 200]],
    ['a text for a number', 'status', [200, '200', 200], { row: 2 }],
    ['a fraction for a whole number', 'status', [200, 200, 1.5], { row: 3 }],
    ['2^60', 'request_body_bytes', [0, 2 ** 60, 0], { row: 2 }],
    ['a negative count', 'position', [1, -1, 1], { row: 2 }],
    ['a port beyond 65535', 'client_port', { all: 65_536 }],
    ['null where there must be a value', 'position', [1, null, 1], { row: 2 }],
    ['null for all where there must be a value', 'position', { all: null }],
    ['true', 'total_ms', { all: true }],
    ['an object for a number', 'total_ms', [1, {}, 2], { row: 2 }],
    ['a code out of range', 'target', { texts: ['/a'], codes: [0, 1, 0] }, { row: 2 }],
    ['a code below -1', 'target', { texts: ['/a'], codes: [0, -2, 0] }, { row: 2 }],
    ['a code for null where there must be a value', 'client', { texts: ['1.2.3.4'], codes: [0, -1, 0] }, { row: 2 }],
    ['half a code', 'target', { texts: ['/a'], codes: [0, 0.5, 0] }, { row: 2 }],
    ['too few codes', 'target', { texts: ['/a'], codes: [0, 0] }],
    ['more texts than rows', 'target', { texts: ['a', 'b', 'c', 'd'], codes: [0, 0, 0] }],
    ['a number among texts', 'target', { texts: ['/a', 7], codes: [0, 0, 0] }],
    ['texts without codes', 'target', { texts: ['/a'] }],
    ['codes of numbers', 'status', { texts: ['200'], codes: [0, 0, 0] }],
    ['another member', 'target', { all: '/a', also: 1 }],
    ['no column', 'target', 7],
    ['null for a column', 'target', null],
    ['an outcome that is none', 'outcome', { all: 'fine' }],
    ['an ending that is none', 'ending', ['evicted', 'x', null], { row: 2 }],
    ['half a surrogate pair', 'host', { all: 'a\ud800' }],
    ['a text that is too long', 'host', { all: 'é'.repeat(600_000) }],
    ['a uid of capitals', 'uid', { all: 'ABCDEF0123456789' }],
    ['an address that is none', 'client', { all: '10.0.0.256' }],
    ['an address with a zone', 'client', { all: 'fe80::1%eth0' }],
    ['headers that are no JSON', 'request_headers', { all: '[["a","b"]' }],
    ['headers of another shape', 'request_headers', { all: '[{"name":"a"}]' }],
    ['headers with half a surrogate pair', 'request_headers', { all: '[["a","\\ud800"]]' }],
    ['headers that are deep', 'request_headers', { all: '['.repeat(100_000) }],
    ['headers that are many', 'request_headers', { all: `[${'[],'.repeat(200_000)}[]]` }],
    ['an anomaly that is none', 'anomalies', { all: '["__proto__"]' }],
    ['a tunnel that is none', 'tunnels', { all: '[{"kind":"tube","id":1}]' }],
    ['a sighting without times', 'sightings', { all: '[{"capture":0}]' }],
  ]; // biome-ignore format: a table

  it.each(WRONG)('with %s in %s is refused, and says which column', (_what, name, value, more = {}) => {
    const error = refused(withColumn(name, value));
    expect(error.place.column).toBe(name);
    expect(error.place.row).toBe(more.row);
    expect(error.message.length).toBeLessThan(250);
  });

  it.each([
    ['__proto__', 'unknown-column'],
    ['constructor', 'unknown-column'],
    ['id', 'unknown-column'],
    ['\u001b[31mred\u001b[0m', 'unknown-column'],
    ['x'.repeat(100_000), 'unknown-column'],
  ])('with a column %j is refused', (name, code) => {
    const { columns, ...rest } = batch();
    const text = JSON.stringify({ ...rest, columns }).replace(
      '"columns":{',
      `"columns":{${JSON.stringify(name)}:[1,2,3],`,
    );
    const error = refused(bytesOf(text));
    expect(error.code).toBe(code);
    expect(error.message.length).toBeLessThan(100);
    expect(error.message).not.toContain('\u001b');
  });

  it('without a column that must be there is refused', () => {
    const { columns, ...rest } = batch();
    const { client: _client, ...without } = columns;
    expect(refused(encoded({ ...rest, columns: without })).place.column).toBe('client');
  });

  it.each<[string, unknown]>([
    ['no rows', { rows: 0 }],
    ['half a row', { rows: 1.5 }],
    ['rows in words', { rows: '3' }],
    ['more rows than the limit', { rows: TRANSFER_LIMITS.rows + 1 }],
    ['2^60 rows', { rows: 2 ** 60 }],
    ['another version', { v: 2 }],
    ['no version', { v: undefined }],
    ['no columns', { columns: [] }],
  ])('with %s is refused', (_what, parts) => {
    refused(encoded({ ...batch(), ...(parts as object) }));
  });

  it.each<[string, Uint8Array, string]>([
    ['nothing', bytesOf(''), 'bad-json'],
    ['no JSON', bytesOf('{"v":1,'), 'bad-json'],
    ['NaN', bytesOf('{"v":NaN}'), 'bad-json'],
    ['an array', bytesOf('[]'), 'bad-batch'],
    ['null', bytesOf('null'), 'bad-batch'],
    ['invalid UTF-8', Uint8Array.of(0x22, 0xff, 0x22), 'bad-utf8'],
    ['10^5 levels', bytesOf(`${'['.repeat(100_000)}${']'.repeat(100_000)}`), 'json-too-complex'],
    [
      '10^6 columns',
      bytesOf(`{"columns":{${Array.from({ length: 1e6 }, (_, at) => `"c${at}":1`).join(',')}}}`),
      'json-too-complex',
    ],
    ['10^6 arrays', bytesOf(`{"columns":[${'[],'.repeat(1e6)}[]]}`), 'json-too-complex'],
    ['an endless text', bytesOf(`{"v":"${'\\"'.repeat(1e6)}`), 'bad-json'],
  ])('of %s is refused', (_what, body, code) => {
    expect(refused(body).code).toBe(code);
  });

  it('that is larger than the limit is refused before it is read', () => {
    const limits = { rows: 10, bodyBytes: 1000 };
    expect(refusal(() => decodeBatch(new Uint8Array(1001), limits)).code).toBe('too-large');
    expect(refusal(() => decodeLines(new Uint8Array(1001), limits)).code).toBe('too-large');
  });

  it('with anything at all in it is refused with a UserError, or is sound', () => {
    const nasty = fc.oneof(
      fc.jsonValue({ maxDepth: 3 }),
      fc.record({ all: fc.jsonValue({ maxDepth: 1 }) }),
      fc.record({
        texts: fc.array(fc.string({ unit: 'binary' })),
        codes: fc.array(fc.integer({ min: -3, max: 4 })),
      }),
      fc.array(fc.oneof(fc.double(), fc.string(), fc.constant(null), fc.constant('10.0.0.1')), {
        minLength: 3,
        maxLength: 3,
      }),
    );
    let taken = 0;
    fc.assert(
      fc.property(fc.constantFrom(...BATCH_COLUMNS.map(({ name }) => name)), nasty, (name, value) => {
        try {
          expectSound(decodeBatch(withColumn(name, value)));
          taken += 1;
        } catch (error) {
          if (!(error instanceof UserError)) throw error;
        }
      }),
      { numRuns: 600 },
    );
    expect(taken).toBeGreaterThan(0);
  });

  it('with a byte turned is refused with a UserError, or is sound', () => {
    const body = encoded(batch());
    fc.assert(
      fc.property(fc.nat(body.length - 1), fc.nat(255), fc.nat(body.length), (at, byte, length) => {
        const damaged = body.slice();
        damaged[at] = byte;
        for (const one of [damaged, body.slice(0, length)]) {
          try {
            expectSound(decodeBatch(one));
          } catch (error) {
            if (!(error instanceof UserError)) throw error;
          }
        }
      }),
      { numRuns: 500 },
    );
  });

  it('stores an address and JSON in one form only, whatever was sent', () => {
    const { columns, ...rest } = batch();
    const odd = {
      ...columns,
      client: { all: '2001:DB8:0:0:0:0:0:1' },
      server: { all: '0:0:0:0:0:ffff:a00:1' },
      request_headers: { all: ' [ [ "via" , "\\u0061" ] ] ' },
      tunnels: { all: '[{"id":7,"extra":{"deep":1},"kind":"gre","__proto__":1}]' },
    };
    const [row] = rowsOf(decodeBatch(encoded({ ...rest, columns: odd })));
    expect(row).toMatchObject({
      client: '2001:db8::1',
      server: '::ffff:10.0.0.1',
      request_headers: '[["via","a"]]',
      tunnels: '[{"kind":"gre","id":7}]',
    });
  });
});
