import { UserError } from '../../model/errors.ts';
import { LossTeller } from '../loss-teller.ts';
import { SpoolAccount } from './account.ts';
import type { DirectoryLock } from './directory-lock.ts';
import { DiskWork } from './disk-work.ts';
import { Handout } from './handout.ts';
import { type OpenedDirectory, openSpoolDirectory } from './open-directory.ts';
import { writePosition } from './position.ts';
import { HEADER_BYTES, LONGEST_BODY_BYTES } from './record.ts';
import type { SealedBatch, Segment } from './segment.ts';
import { SegmentList } from './segment-list.ts';
import type { BatchOutcome, SpoolCounts, SpooledBatch, SpoolOptions } from './spool-facts.ts';
import { WriteQueue } from './write-queue.ts';

/** A segment is closed when it has so many bytes; less in a small spool, so that there are always several. */
const SEGMENT_BYTES = 8 * 1024 * 1024;
const LEAST_SEGMENTS = 8;
export const QUEUE_BYTES = 16 * 1024 * 1024;
/** Written and made durable in one go. */
const WRITE_BYTES = 4 * 1024 * 1024;
/** Numbers are set aside by so many, so that none is used twice whatever the disk has forgotten. */
const NUMBERS_AHEAD = 1000;

/**
 * Batches between capture and upload, on disk: what was written survives the end of this process, is handed out in
 * order, and is forgotten when it was sent. `append` never waits.
 *
 * A number that was handed out once stands for the same batch for ever, so that a server can tell repetitions.
 */
export class Spool {
  /** Drawn once for the directory; see BatchNumber. */
  readonly stream: string;
  readonly #options: SpoolOptions;
  readonly #lock: DirectoryLock;
  readonly #queue: WriteQueue;
  readonly #losses: LossTeller;
  readonly #account: SpoolAccount;
  readonly #segments: SegmentList;
  readonly #handout: Handout;
  readonly #work: DiskWork;
  readonly #waiters = new Set<() => void>();
  #nextNumber: number;
  #closed = false;

