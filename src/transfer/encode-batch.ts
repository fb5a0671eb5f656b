import { constants, gzipSync } from 'node:zlib';
import type { BatchColumn, RowBatch } from '../model/row-batch.ts';
import { BATCH_VERSION } from './batch-columns.ts';

/** Beyond this level a batch gets hardly smaller, and costs much more; bench/transfer.mjs. */
const GZIP_LEVEL = 4;

/** The JSON of a batch, as docs/transfer.md describes it. */
export function batchText({ rows, columns }: RowBatch): string {
  const parts = Object.entries(columns).map(([name, column]) => `"${name}":${columnText(column, rows)}`);
  return `{"v":${BATCH_VERSION},"rows":${rows},"columns":{${parts.join(',')}}}`;
}

/** The body of an upload, of type BATCH_TYPE and content coding gzip. */
export function encodeBatch(batch: RowBatch): Buffer {
  return gzipSync(batchText(batch), { level: GZIP_LEVEL, strategy: constants.Z_DEFAULT_STRATEGY });
}

function columnText(column: BatchColumn, rows: number): string {
  switch (column.form) {
    case 'all':
      return `{"all":${JSON.stringify(column.value)}}`;
    case 'codes': {
      const { texts, codes } = column;
      if (texts.length === rows && isCounting(codes)) return JSON.stringify(texts);
      return `{"texts":${JSON.stringify(texts)},"codes":[${codes.join(',')}]}`;
    }
    case 'numbers': {
      const { values, nulls } = column;
      if (nulls === null) return `[${values.join(',')}]`;
      const texts: string[] = [];
      for (let row = 0; row < rows; row += 1) texts.push(nulls[row] === 1 ? 'null' : String(values[row]));
      return `[${texts.join(',')}]`;
    }
  }
}

/** 0, 1, 2 …: every text is there once, in order. */
function isCounting(codes: Int32Array): boolean {
  return codes.every((code, row) => code === row);
}
