import { UserError } from '../model/errors.ts';
import type { RowBatch } from '../model/row-batch.ts';
import { RowBatchBuilder } from './batch-builder.ts';
import { TRANSFER_LIMITS, type TransferLimits } from './batch-columns.ts';
import { type JsonBounds, parseBounded, utf8Text } from './bounded-json.ts';
import { refuseLarge, refuseManyRows } from './decode-batch.ts';
import { recordRow } from './record-row.ts';

/** Bytes of one line. */
const LINE_BYTES = 8 * 1024 * 1024;
/** More than any record has: it is the repeated header fields of a head of 256 KiB that count. */
const BOUNDS: JsonBounds = { depth: 16, containers: 131_072, members: 524_288 };

const LINE_FEED = 0x0a;

/**
 * Reads NDJSON: exchanges in the JSON form of docs/json-record.md, as `analyze --format json` writes them. Members that
 * are not known are passed over, those that are missing are null where they may be. Throws UserError as decodeBatch
 * does; `place.row` counts the lines that are not empty.
 */
export function decodeLines(body: Uint8Array, limits: TransferLimits = TRANSFER_LIMITS): RowBatch {
  refuseLarge(body, limits);
  const rows = new RowBatchBuilder();
  for (let start = 0; start < body.length; ) {
    const feed = body.indexOf(LINE_FEED, start);
    const end = feed < 0 ? body.length : feed;
    const text = lineText(body, start, end, rows.rows + 1);
    if (text !== '') {
      refuseManyRows(rows.rows + 1, limits);
      rows.add(rowOf(text, rows.rows + 1));
    }
    start = end + 1;
  }
  if (rows.rows === 0) throw new UserError('no-rows', 'there is no exchange in the body');
  return rows.take();
}

function lineText(body: Uint8Array, start: number, end: number, row: number): string {
  if (end - start > LINE_BYTES) {
    throw new UserError('line-too-long', `a line of more than ${LINE_BYTES} bytes`, { place: { row } });
  }
  return blaming(row, () => utf8Text(body.subarray(start, end)).trim());
}

function rowOf(text: string, row: number): ReturnType<typeof recordRow> {
  return recordRow(
    blaming(row, () => parseBounded(text, BOUNDS)),
    row,
  );
}

/** What goes wrong in reading a line is its row's fault. */
function blaming<T>(row: number, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(error.code, error.message, { place: { row }, cause: error });
  }
}
