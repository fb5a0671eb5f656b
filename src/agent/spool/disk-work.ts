import type { EventLog } from '../../metrics/event-log.ts';

export interface DiskWorkParts {
  /** True while something waits to be written. */
  readonly hasBatches: () => boolean;
  /** Writes some of it. */
  readonly write: () => Promise<void>;
  /** Writes the position, and removes what it has passed. */
  readonly forget: () => Promise<void>;
  readonly log: EventLog;
}

/** The position is written so long after it changed. */
const POSITION_MS = 1000;
/** Between two tries to write. */
const RETRY_MS = 1000;

/** When a spool works on its disk: one piece after the other, again when it failed, and never while somebody waits for it. */
export class DiskWork {
  readonly #parts: DiskWorkParts;
  #positionTimer: NodeJS.Timeout | null = null;
  #retryTimer: NodeJS.Timeout | null = null;
  #positionIsDue = false;
  /** The last try failed, and the next one is not due. */
  #isBlocked = false;
  #failure: string | null = null;
  #ended = false;
  #isWorking = false;
  #turns: Promise<void> = Promise.resolve();
  #tail: Promise<void> = Promise.resolve();

  constructor(parts: DiskWorkParts) {
    this.#parts = parts;
  }

  /** Why nothing can be written now, in words; null: all is well. */
  get failure(): string | null {
    return this.#failure;
  }

  /** Something waits to be written. */
  wake(): void {
    if (this.#isWorking || this.#ended) return;
    this.#isWorking = true;
    this.#turns = this.alone(async () => {
      try {
        while ((this.#parts.hasBatches() && !this.#isBlocked) || this.#positionIsDue) await this.#turn();
      } finally {
        this.#isWorking = false;
      }
    });
  }

  /** The position is to be written a little later, together with what changes until then. */
  positionChanged(): void {
    if (this.#ended) return;
    this.#positionTimer ??= setTimeout(() => {
      this.#positionTimer = null;
      this.#positionIsDue = true;
      this.wake();
    }, POSITION_MS);
  }

  /** The position is being written, with all that has changed so far. */
  positionTaken(): void {
    if (this.#positionTimer !== null) clearTimeout(this.#positionTimer);
    this.#positionTimer = null;
  }

  /** Resolves when all that waits was written, or could not be, and the position too. */
  async settled(): Promise<void> {
    this.#isBlocked = false;
    this.wake();
    while (this.#isWorking) await this.#turns;
    this.#positionIsDue = true;
    this.wake();
    while (this.#isWorking) await this.#turns;
  }

  /** Runs when what was begun before has ended, and alone. */
  alone<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#tail.then(work);
    this.#tail = result.then(
      () => {},
      () => {},
    );
    return result;
  }

  /** No turn begins any more. */
  end(): void {
    this.#ended = true;
    for (const timer of [this.#positionTimer, this.#retryTimer]) if (timer !== null) clearTimeout(timer);
  }

  async #turn(): Promise<void> {
    const { hasBatches, write, forget, log } = this.#parts;
    try {
      if (hasBatches() && !this.#isBlocked) await write();
      if (this.#positionIsDue) {
        this.#positionIsDue = false;
        await forget();
      }
      if (this.#isBlocked) return;
      if (this.#failure !== null) log.info({}, 'the spool can be written again');
      this.#failure = null;
    } catch (error) {
      this.#failed(error as Error);
    }
  }

  #failed({ message }: Error): void {
    if (this.#failure === null)
      this.#parts.log.warn({ error: message }, 'the spool cannot be written; exchanges wait in memory');
    this.#failure = message;
    this.#isBlocked = true;
    if (this.#ended) return;
    this.#retryTimer ??= setTimeout(() => {
      this.#retryTimer = null;
      this.#isBlocked = false;
      this.wake();
    }, RETRY_MS);
  }
}
