import type { LossTeller } from '../loss-teller.ts';
import type { Position } from './position.ts';
import type { RecordPlace } from './segment-scan.ts';

/** Exchanges since this process opened the spool. */
export interface SpoolOutcomes {
  readonly sent: number;
  /** The server will never take them. */
  readonly refused: number;
  /** Dropped because the spool was full. */
  readonly droppedFull: number;
  /** Dropped before they could be written: the disk was full, broken or too slow. */
  readonly droppedUnwritten: number;
  /** Could not be read back. */
  readonly damaged: number;
}

/**
 * What became of every exchange that came into a spool: `written = sent + refused + dropped + damaged + waiting`, over
 * all lives of the spool. Each of them is counted once, when the position passes it.
 */
export class SpoolAccount {
  readonly #atOpening: Position;
  readonly #losses: LossTeller;
  readonly #onChange: () => void;
  #position: Position;

  /** `atOpening`: what was found; counts of this process begin there. `onChange`: the position is to be written. */
  constructor(atOpening: Position, position: Position, losses: LossTeller, onChange: () => void) {
    this.#atOpening = atOpening;
    this.#position = position;
    this.#losses = losses;
    this.#onChange = onChange;
  }

  get position(): Position {
    return this.#position;
  }

  /** `undecided`: exchanges that were dropped while a request was sending them; not told as dropped yet. */
  outcomes(undecided: number): SpoolOutcomes {
    const now = this.#position;
    const then = this.#atOpening;
    return {
      sent: now.sent - then.sent,
      refused: now.refused - then.refused,
      droppedFull: now.dropped - then.dropped - undecided,
      droppedUnwritten: now.unwritten - then.unwritten,
      damaged: now.damaged - then.damaged,
    };
  }

  /** Numbers up to this one are set aside, or are given free again. */
  reserve(reserved: number): void {
    this.#position = { ...this.#position, reserved };
  }

  written(endRows: number): void {
    this.#change({ writtenRows: endRows });
  }

  /** Goes behind a record. What lies between the last one and it was lost. */
  pass({ number, rows, rowsBefore }: RecordPlace, outcome: 'sent' | 'refused' | 'damaged'): void {
    this.passDamage(rowsBefore);
    this.#change({ done: number, doneRows: rowsBefore + rows, [outcome]: this.#position[outcome] + rows });
    if (outcome === 'damaged') this.#losses.count('damaged in the spool', rows);
  }

  /** Whatever was not passed up to so many rows cannot be read. */
  passDamage(endRows: number): void {
    const lost = endRows - this.#position.doneRows;
    if (lost <= 0) return;
    this.#change({ doneRows: endRows, damaged: this.#position.damaged + lost });
    this.#losses.count('damaged in the spool', lost);
  }

  /** Drops all up to an end. `undecided`: exchanges among them that a request is sending. */
  drop(lastNumber: number, endRows: number, undecided: number): void {
    const { done, doneRows, dropped } = this.#position;
    const rows = Math.max(0, endRows - doneRows);
    this.#change({ done: Math.max(done, lastNumber), doneRows: doneRows + rows, dropped: dropped + rows });
    this.#losses.count('dropped because the spool is full', rows - undecided);
  }

  /** What became of exchanges that were dropped while a request was sending them. */
  decide(rows: number, outcome: 'sent' | 'refused' | 'dropped'): void {
    if (outcome === 'dropped') {
      this.#losses.count('dropped because the spool is full', rows);
      return;
    }
    this.#change({ dropped: this.#position.dropped - rows, [outcome]: this.#position[outcome] + rows });
  }

  /** Exchanges that never came to the disk. `why`: `dropped because the disk is too slow`. */
  unwritten(rows: number, why: string): void {
    if (rows === 0) return;
    this.#change({ unwritten: this.#position.unwritten + rows });
    this.#losses.count(why, rows);
  }

  #change(changes: Partial<Position>): void {
    this.#position = { ...this.#position, ...changes };
    this.#onChange();
  }
}
