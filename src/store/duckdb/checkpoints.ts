import { statSync } from 'node:fs';
import type { DuckDBConnection } from '@duckdb/node-api';
import { CATALOG, type Database } from './database.ts';
import { isDamage, messageOf, needsReopening } from './failure.ts';
import { readRows } from './row-reading.ts';
import type { StoreLog } from './store-event.ts';
import { STORE_LIMITS } from './store-limits.ts';

/** Rows after which it is looked again how much waits to be worked into the file. */
const ROWS_PER_LOOK = 8192;

/**
 * Works what was committed into the database's file, between commits. DuckDB does so by itself when its log has grown,
 * but rows that are only in the log take many times its bytes in memory: as much as it may use at all, long before the
 * log is full, and the checkpoint then fails for want of memory.
 */
export class Checkpoints {
  readonly #connection: DuckDBConnection;
  readonly #database: Database;
  readonly #mostBytes: number;
  readonly #log: StoreLog;
  #rowsSinceLook = 0;
  #isPostponed = false;

  /** `memoryBytes`: what DuckDB may use. */
  constructor(connection: DuckDBConnection, database: Database, memoryBytes: number, log: StoreLog) {
    this.#connection = connection;
    this.#database = database;
    this.#mostBytes = memoryBytes * STORE_LIMITS.unwrittenShare;
    this.#log = log;
  }

  /**
   * To be called after a commit of so many rows; nothing else runs on the connection. Gives back a failure after which
   * the database must be opened anew; null: there is none. What was committed is durable in any case.
   */
  async after(rows: number): Promise<unknown> {
    this.#rowsSinceLook += rows;
    if (this.#rowsSinceLook < ROWS_PER_LOOK) return null;
    this.#rowsSinceLook = 0;
    try {
      if (logBytes(this.#database.file) < STORE_LIMITS.logBytes && (await this.#memory()) < this.#mostBytes)
        return null;
      await this.#connection.run(`CHECKPOINT ${CATALOG}`);
      this.#isPostponed = false;
      return null;
    } catch (error) {
      if (needsReopening(error) || isDamage(error)) return error;
      if (!this.#isPostponed)
        this.#log({
          level: 'warn',
          code: 'checkpoint-postponed',
          message: 'exchanges stay in the write-ahead log for now, and are worked into the file later',
          facts: { reason: messageOf(error) },
        });
      this.#isPostponed = true;
      return null;
    }
  }

  /** Bytes of rows that are not in the file yet. */
  async #memory(): Promise<number> {
    const { rows } = await readRows(
      this.#connection,
      "SELECT coalesce(sum(memory_usage_bytes), 0) FROM duckdb_memory() WHERE tag = 'IN_MEMORY_TABLE'",
    );
    return Number(rows[0][0]);
  }
}

function logBytes(file: string): number {
  return statSync(`${file}.wal`, { throwIfNoEntry: false })?.size ?? 0;
}
