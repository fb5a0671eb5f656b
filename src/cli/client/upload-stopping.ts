import { INTERRUPTED } from '../live/stopping.ts';

/** After a signal, what is under way may take so long to arrive. */
const GRACE_MS = 5_000;

/** Ends an upload early: the first signal when what is under way has arrived, the second at once. */
export class Stopping {
  readonly #soft = new AbortController();
  readonly #hard = new AbortController();
  #stopReading: (() => void) | null = null;
  readonly #onSignal = (): void => {
    if (this.byUser) process.exit(INTERRUPTED);
    this.byUser = true;
    // Reading hears the signal too, and ends by itself.
    this.#soft.abort();
    // Waiting for a server that is away would keep a person waiting.
    if (this.#stopReading === null) this.#hard.abort();
    else setTimeout(() => this.#hard.abort(), GRACE_MS).unref();
  };
  byUser = false;

  constructor() {
    process.on('SIGINT', this.#onSignal);
    process.on('SIGTERM', this.#onSignal);
  }

  get stopped(): boolean {
    return this.#soft.signal.aborted;
  }

  get signal(): AbortSignal {
    return this.#soft.signal;
  }

  get hardSignal(): AbortSignal {
    return this.#hard.signal;
  }

  onStop(stopReading: () => void): void {
    this.#stopReading = stopReading;
    if (this.stopped) stopReading();
  }

  stop(): void {
    this.#soft.abort();
    this.#stopReading?.();
  }

  stopAtOnce(): void {
    this.stop();
    this.#hard.abort();
  }

  release(): void {
    process.off('SIGINT', this.#onSignal);
    process.off('SIGTERM', this.#onSignal);
  }
}
