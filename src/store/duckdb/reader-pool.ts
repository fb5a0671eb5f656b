import type { DuckDBConnection } from '@duckdb/node-api';
import type { Database } from './database.ts';
import { busy } from './failure.ts';

/** Who asks when no connection is free waits in order. Each runs on a connection of its own, closed afterwards. */
export class ReaderPool {
  readonly #atOnce: number;
  readonly #waitingAtMost: number;
  readonly #database: () => Promise<Database>;
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(atOnce: number, waitingAtMost: number, database: () => Promise<Database>) {
    this.#atOnce = atOnce;
    this.#waitingAtMost = waitingAtMost;
    this.#database = database;
  }

  get running(): number {
    return this.#running;
  }

  /** Rejects with StoreUnavailable `busy`; with the signal's reason when it is given up while it waits or runs. */
  async use<Result>(
    signal: AbortSignal | undefined,
    ask: (connection: DuckDBConnection) => Promise<Result>,
  ): Promise<Result> {
    if (this.#running >= this.#atOnce) {
      if (this.#waiting.length >= this.#waitingAtMost) throw busy('questions');
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else this.#running += 1;
    try {
      signal?.throwIfAborted();
      const database = await this.#database();
      const connection = await database.connect();
      const stop = (): void => connection.interrupt();
      signal?.addEventListener('abort', stop, { once: true });
      try {
        return await ask(connection);
      } catch (error) {
        signal?.throwIfAborted();
        throw error;
      } finally {
        signal?.removeEventListener('abort', stop);
        database.release(connection);
      }
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }
}