  private constructor(options: SpoolOptions, opened: OpenedDirectory) {
    this.#options = options;
    this.#lock = opened.lock;
    this.stream = opened.stream;
    const segmentBytes = Math.min(SEGMENT_BYTES, Math.floor(options.limitBytes / LEAST_SEGMENTS));
    this.#segments = new SegmentList(options.directory, segmentBytes, opened.segments);
    this.#nextNumber = opened.nextNumber;
    this.#losses = new LossTeller(options.log);
    this.#work = new DiskWork({
      hasBatches: () => this.#queue.length > 0,
      write: () => this.#write(),
      forget: () => this.#forgetFinished(),
      log: options.log,
    });
    this.#account = new SpoolAccount(opened.before, opened.position, this.#losses, () =>
      this.#work.positionChanged(),
    );
    this.#handout = new Handout(this.#segments, this.#account, (segment) => this.#finish(segment));
    this.#queue = new WriteQueue(options.queueBytes ?? QUEUE_BYTES);
    // What was lost behind the last record is passed with its segment; without one, now.
    const { newest } = this.#segments;
    const { writtenRows } = opened.position;
    if (newest === undefined) this.#account.passDamage(writtenRows);
    else newest.endRows = Math.max(newest.endRows, writtenRows);
  }

  /**
   * Opens a directory, which is made if need be. What an earlier process left there waits to be sent; its torn end is
   * cut off.
   *
   * @throws UserError when it cannot be read or written, or another agent uses it
   */
  static async open(options: SpoolOptions): Promise<Spool> {
    try {
      return new Spool(options, await openSpoolDirectory(options.directory, options.log));
    } catch (error) {
      if (error instanceof UserError || (error as NodeJS.ErrnoException).code === undefined) throw error;
      const { code, message } = error as NodeJS.ErrnoException;
      const what = code === 'EEXIST' || code === 'ENOTDIR' ? 'it, or a part of its path, is a file' : message;
      throw new UserError('spool', `the spool cannot be used: ${what}`, {
        place: { file: options.directory },
        hint: 'name a directory on a writable disk with --spool',
        cause: error,
      });
    }
  }

  /** Takes a batch. Never waits; what does not fit into memory while the disk is busy is dropped, the oldest first. */
  append(batch: SealedBatch): void {
    if (this.#closed || batch.rows < 1) return;
    if (batch.body.length > Math.min(LONGEST_BODY_BYTES, this.#options.limitBytes - HEADER_BYTES)) {
      this.#account.unwritten(batch.rows, 'dropped because their batch is larger than the spool');
      return;
    }
    this.#overflowed(this.#queue.push(batch));
    this.#work.wake();
  }

  get counts(): SpoolCounts {
    const undecided = this.#handout.undecidedRows;
    const { newest, waiting, waitingBytes, bytes } = this.#segments;
    const unread = newest === undefined ? 0 : Math.max(0, newest.endRows - this.#account.position.doneRows);
    return {
      ...this.#account.outcomes(undecided),
      waitingRows: unread + undecided + this.#queue.rows,
      waitingBatches: waiting + this.#queue.length,
      waitingBytes: waitingBytes + this.#queue.bytes,
      fileBytes: bytes,
    };
  }

  /** Why nothing can be written now, in words; null: all is well. */
  get failure(): string | null {
    return this.#work.failure;
  }

  /**
   * The oldest batches that were neither sent nor refused, in order, at most so many; none: none waits. They are in
   * hand until `settle` says what became of them; only then others can be taken.
   */
  take(most = 1): Promise<readonly SpooledBatch[]> {
    return this.#work.alone(() => this.#handout.take(most));
  }

  /**
   * What became of the batches in hand, beginning with the oldest. Those behind the last outcome could not be sent now:
   * they will come again, unless they were dropped meanwhile.
   */
  settle(outcomes: readonly BatchOutcome[]): void {
    this.#handout.settle(outcomes);
  }

  /** Resolves to true when a batch may wait to be taken; to false when the signal ended it. */
  async arrival(signal: AbortSignal): Promise<boolean> {
    if (signal.aborted) return false;
    if (this.#segments.waiting > 0) return true;
    return new Promise((resolve) => {
      const done = (): void => {
        this.#waiters.delete(done);
        signal.removeEventListener('abort', done);
        resolve(!signal.aborted);
      };
      this.#waiters.add(done);
      signal.addEventListener('abort', done, { once: true });
    });
  }

  /** Resolves when everything appended before was written, or could not be; the position is written then too. */
  settled(): Promise<void> {
    return this.#work.settled();
  }

  /** Writes what it can, and lets the directory go. A batch in hand is given back. */
  async close(): Promise<void> {
    if (this.#closed) return;
    await this.settled();
    this.#closed = true;
    this.#work.end();
    const left = this.#queue.take(Number.POSITIVE_INFINITY).reduce((sum, { rows }) => sum + rows, 0);
    this.#overflowed(left);
    await this.#work.alone(async () => {
      this.#handout.giveBack();
      // No number is under way any more: the next start need not leave any out.
      this.#account.reserve(this.#nextNumber - 1);
      await this.#writePosition(false).catch(() => {});
      await this.#segments.close();
    });
    for (const wake of [...this.#waiters]) wake();
    this.#losses.close();
    this.#lock.release();
  }

  async #write(): Promise<void> {
    const batches = this.#queue.take(WRITE_BYTES);
    const bytes = batches.reduce((sum, { body }) => sum + body.length + HEADER_BYTES, 0);
    let segment: Segment | null = null;
    try {
      await this.#makeRoom(bytes);
      await this.#reserve(batches.length);
      segment = await this.#segments.writable(bytes, this.#nextNumber, this.#account.position.writtenRows);
      await segment.append(batches, this.#nextNumber);
    } catch (error) {
      if (segment === null || segment.isOpen) this.#overflowed(this.#queue.giveBack(batches));
      else {
        // It is not known what stands in the file: to write them again could double them.
        this.#nextNumber += batches.length;
        this.#overflowed(batches.reduce((sum, { rows }) => sum + rows, 0));
      }
      throw error;
    }
    this.#nextNumber += batches.length;
    this.#account.written(segment.endRows);
    for (const wake of [...this.#waiters]) wake();
  }

  /** Before numbers are used, the disk must know that they may be. */
  async #reserve(count: number): Promise<void> {
    if (this.#nextNumber + count - 1 <= this.#account.position.reserved) return;
    this.#account.reserve(this.#nextNumber + count + NUMBERS_AHEAD);
    await this.#writePosition(true);
  }

  /** Drops the oldest segments until there is room for so many bytes more. */
  async #makeRoom(bytes: number): Promise<void> {
    const { limitBytes } = this.#options;
    if (this.#segments.bytes + bytes <= limitBytes) return;
    await this.#forgetFinished();
    for (;;) {
      const segment = this.#segments.oldest;
      if (segment === undefined || this.#segments.bytes + bytes <= limitBytes) return;
      if (segment.isOpen) await segment.seal();
      this.#handout.dropOldest(segment);
      await this.#forgetFinished();
    }
  }

  /** Nothing of the segment, which is the oldest, waits any more. */
  #finish(segment: Segment): void {
    this.#segments.finishOldest();
    this.#account.passDamage(segment.endRows);
    this.#work.positionChanged();
  }

  /** Writes the position; then segments that it has passed may go. */
  async #forgetFinished(): Promise<void> {
    // Others may be finished while the position is written: it does not tell of them.
    const { finished } = this.#segments;
    await this.#writePosition(false);
    await this.#segments.removeFinished(finished);
  }

  async #writePosition(durable: boolean): Promise<void> {
    this.#work.positionTaken();
    try {
      await writePosition(this.#options.directory, this.#account.position, durable);
    } catch (error) {
      this.#work.positionChanged();
      throw error;
    }
  }

  #overflowed(rows: number): void {
    const reason = this.failure === null ? 'the disk is too slow' : 'nothing can be written';
    this.#account.unwritten(rows, `dropped because ${reason}`);
  }
}
