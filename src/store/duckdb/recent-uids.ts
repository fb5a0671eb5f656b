import type { RowBatch } from '../../model/row-batch.ts';
import { codedTexts, uidColumn } from './addresses.ts';
import { STORE_LIMITS } from './store-limits.ts';
import { UID_SEED, UidPlaces } from './uid-places.ts';
import { valueAt } from './vantage.ts';

/** 32 MiB for each of two sets. */
const SLOTS = 2 ** 23;

/** Starts of rows, µs. */
interface Span {
  readonly oldestUs: number;
  readonly newestUs: number;
}

/**
 * Tells which uids may be stored already, without asking the database: rows that are new cost next to nothing so. What
 * it passes over is new for certain. The uids of late are in two sets, of which the older one is given up when the newer
 * is full; of all before it only the time is known that they span.
 */
export class RecentUids {
  readonly #setRows: number;
  #newer = new UidSet();
  #older: UidSet | null = null;
  #before: Span | null;
  /** Of all rows when `#newer` was begun. */
  #beforeNewer: Span | null;

  /** `before`: of the rows that are stored; null: there are none. `setRows`: rows in one set, at least. */
  constructor(before: Span | null, setRows: number = STORE_LIMITS.recentRows) {
    this.#before = before;
    this.#beforeNewer = before;
    this.#setRows = setRows;
  }

  /**
   * The uids of rows that may be stored, or that may stand in the batches more than once; null: none may. Notes all
   * rows. `stored`: what all rows stored so far span.
   */
  suspects(batches: readonly RowBatch[], stored: Span | null): UidPlaces | null {
    if (this.#newer.rows >= this.#setRows) this.#begin(stored);
    const rows = batches.reduce((sum, batch) => sum + batch.rows, 0);
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
        const isOfLate = this.#newer.add(low, high) || this.#older?.has(low, high) === true;
        if (!isOfLate && !this.#isOfBefore(valueAt(columns.started_us, row) as number)) continue;
        places ??= new UidPlaces(rows);
        places.placeOf(low, high);
      }
    }
    return places;
  }

  #begin(stored: Span | null): void {
    if (this.#older !== null) this.#before = this.#beforeNewer;
    this.#beforeNewer = stored;
    this.#older = this.#newer;
    this.#newer = new UidSet();
  }

  /** Whether an observation of the time before can be one of the same exchange. */
  #isOfBefore(startedUs: number): boolean {
    const before = this.#before;
    if (before === null) return false;
    return (
      startedUs >= before.oldestUs - STORE_LIMITS.apartUs &&
      startedUs <= before.newestUs + STORE_LIMITS.apartUs
    );
  }
}

/**
 * A set of uids by 32 bits of their hash: says of about one in 10^9 that it is there when it is not. Never full: it
 * has room for three million more rows than STORE_LIMITS.recentRows, beyond which no further commit is let in, and a
 * commit has tens of thousands.
 */
class UidSet {
  /** 0: free. */
  readonly #slots = new Uint32Array(SLOTS);
  rows = 0;

  /** Whether it was there. */
  add(low: number, high: number): boolean {
    const mark = markOf(low, high);
    const slot = this.#slotOf(low, high, mark);
    if (this.#slots[slot] === mark) return true;
    this.#slots[slot] = mark;
    this.rows += 1;
    return false;
  }

  has(low: number, high: number): boolean {
    const mark = markOf(low, high);
    return this.#slots[this.#slotOf(low, high, mark)] === mark;
  }

  /** Where the mark is, or belongs. */
  #slotOf(low: number, high: number, mark: number): number {
    let slot = mix(low ^ mix(high ^ UID_SEED)) & (SLOTS - 1);
    while (this.#slots[slot] !== 0 && this.#slots[slot] !== mark) slot = (slot + 1) & (SLOTS - 1);
    return slot;
  }
}

/** Of other bits than the slot is. */
function markOf(low: number, high: number): number {
  return (mix(Math.imul(low, 0x9e3779b1) ^ mix(high + UID_SEED)) | 1) >>> 0;
}

function mix(value: number): number {
  const once = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  const twice = Math.imul(once ^ (once >>> 13), 0xc2b2ae35);
  return twice ^ (twice >>> 16);
}
