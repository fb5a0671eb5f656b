import type { SchemaElement } from 'hyparquet-writer';
import { ByteWriter, ParquetWriter } from 'hyparquet-writer';
import type { Exchange } from '../model/exchange.ts';
import type { TextOutput } from '../model/text-output.ts';
import { type ColumnValue, EXCHANGE_COLUMNS, type ExchangeColumn } from './exchange-columns.ts';
import { type ExportOptions, type ExportSink, flushing } from './export-sink.ts';

/** Bounds of what is held before it is written as a row group. */
export interface ParquetLimits {
  readonly rows: number;
  /** Characters of all texts of the rows. */
  readonly characters: number;
}

export const PARQUET_LIMITS: ParquetLimits = Object.freeze({ rows: 50_000, characters: 64 * 1024 * 1024 });

export interface ParquetOptions extends ExportOptions {
  readonly limits?: Partial<ParquetLimits>;
}

/** `started` is a point in time here, not a text; `started_us` and `started_ns` are as in the view. */
const TIMESTAMP = 'started';

function schemaElement({ name, type }: ExchangeColumn): SchemaElement {
  const common = { name, repetition_type: 'OPTIONAL' } as const;
  if (name === TIMESTAMP) {
    return {
      ...common,
      type: 'INT64',
      converted_type: 'TIMESTAMP_MICROS',
      logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'MICROS' },
    };
  }
  if (type === 'integer') return { ...common, type: 'INT64' };
  if (type === 'real') return { ...common, type: 'DOUBLE' };
  return { ...common, type: 'BYTE_ARRAY', converted_type: 'UTF8', logical_type: { type: 'STRING' } };
}

/** Hands on what was written after each row group, so that only one is in memory. */
class HandingOnWriter extends ByteWriter {
  readonly #output: TextOutput;

  constructor(output: TextOutput) {
    super();
    this.#output = output;
  }

  flush(): void {
    this.#output.writeBytes(new Uint8Array(this.buffer, 0, this.index).slice());
    this.index = 0;
  }

  override finish(): void {
    this.flush();
  }
}

/**
 * Writes exchanges as a Parquet file with the columns of the SQLite view `exchanges`: integers as INT64, durations
 * as DOUBLE, texts as UTF-8 (dictionary-coded where that is shorter), `started` as a timestamp in µs; Snappy.
 * `output` gets bytes that are not text. Memory is that of one row group (PARQUET_LIMITS) and of the file's index.
 */
export function createParquetSink(options: ParquetOptions): ExportSink {
  const { output, clock, version } = options;
  const limits = { ...PARQUET_LIMITS, ...options.limits };
  const writer = new ParquetWriter({
    writer: new HandingOnWriter(output),
    schema: [
      { name: 'exchanges', num_children: EXCHANGE_COLUMNS.length },
      ...EXCHANGE_COLUMNS.map(schemaElement),
    ],
    createdBy: `wirelens version ${version}`,
  });
  let columns: (ColumnValue | bigint)[][] = EXCHANGE_COLUMNS.map(() => []);
  let rows = 0;
  let characters = 0;
  const writeGroup = (): void => {
    if (rows === 0) return;
    const columnData = EXCHANGE_COLUMNS.map(({ name }, index) => ({ name, data: columns[index] }));
    // The writer of this folder flushes at once, so there is nothing to wait for.
    void writer.write({ columnData, rowGroupSize: rows });
    columns = EXCHANGE_COLUMNS.map(() => []);
    rows = 0;
    characters = 0;
  };
  return {
    exchange(exchange: Exchange): void {
      const epochSeconds = clock.epochSeconds ?? 0;
      EXCHANGE_COLUMNS.forEach((column, index) => {
        const value = column.value(exchange, epochSeconds);
        if (typeof value === 'string') characters += value.length;
        columns[index].push(column.type === 'integer' && value !== null ? BigInt(value) : value);
      });
      const startedUs = columns[STARTED_US_INDEX];
      columns[TIMESTAMP_INDEX][rows] = startedUs[rows];
      rows += 1;
      if (rows >= limits.rows || characters >= limits.characters) writeGroup();
    },
    connection(): void {},
    drain: () => output.drain(),
    async finish(): Promise<void> {
      writeGroup();
      await writer.finish();
      await output.flush();
    },
    abort: flushing(options),
    notices: () => [],
  };
}

const indexOf = (name: string): number => EXCHANGE_COLUMNS.findIndex((column) => column.name === name);
const TIMESTAMP_INDEX = indexOf(TIMESTAMP);
const STARTED_US_INDEX = indexOf('started_us');
