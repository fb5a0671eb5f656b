import type { SealedBatch } from './segment.ts';

/** Batches that wait for the disk: bounded, the oldest give way. */
export class WriteQueue {
  readonly #limitBytes: number;
  readonly #batches: SealedBatch[] = [];
  #bytes = 0;
  #rows = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get rows(): number {
    return this.#rows;
  }

  get length(): number {
    return this.#batches.length;
  }

  /** Adds one at the end. Gives the exchanges that had to go for it. */
  push(batch: SealedBatch): number {
    this.#batches.push(batch);
    this.#bytes += batch.body.length;
    this.#rows += batch.rows;
    return this.#shrink();
  }

  /** Takes the oldest, as many as fit into `bytes`, at least one. */
  take(bytes: number): SealedBatch[] {
    const taken: SealedBatch[] = [];
    let sum = 0;
    while (this.#batches.length > 0 && (taken.length === 0 || sum + this.#batches[0].body.length <= bytes)) {
      const batch = this.#shift();
      sum += batch.body.length;
      taken.push(batch);
    }
    return taken;
  }

  /** Gives back what `take` gave. Gives the exchanges that do not fit any more. */
  giveBack(batches: readonly SealedBatch[]): number {
    this.#batches.unshift(...batches);
    for (const { body, rows } of batches) {
      this.#bytes += body.length;
      this.#rows += rows;
    }
    return this.#shrink();
  }

  #shrink(): number {
    let rows = 0;
    while (this.#bytes > this.#limitBytes && this.#batches.length > 0) rows += this.#shift().rows;
    return rows;
  }

  #shift(): SealedBatch {
    const batch = this.#batches.shift() as SealedBatch;
    this.#bytes -= batch.body.length;
    this.#rows -= batch.rows;
    return batch;
  }
}
