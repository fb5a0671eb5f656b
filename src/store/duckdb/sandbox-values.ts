import type { DuckDBDataChunk, DuckDBValue } from '@duckdb/node-api';
import { DuckDBDecimalValue } from '@duckdb/node-api';
import { bindings } from './bindings.ts';

const VARCHAR = 17;
const BLOB = 18;
const LIST = 24;
const TEXT_BYTES = 16;
const EXACT_DIGITS = 15;

/** A value as an answer has it. Whole numbers beyond 2^53, dates and values of several are text. */
export function answerCell(value: DuckDBValue): string | number | boolean | null {
  switch (typeof value) {
    case 'number':
      return Number.isFinite(value) ? value : String(value);
    case 'string':
    case 'boolean':
      return value;
    case 'bigint': {
      const number = Number(value);
      return Number.isSafeInteger(number) ? number : String(value);
    }
    default:
      if (value === null) return null;
      if (value instanceof DuckDBDecimalValue && value.width <= EXACT_DIGITS) return Number(value.toString());
      return value.toString();
  }
}

/** Bytes of the texts of a chunk, seen before any of them is made a string; lists count by their elements. */
export function textBytes(chunk: DuckDBDataChunk): number {
  let bytes = 0;
  for (let column = 0; column < chunk.columnCount; column += 1)
    bytes += vectorBytes(bindings.data_chunk_get_vector(chunk.chunk, column), chunk.rowCount);
  return bytes;
}

type Vector = ReturnType<typeof bindings.data_chunk_get_vector>;

function vectorBytes(vector: Vector, rows: number): number {
  if (rows === 0) return 0;
  const type = bindings.get_type_id(bindings.vector_get_column_type(vector)) as number;
  if (type === LIST) {
    const elements = bindings.list_vector_get_size(vector);
    return elements * TEXT_BYTES + vectorBytes(bindings.list_vector_get_child(vector), elements);
  }
  if (type !== VARCHAR && type !== BLOB) return rows * 8;
  const data = bindings.vector_get_data(vector, rows * TEXT_BYTES);
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const validity = bindings.vector_get_validity(vector, Math.ceil(rows / 64) * 8);
  let bytes = 0;
  for (let row = 0; row < rows; row += 1) {
    if (bindings.validity_row_is_valid(validity, row)) bytes += view.getUint32(row * TEXT_BYTES, true);
  }
  return bytes;
}
