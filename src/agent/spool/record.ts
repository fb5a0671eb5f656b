import { crc32 } from 'node:zlib';

/**
 * One record of a spool segment: a header of fixed length, then the batch as it is sent. Numbers are little endian.
 *
 *     0  magic          4   "WLSP"
 *     4  version        2   1
 *     6  (reserved)     2   0
 *     8  body bytes     4
 *    12  rows           4   exchanges in the batch
 *    16  number         8   of the batch, see BatchNumber
 *    24  rows before    8   exchanges in all records that this spool ever held before this one
 *    32  body check     4   CRC-32 of the body
 *    36  header check   4   CRC-32 of the 36 bytes before
 */
const FIELD = {
  magic: 0,
  version: 4,
  bodyBytes: 8,
  rows: 12,
  number: 16,
  rowsBefore: 24,
  bodyCheck: 32,
  headerCheck: 36,
} as const;

export const HEADER_BYTES = FIELD.headerCheck + 4;
export const MAGIC = Buffer.from('WLSP', 'latin1');
const VERSION = 1;
/** No batch is longer; a header that says otherwise is damaged. */
export const LONGEST_BODY_BYTES = 64 * 1024 * 1024;

export interface RecordHeader {
  readonly number: number;
  readonly rows: number;
  /** Exchanges in all records before it; a gap between two records tells how many were lost. */
  readonly rowsBefore: number;
  readonly bodyBytes: number;
  /** CRC-32 of the body. */
  readonly bodyCheck: number;
}

/** The bytes in front of a body. */
export function recordHeader(
  body: Uint8Array,
  facts: Pick<RecordHeader, 'number' | 'rows' | 'rowsBefore'>,
): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  MAGIC.copy(header, FIELD.magic);
  header.writeUInt16LE(VERSION, FIELD.version);
  header.writeUInt32LE(body.length, FIELD.bodyBytes);
  header.writeUInt32LE(facts.rows, FIELD.rows);
  header.writeBigUInt64LE(BigInt(facts.number), FIELD.number);
  header.writeBigUInt64LE(BigInt(facts.rowsBefore), FIELD.rowsBefore);
  header.writeUInt32LE(crc32(body), FIELD.bodyCheck);
  header.writeUInt32LE(crc32(header.subarray(0, FIELD.headerCheck)), FIELD.headerCheck);
  return header;
}

/** The header at a place; null: there is none, or it is damaged. */
export function readHeader(bytes: Buffer, at: number): RecordHeader | null {
  if (at + HEADER_BYTES > bytes.length) return null;
  if (bytes.readUInt32LE(at) !== MAGIC.readUInt32LE(0)) return null;
  const header = bytes.subarray(at, at + HEADER_BYTES);
  if (crc32(header.subarray(0, FIELD.headerCheck)) !== header.readUInt32LE(FIELD.headerCheck)) return null;
  if (header.readUInt16LE(FIELD.version) !== VERSION) return null;
  const number = Number(header.readBigUInt64LE(FIELD.number));
  const rowsBefore = Number(header.readBigUInt64LE(FIELD.rowsBefore));
  const bodyBytes = header.readUInt32LE(FIELD.bodyBytes);
  if (!Number.isSafeInteger(number) || !Number.isSafeInteger(rowsBefore)) return null;
  if (bodyBytes > LONGEST_BODY_BYTES) return null;
  return {
    number,
    rowsBefore,
    bodyBytes,
    rows: header.readUInt32LE(FIELD.rows),
    bodyCheck: header.readUInt32LE(FIELD.bodyCheck),
  };
}

/** True when the body is the one that was written. */
export function bodyIsWhole(body: Uint8Array, { bodyBytes, bodyCheck }: RecordHeader): boolean {
  return body.length === bodyBytes && crc32(body) === bodyCheck;
}
