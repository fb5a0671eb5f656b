import type { SpoolAccount } from './account.ts';
import type { Segment } from './segment.ts';
import type { SegmentList } from './segment-list.ts';
import type { RecordPlace } from './segment-scan.ts';
import type { BatchOutcome, SpooledBatch } from './spool-facts.ts';

/** What is being sent: records of one segment, one after the other. */
interface InHand {
  readonly records: readonly RecordPlace[];
  readonly rows: number;
  /** The segment was dropped meanwhile; the server may have them after all. */
  dropped: boolean;
}

/** Hands out the oldest batches of a spool to be sent, and accounts for what became of them. */
export class Handout {
  readonly #segments: SegmentList;
  readonly #account: SpoolAccount;
  readonly #finish: (segment: Segment) => void;
  #inHand: InHand | null = null;

  /** `finish` is told when nothing of the oldest segment waits any more, and takes it from the list. */
  constructor(segments: SegmentList, account: SpoolAccount, finish: (segment: Segment) => void) {
    this.#segments = segments;
    this.#account = account;
    this.#finish = finish;
  }

  /** Exchanges in hand that were dropped meanwhile. */
  get undecidedRows(): number {
    return this.#inHand?.dropped === true ? this.#inHand.rows : 0;
  }

  /** As Spool.take; nothing else works on the segments meanwhile. */
  async take(most: number): Promise<readonly SpooledBatch[]> {
    if (this.#inHand !== null) throw new Error('batches are in hand already');
    for (;;) {
      const segment = this.#segments.oldest;
      if (segment === undefined) return [];
      const found = await this.#oldestOf(segment, most);
      if (found === null) {
        if (segment.isOpen) return [];
        this.#finish(segment);
      } else if (found.batches.length > 0) {
        const records = found.records.slice(0, found.batches.length);
        this.#inHand = { records, rows: rowsOf(records), dropped: false };
        return found.batches;
      } else {
        const [damaged] = found.records as [RecordPlace];
        segment.passed(damaged);
        this.#account.pass(damaged, 'damaged');
      }
    }
  }

  /** As Spool.settle. */
  settle(outcomes: readonly BatchOutcome[]): void {
    const inHand = this.#inHand;
    if (inHand === null) throw new Error('no batch is in hand');
    this.#inHand = null;
    const { records, dropped } = inHand;
    // What is in hand and was not dropped lies in the oldest segment.
    const segment = this.#segments.oldest;
    for (const [index, record] of records.entries()) {
      const outcome = outcomes[index];
      if (dropped) this.#account.decide(record.rows, outcome ?? 'dropped');
      else if (outcome !== undefined) {
        segment?.passed(record);
        this.#account.pass(record, outcome);
      }
    }
    if (!dropped && segment?.waiting === 0 && !segment.isOpen) this.#finish(segment);
  }

  /** What is in hand, if anything, could not be sent now. */
  giveBack(): void {
    if (this.#inHand !== null) this.settle([]);
  }

  /** Drops what waits in the oldest segment, which is sealed; what is in hand of it is decided by `settle`. */
  dropOldest(segment: Segment): void {
    const inHand = this.#inHand;
    // Taken from the oldest segment, which is this one unless it was dropped before.
    const undecided = inHand !== null && !inHand.dropped ? inHand : null;
    if (undecided !== null) undecided.dropped = true;
    this.#account.drop(segment.lastNumber, segment.endRows, undecided?.rows ?? 0);
    this.#finish(segment);
  }

  /** The oldest records of a segment that were not passed, and the first of them that can be read; null: none is there. */
  async #oldestOf(
    segment: Segment,
    most: number,
  ): Promise<{ records: readonly RecordPlace[]; batches: readonly SpooledBatch[] } | null> {
    try {
      const records = await segment.after(this.#account.position.done, most);
      const batches: SpooledBatch[] = [];
      for (const record of records) {
        const body = await segment.read(record);
        if (body === null) break;
        batches.push({ number: record.number, rows: record.rows, body });
      }
      return records.length === 0 ? null : { records, batches };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      // Somebody removed the file. What was in it is counted as damaged.
      await segment.close();
      return null;
    }
  }
}

const rowsOf = (records: readonly RecordPlace[]): number => records.reduce((sum, { rows }) => sum + rows, 0);
