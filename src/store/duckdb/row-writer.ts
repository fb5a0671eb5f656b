import type { DuckDBConnection } from '@duckdb/node-api';
import type { BatchOrigin, RowBatch } from '../../model/row-batch.ts';
import { addressColumns, codedTexts, uidColumn } from './addresses.ts';
import { bindings, CHUNK_ROWS } from './bindings.ts';
import { ChunkWriter, type Words64 } from './chunk-writer.ts';
import type { StoredColumn } from './storage-columns.ts';

/** Rows of one batch with what the store gives to them. */
export interface RowsToWrite {
  readonly batch: RowBatch;
  readonly origin: BatchOrigin;
  /** Of the first row; the others follow, unless `ids` says otherwise. */
  readonly firstId: number;
  /** The id of each row; null: from `firstId` on. */
  readonly ids: Float64Array | null;
  /** For each row the exchange that it is a further observation of; NaN: none. null: none of them is. */
  readonly ofIds: Float64Array | null;
}

interface Derived {
  readonly words: Words64;
  readonly codes: Int32Array | null;
}

/** The connection of the C interface that node-api's wraps. */
type Raw = Parameters<typeof bindings.appender_create>[0];
export const rawOf = (connection: DuckDBConnection): Raw =>
  (connection as unknown as { connection: Raw }).connection;

/** Appends batches to the table of exchanges, inside the transaction that is open on the connection. */
export class RowWriter {
  readonly #connection: DuckDBConnection;
  readonly #chunks: ChunkWriter;

  constructor(connection: DuckDBConnection, columns: readonly StoredColumn[]) {
    this.#connection = connection;
    this.#chunks = new ChunkWriter(columns);
  }

  /** Gives other work of the thread a turn between chunks. */
  async write(all: readonly RowsToWrite[], receivedUs: number): Promise<void> {
    const appender = bindings.appender_create(rawOf(this.#connection), 'store', 'exchange_rows');
    try {
      let sinceTurn = 0;
      for (const rows of all) {
        this.#chunks.beginBatch();
        const derived = derive(rows.batch);
        for (let from = 0; from < rows.batch.rows; from += CHUNK_ROWS) {
          const count = Math.min(CHUNK_ROWS, rows.batch.rows - from);
          this.#chunks.append(appender, count, (column, index) =>
            this.#fill(column, index, rows, derived, receivedUs, from, count),
          );
          sinceTurn += count;
          if (sinceTurn >= ROWS_PER_TURN) {
            sinceTurn = 0;
            await new Promise((resolve) => setImmediate(resolve));
          }
        }
      }
      bindings.appender_close_sync(appender);
    } catch (error) {
      // What was appended but not flushed must not come into the transaction when the appender goes.
      try {
        bindings.appender_clear(appender);
        bindings.appender_close_sync(appender);
      } catch {
        // The failure that is thrown says it already.
      }
      throw error;
    } finally {
      this.#chunks.release();
    }
  }

  #fill(
    { name, type }: StoredColumn,
    index: number,
    { batch, origin, firstId, ids, ofIds }: RowsToWrite,
    derived: ReadonlyMap<string, Derived>,
    receivedUs: number,
    from: number,
    rows: number,
  ): void {
    const chunks = this.#chunks;
    const known = derived.get(name);
    if (known !== undefined) {
      chunks.words64(index, known.words, known.codes ?? zeros(from + rows), from, rows);
      return;
    }
    switch (name) {
      case 'id':
        if (ids === null) chunks.counted(index, firstId + from, rows);
        else chunks.whole(index, ids, from, rows);
        return;
      case 'of_id':
        if (ofIds === null) chunks.none(index);
        else chunks.whole(index, ofIds, from, rows);
        return;
      case 'received_us':
        chunks.batchColumn(index, type, name, { form: 'all', value: receivedUs }, from, rows);
        return;
      case 'agent':
      case 'node':
      case 'pod':
      case 'namespace':
        chunks.text(index, name, origin[name], rows);
        return;
      default: {
        const column = batch.columns[name];
        if (column === undefined || DERIVED.has(name)) chunks.none(index);
        else chunks.batchColumn(index, type, name, column, from, rows);
      }
    }
  }
}

const ROWS_PER_TURN = 8 * CHUNK_ROWS;
const DERIVED = new Set(['uid', 'client_high', 'client_low', 'server_high', 'server_low']);

/** Columns whose values are computed of texts, once for each text. */
function derive({ columns }: RowBatch): Map<string, Derived> {
  const derived = new Map<string, Derived>();
  for (const side of ['client', 'server']) {
    const texts = codedTexts(columns[side]);
    if (texts === null) continue;
    const { high, low } = addressColumns(texts.texts);
    derived.set(`${side}_high`, { words: high, codes: texts.codes });
    derived.set(`${side}_low`, { words: low, codes: texts.codes });
  }
  const uids = codedTexts(columns.uid);
  if (uids !== null) derived.set('uid', { words: uidColumn(uids.texts), codes: uids.codes });
  return derived;
}

let zeroCodes = new Int32Array(CHUNK_ROWS);
/** Codes of rows that all have the first text. */
function zeros(rows: number): Int32Array {
  if (zeroCodes.length < rows) zeroCodes = new Int32Array(rows * 2);
  return zeroCodes;
}
