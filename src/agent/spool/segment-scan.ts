import { bodyIsWhole, HEADER_BYTES, MAGIC, type RecordHeader, readHeader } from './record.ts';

/** A record that is whole, and where its body begins in the segment. */
export interface RecordPlace extends RecordHeader {
  readonly bodyStart: number;
}

export interface SegmentContents {
  /** Whole records, numbers and rows growing. */
  readonly records: readonly RecordPlace[];
  /** One past the last whole record: what follows is torn or damaged. */
  readonly endBytes: number;
  /** Bytes that belong to no whole record, the end included. */
  readonly damagedBytes: number;
  /** Highest number and highest count of rows that any header tells, also one whose body is damaged; 0: none. */
  readonly lastNumber: number;
  readonly rowsToldOf: number;
}

/**
 * Finds the whole records of a segment. After a damaged body it goes on behind it, after a damaged header at the next
 * one whose check is right. A record whose number or rows do not go on from the one before is taken as damage too, so
 * that no batch comes twice.
 */
export function scanSegment(bytes: Buffer): SegmentContents {
  const records: RecordPlace[] = [];
  let at = 0;
  let endBytes = 0;
  let wholeBytes = 0;
  let lastNumber = 0;
  let rowsToldOf = 0;
  while (at + HEADER_BYTES <= bytes.length) {
    const header = readHeader(bytes, at);
    if (header === null) {
      const next = bytes.indexOf(MAGIC, at + 1);
      if (next < 0) break;
      at = next;
      continue;
    }
    const bodyStart = at + HEADER_BYTES;
    // The header's own check says that its length can be trusted.
    at = bodyStart + header.bodyBytes;
    if (header.number <= lastNumber || header.rowsBefore < rowsToldOf) continue;
    lastNumber = header.number;
    rowsToldOf = header.rowsBefore + header.rows;
    if (!bodyIsWhole(bytes.subarray(bodyStart, at), header)) continue;
    records.push({ ...header, bodyStart });
    endBytes = at;
    wholeBytes += HEADER_BYTES + header.bodyBytes;
  }
  return { records, endBytes, damagedBytes: bytes.length - wholeBytes, lastNumber, rowsToldOf };
}
