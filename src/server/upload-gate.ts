import { busy } from './answer-error.ts';

/** Bytes that one upload holds; given back once. */
export interface UploadHold {
  /** @throws AnswerError 503 `busy` when there is no room for so many more */
  grow(bytes: number): void;
  release(): void;
}

/** Bounds the memory of all uploads under way, from their first byte until they are answered. */
export class UploadGate {
  readonly #limit: number;
  #held = 0;
  #uploads = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get heldBytes(): number {
    return this.#held;
  }

  get uploads(): number {
    return this.#uploads;
  }

  enter(): UploadHold {
    let own = 0;
    let over = false;
    this.#uploads += 1;
    return {
      grow: (bytes) => {
        // The only upload there is never waits for itself.
        if (this.#held + bytes > this.#limit && this.#held > own)
          throw busy('busy', 'too many uploads are under way', 1);
        own += bytes;
        this.#held += bytes;
      },
      release: () => {
        if (over) return;
        over = true;
        this.#held -= own;
        this.#uploads -= 1;
      },
    };
  }
}

/** A bounded number of things at once. */
export class Slots {
  readonly #limit: number;
  readonly #what: string;
  #taken = 0;

  /** `what`: `SQL statements`, for the answer. */
  constructor(limit: number, what: string) {
    this.#limit = limit;
    this.#what = what;
  }

  get taken(): number {
    return this.#taken;
  }

  /** Returns how to give the slot back. @throws AnswerError 503 `busy` */
  take(): () => void {
    if (this.#taken >= this.#limit)
      throw busy('busy', `${this.#limit} ${this.#what} are under way already`, 1);
    this.#taken += 1;
    let over = false;
    return () => {
      if (!over) this.#taken -= 1;
      over = true;
    };
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    const release = this.take();
    try {
      return await work();
    } finally {
      release();
    }
  }
}
