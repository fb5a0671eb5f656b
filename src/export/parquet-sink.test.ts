import fc from 'fast-check';
import { parquetMetadata, parquetReadObjects } from 'hyparquet';
import { DEFAULT_PARSERS } from 'hyparquet/src/convert.js';
import { describe, expect, it } from 'vitest';
import { buildRun, EPOCH_SECONDS } from '../../test/build-exchange.ts';
import { bytesInMemory } from '../../test/bytes-in-memory.ts';
import { run as arbitraryRun } from '../../test/store/arbitrary-run.ts';
import type { Exchange } from '../model/exchange.ts';
import { createMemorySink } from '../store/memory-sink.ts';
import { EXCHANGE_COLUMNS } from './exchange-columns.ts';
import { createParquetSink, type ParquetOptions } from './parquet-sink.ts';

/** The reader's own way with texts takes a byte order mark away. */
const exact = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const PARSERS = { ...DEFAULT_PARSERS, stringFromBytes: (bytes: Uint8Array) => bytes && exact.decode(bytes) };

const clock = { epochSeconds: EPOCH_SECONDS };

async function parquetOf(
  exchanges: readonly Exchange[],
  limits: ParquetOptions['limits'] = {},
): Promise<ArrayBuffer> {
  const output = bytesInMemory();
  const sink = createParquetSink({ output, clock, captures: [], version: '1.2.3', limits });
  for (const exchange of exchanges) sink.exchange(exchange);
  await sink.finish(buildRun());
  return output.bytes();
}

describe('exchanges as Parquet', () => {
  it('reads back to the rows of the view, in row groups as large as allowed', async () => {
    await fc.assert(
      fc.asyncProperty(arbitraryRun, fc.integer({ min: 1, max: 30 }), async ({ exchanges }, rows) => {
        const file = await parquetOf(exchanges, { rows });
        const store = createMemorySink(clock);
        for (const exchange of exchanges) store.exchange(exchange);
        const expected = store.exchangeRecords().map((record) => ({
          ...record,
          started: new Date(Math.floor(Number(record.started_us) / 1000)),
        }));
        const read = await parquetReadObjects({ file, parsers: PARSERS });
        const plain = read.map((row) =>
          Object.fromEntries(
            Object.entries(row).map(([name, value]) => [
              name,
              typeof value === 'bigint' ? Number(value) : (value ?? null),
            ]),
          ),
        );
        expect(plain).toEqual(expected);
        const { row_groups } = parquetMetadata(file);
        expect(row_groups.map(({ num_rows }) => Number(num_rows))).toEqual(
          groupSizes(exchanges.length, rows),
        );
      }),
      { numRuns: 40 },
    );
  });

  it('has the types of the view, and a timestamp in microseconds', async () => {
    const { schema, created_by } = parquetMetadata(await parquetOf([]));
    const types = { integer: 'INT64', real: 'DOUBLE', text: 'BYTE_ARRAY' } as const;
    expect(created_by).toBe('wirelens version 1.2.3');
    expect(schema.slice(1).map(({ name, type }) => [name, type])).toEqual(
      EXCHANGE_COLUMNS.map(({ name, type }) => [name, name === 'started' ? 'INT64' : types[type]]),
    );
    expect(schema.find(({ name }) => name === 'started')?.logical_type).toMatchObject({
      type: 'TIMESTAMP',
      isAdjustedToUTC: true,
      unit: 'MICROS',
    });
    expect(schema.find(({ name }) => name === 'host')?.converted_type).toBe('UTF8');
  });

  it('begins a row group also when the texts of the rows are many', async () => {
    const [{ exchanges }] = fc.sample(
      arbitraryRun.filter((one) => one.exchanges.length > 3),
      { numRuns: 1, seed: 5 },
    );
    const { row_groups } = parquetMetadata(await parquetOf(exchanges, { characters: 1 }));
    expect(row_groups).toHaveLength(exchanges.length);
  });
});

function groupSizes(rows: number, size: number): number[] {
  const sizes: number[] = [];
  for (let left = rows; left > 0; left -= size) sizes.push(Math.min(left, size));
  return sizes;
}
