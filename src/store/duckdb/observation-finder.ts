import type { DuckDBConnection } from '@duckdb/node-api';
import type { RowBatch } from '../../model/row-batch.ts';
import { codedTexts, uidColumn } from './addresses.ts';
import { bindings, CHUNK_ROWS } from './bindings.ts';
import { ChunkWriter } from './chunk-writer.ts';
import { readRows } from './row-reading.ts';
import { type RowsToWrite, rawOf } from './row-writer.ts';
import { STORE_LIMITS } from './store-limits.ts';
import type { UidPlaces } from './uid-places.ts';
import { KnownExchanges, seenOf, valueAt } from './vantage.ts';

/** Stored rows whose uid comes in again, by one join over the time in which they can lie. */
const CANDIDATES = `SELECT i.place, coalesce(e.of_id, e.id), e.agent, e.started_us, e.started_ns, e.method, e.route, e.target, e.status
FROM temp.incoming_uids i JOIN store.exchange_rows e ON e.uid = i.uid
WHERE e.started_us BETWEEN ? AND ?
QUALIFY row_number() OVER (PARTITION BY e.uid ORDER BY e.id) <= ${STORE_LIMITS.rowsPerUid}`;

/** What was found of the rows of one batch. */
export interface Found {
  /** For each row the id of the exchange that it is a further observation of, NaN: none; null: none of them is. */
  readonly ofIds: Float64Array | null;
  /** 1: this very observation is stored, or stands before it in the commit; null: none of them is. */
  readonly repeats: Uint8Array | null;
}

const NOTHING: Found = { ofIds: null, repeats: null };

/** Finds which rows of a commit are further observations, or repeated. Uses a connection on which nothing else runs. */
export class ObservationFinder {
  readonly #connection: DuckDBConnection;
  readonly #chunks = new ChunkWriter([
    { name: 'place', type: 'BIGINT' },
    { name: 'uid', type: 'UBIGINT' },
  ]);
  #hasTable = false;

  constructor(connection: DuckDBConnection) {
    this.#connection = connection;
  }

  /** `places`: the uids that are looked for. */
  async find(all: readonly RowsToWrite[], places: UidPlaces): Promise<readonly Found[]> {
    const rowPlaces = all.map(({ batch }) => placesOf(batch, places));
    let oldest = Number.POSITIVE_INFINITY;
    let newest = Number.NEGATIVE_INFINITY;
    for (const [index, { batch }] of all.entries()) {
      const ofRow = rowPlaces[index];
      for (let row = 0; ofRow !== null && row < batch.rows; row += 1) {
        if (ofRow[row] < 0) continue;
        const startedUs = valueAt(batch.columns.started_us, row) as number;
        if (startedUs < oldest) oldest = startedUs;
        if (startedUs > newest) newest = startedUs;
      }
    }
    if (oldest > newest) return all.map(() => NOTHING);
    const known = new KnownExchanges();
    await this.#stored(places, oldest - STORE_LIMITS.apartUs, newest + STORE_LIMITS.apartUs, known);
    return all.map((rows, index) => lookUp(rows, rowPlaces[index], places, known));
  }

  async #stored(uids: UidPlaces, fromUs: number, toUs: number, known: KnownExchanges): Promise<void> {
    await this.#connection.run(
      this.#hasTable
        ? 'TRUNCATE temp.incoming_uids'
        : 'CREATE TEMP TABLE incoming_uids (place BIGINT, uid UBIGINT)',
    );
    this.#hasTable = true;
    const words = { words: uids.words, nulls: null };
    const appender = bindings.appender_create_ext(rawOf(this.#connection), 'temp', 'main', 'incoming_uids');
    for (let from = 0; from < uids.size; from += CHUNK_ROWS) {
      const rows = Math.min(CHUNK_ROWS, uids.size - from);
      this.#chunks.append(appender, rows, (_, index) => {
        if (index === 0) this.#chunks.counted(index, from, rows);
        else this.#chunks.words64(index, words, null, from, rows);
      });
    }
    bindings.appender_close_sync(appender);
    this.#chunks.release();
    const { rows } = await readRows(this.#connection, CANDIDATES, [BigInt(fromUs), BigInt(toUs)]);
    for (const [place, exchangeId, agent, startedUs, startedNs, method, route, target, status] of rows) {
      uids.note(place as number);
      known.add(place as number, {
        exchangeId: exchangeId as number,
        agent: agent as string,
        startedUs: startedUs as number,
        startedNs: startedNs as number,
        method: method as string | null,
        route: route as string | null,
        target: target as string | null,
        status: status as number | null,
      });
    }
  }
}

/** The place of the uid of each row, -1: it is not looked for; null: no row has one. */
function placesOf({ rows, columns }: RowBatch, places: UidPlaces): Int32Array | null {
  const coded = codedTexts(columns.uid);
  if (coded === null) return null;
  const { words, nulls } = uidColumn(coded.texts);
  const ofText = Int32Array.from(coded.texts, (_, text) => {
    if (nulls !== null && nulls[text] === 1) return -1;
    return places.knownPlaceOf(words[text * 2], words[text * 2 + 1]);
  });
  const ofRow = new Int32Array(rows);
  for (let row = 0; row < rows; row += 1) {
    const code = coded.codes === null ? 0 : coded.codes[row];
    const place = code < 0 ? -1 : ofText[code];
    ofRow[row] = place;
    if (place >= 0) places.note(place);
  }
  return ofRow;
}

function lookUp(
  rows: RowsToWrite,
  rowPlaces: Int32Array | null,
  places: UidPlaces,
  known: KnownExchanges,
): Found {
  if (rowPlaces === null) return NOTHING;
  const { batch, origin, firstId } = rows;
  let ofIds: Float64Array | null = null;
  let repeats: Uint8Array | null = null;
  for (let row = 0; row < batch.rows; row += 1) {
    const place = rowPlaces[row];
    // Nearly all uids occur once, and for these there is nothing to compare.
    if (place < 0 || !places.isRepeated(place)) continue;
    const seen = seenOf(batch, origin, row);
    if (known.has(place, seen)) {
      repeats ??= new Uint8Array(batch.rows);
      repeats[row] = 1;
      continue;
    }
    const exchangeId = known.find(place, seen);
    known.add(place, { ...seen, exchangeId: exchangeId ?? firstId + row });
    if (exchangeId === null) continue;
    ofIds ??= new Float64Array(batch.rows).fill(Number.NaN);
    ofIds[row] = exchangeId;
  }
  return { ofIds, repeats };
}
