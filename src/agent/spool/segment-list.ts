import { Segment } from './segment.ts';
import { syncDirectory } from './sync-directory.ts';

/** The segments of a spool, oldest first. Only the newest may be open for writing. */
export class SegmentList {
  readonly #directory: string;
  readonly #segmentBytes: number;
  readonly #segments: Segment[];
  /** All that is in them is done with; they go once the position that says so is on the disk. */
  readonly #finished: Segment[] = [];

  /** `segmentBytes`: a segment is closed when it has so many. `found`: those that were there. */
  constructor(directory: string, segmentBytes: number, found: readonly Segment[]) {
    this.#directory = directory;
    this.#segmentBytes = segmentBytes;
    this.#segments = [...found];
  }

  get oldest(): Segment | undefined {
    return this.#segments[0];
  }

  get newest(): Segment | undefined {
    return this.#segments[this.#segments.length - 1];
  }

  /** On the disk, what is done with included. */
  get bytes(): number {
    return [...this.#segments, ...this.#finished].reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** Batches that wait. */
  get waiting(): number {
    return this.#segments.reduce((sum, segment) => sum + segment.waiting, 0);
  }

  get waitingBytes(): number {
    return this.#segments.reduce((sum, { bytes, passedBytes }) => sum + bytes - passedBytes, 0);
  }

  /** How many may be removed when a position is on the disk that was written after now. */
  get finished(): number {
    return this.#finished.length;
  }

  /** Nothing of the oldest waits any more. */
  finishOldest(): void {
    const segment = this.#segments.shift();
    if (segment !== undefined) this.#finished.push(segment);
  }

  /** Removes the first of those that are finished. */
  async removeFinished(count: number): Promise<void> {
    for (; count > 0 && this.#finished.length > 0; count -= 1) {
      await (this.#finished[0] as Segment).remove();
      this.#finished.shift();
    }
  }

  /** The segment for so many bytes more: the newest, or one that begins with a number. */
  async writable(bytes: number, firstNumber: number, rowsBefore: number): Promise<Segment> {
    const { newest } = this;
    if (newest?.isOpen === true) {
      if (newest.bytes === 0 || newest.bytes + bytes <= this.#segmentBytes) return newest;
      await newest.seal();
    }
    const segment = await Segment.create(this.#directory, firstNumber, rowsBefore);
    this.#segments.push(segment);
    await syncDirectory(this.#directory);
    return segment;
  }

  async close(): Promise<void> {
    for (const segment of this.#segments) await segment.close().catch(() => {});
  }
}
