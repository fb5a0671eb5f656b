import type { BatchColumn, RowBatch } from '../../model/row-batch.ts';
import { codedTexts, uidColumn } from './addresses.ts';
import { UID_SEED, UidPlaces } from './uid-places.ts';
import { valueAt } from './vantage.ts';

/** A Bloom filter of 16 MiB: while it has so many rows or fewer, one new row in 10,000 looks as if it were there. */
const WORDS = 2 ** 22;
const ROWS = 4_000_000;
const PROBES = 4;

/** Starts of rows, µs. */
interface Span {
  readonly oldestUs: number;
  readonly newestUs: number;
}

/**
 * Tells which rows may be stored already, without asking the database: rows that are new as a rule cost next to nothing.
 * What it passes over is new for certain. Knows rows of before by the time that they span, and those since by a filter.
 */
export class RecentUids {
  readonly #bits = new Uint32Array(WORDS);
  #rows = 0;
  #before: Span | null;

  /** `before`: of the rows that are stored; null: there are none. */
  constructor(before: Span | null) {
    this.#before = before;
  }

  /** The uids of rows that may be stored, or that may be in the batches twice; null: none may. Notes all rows. */
  suspects(batches: readonly RowBatch[], stored: Span | null): UidPlaces | null {
    const rows = batches.reduce((sum, batch) => sum + batch.rows, 0);
    if (this.#rows + rows > ROWS) {
      this.#bits.fill(0);
      this.#rows = 0;
      this.#before = stored;
    }
    this.#rows += rows;
    let places: UidPlaces | null = null;
    for (const { columns, rows: count } of batches) {
      const coded = codedTexts(columns.uid);
      if (coded === null) continue;
      const { words, nulls } = uidColumn(coded.texts);
      for (let row = 0; row < count; row += 1) {
        const text = coded.codes === null ? 0 : coded.codes[row];
        if (text < 0 || nulls?.[text] === 1) continue;
        const low = words[text * 2];
        const high = words[text * 2 + 1];
        if (!this.#isSuspect(low, high, startedAt(columns.started_us, row))) continue;
        places ??= new UidPlaces(rows);
        places.placeOf(low, high);
      }
    }
    return places;
  }

  #isSuspect(low: number, high: number, startedUs: number): boolean {
    const before = this.#before;
    const wasBefore = before !== null && startedUs >= before.oldestUs && startedUs <= before.newestUs;
    let one = mix(low ^ mix(high ^ UID_SEED));
    const other = mix((startedUs | 0) ^ mix(Math.floor(startedUs / 4_294_967_296) ^ one)) | 1;
    let isThere = true;
    for (let probe = 0; probe < PROBES; probe += 1) {
      one = (one + Math.imul(other, probe + 1)) | 0;
      const word = (one >>> 5) & (WORDS - 1);
      const bit = 1 << (one & 31);
      if ((this.#bits[word] & bit) === 0) {
        isThere = false;
        this.#bits[word] |= bit;
      }
    }
    return wasBefore || isThere;
  }
}

function startedAt(column: BatchColumn, row: number): number {
  return valueAt(column, row) as number;
}

function mix(value: number): number {
  const once = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  const twice = Math.imul(once ^ (once >>> 13), 0xc2b2ae35);
  return twice ^ (twice >>> 16);
}
