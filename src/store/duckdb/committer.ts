import type { DuckDBConnection } from '@duckdb/node-api';
import { UserError } from '../../model/errors.ts';
import type { BatchNumber, BatchOrigin, RowBatch } from '../../model/row-batch.ts';
import { type Appended, StoreUnavailable } from '../exchange-store.ts';
import { insertRanges, type StoredRange } from './batch-ranges.ts';
import type { Database } from './database.ts';
import { diskFull, isDiskFull, isOutOfMemory, messageOf } from './failure.ts';
import { type KnownState, noteBatch } from './known-state.ts';
import { type Found, ObservationFinder } from './observation-finder.ts';
import { RecentUids } from './recent-uids.ts';
import { type RowsToWrite, RowWriter } from './row-writer.ts';
import { rowsLeft } from './rows-left.ts';
import type { StoreLog } from './store-event.ts';
import { STORE_LIMITS } from './store-limits.ts';
import { valueAt } from './vantage.ts';

/** A batch that waits to be stored. */
export interface Waiting {
  readonly batch: RowBatch;
  readonly origin: BatchOrigin;
  readonly number: BatchNumber | null;
  readonly bytes: number;
  resolve(appended: Appended): void;
  reject(error: unknown): void;
}

/** Stores groups of batches, each group in one transaction. One call at a time. */
export class Committer {
  readonly #connection: DuckDBConnection;
  readonly #database: Database;
  readonly #state: KnownState;
  readonly #diskReserveBytes: number;
  readonly #log: StoreLog;
  readonly #writer: RowWriter;
  readonly #finder: ObservationFinder;
  readonly #recent: RecentUids;

  constructor(
    connection: DuckDBConnection,
    database: Database,
    state: KnownState,
    diskReserveBytes: number,
    log: StoreLog,
  ) {
    this.#connection = connection;
    this.#database = database;
    this.#state = state;
    this.#diskReserveBytes = diskReserveBytes;
    this.#log = log;
    this.#writer = new RowWriter(connection, database.columns);
    this.#finder = new ObservationFinder(connection);
    this.#recent = new RecentUids(spanOf(state));
  }

  /**
   * Settles every batch of the group. Gives back the failure of the transaction (the batches were rejected for it);
   * null: it is durable, or there was nothing to store.
   */
  async commit(group: readonly Waiting[]): Promise<unknown> {
    const fresh: Waiting[] = [];
    const repeated: Waiting[] = [];
    const numbers = new Set<string>();
    for (const waiting of group) {
      const refused = this.#refusal(waiting);
      if (refused !== null) waiting.reject(refused);
      else if (this.#isKnown(waiting, numbers)) repeated.push(waiting);
      else fresh.push(waiting);
    }
    let results: readonly Appended[] = [];
    if (fresh.length > 0) {
      try {
        results = await this.#store(fresh);
      } catch (error) {
        const failure = failureOf(error);
        for (const waiting of [...fresh, ...repeated]) waiting.reject(failure);
        return error;
      }
    }
    fresh.forEach((waiting, index) => {
      waiting.resolve(results[index]);
    });
    for (const waiting of repeated)
      waiting.resolve({ stored: 0, joined: 0, repeatedRows: 0, repeated: true });
    return null;
  }

  #isKnown({ number }: Waiting, inGroup: Set<string>): boolean {
    if (number === null) return false;
    if (this.#state.streams.get(number.stream)?.has(number.number) === true) return true;
    const key = `${number.number} ${number.stream}`;
    if (inGroup.has(key)) return true;
    inGroup.add(key);
    return false;
  }

  #refusal({ number }: Waiting): UserError | null {
    if (number === null) return null;
    const ranges = this.#state.streams.get(number.stream);
    if (ranges === undefined || ranges.ranges < STORE_LIMITS.rangesPerStream) return null;
    if (ranges.has(number.number) || ranges.has(number.number - 1) || ranges.has(number.number + 1))
      return null;
    return new UserError(
      'scattered-stream',
      `the numbers of this stream have ${STORE_LIMITS.rangesPerStream} gaps already`,
      { hint: 'count batches of a stream from 1, and begin a new stream' },
    );
  }

  async #store(fresh: readonly Waiting[]): Promise<Appended[]> {
    const bytes = fresh.reduce((sum, one) => sum + one.bytes, 0);
    const reserve = this.#diskReserveBytes;
    if (reserve > 0 && this.#database.freeDiskBytes() < reserve + 2 * bytes) throw diskFull();
    const state = this.#state;
    const receivedUs = Math.max(Date.now() * 1000, state.lastReceivedUs);
    let id = state.lastId + 1;
    const plain = fresh.map(({ batch, origin }): RowsToWrite => {
      const firstId = id;
      id += batch.rows;
      return { batch, origin, firstId, ids: null, ofIds: null };
    });
    const found = await this.#find(plain);
    const rows = plain.map((one, index) => rowsLeft(one, found[index]));
    for (const { batch, origin } of rows) state.filled.note(batch, origin);
    const connection = this.#connection;
    await connection.run('BEGIN');
    try {
      await this.#writer.write(
        rows.filter(({ batch }) => batch.rows > 0),
        receivedUs,
      );
      await insertRanges(connection, rangesOf(fresh, receivedUs));
      await connection.run('COMMIT');
    } catch (error) {
      await connection.run('ROLLBACK').catch(() => {});
      throw error;
    }
    state.lastId = id - 1;
    state.lastReceivedUs = receivedUs;
    return rows.map((one, index) => this.#settle(one, fresh[index], receivedUs));
  }

  #settle(
    { batch, origin, ofIds }: RowsToWrite,
    { batch: given, number }: Waiting,
    receivedUs: number,
  ): Appended {
    const state = this.#state;
    const joined = ofIds === null ? 0 : ofIds.reduce((sum, id) => sum + (Number.isNaN(id) ? 0 : 1), 0);
    const stored = batch.rows - joined;
    state.exchanges += stored;
    state.observations += batch.rows;
    state.agents.note(origin, batch.rows, receivedUs);
    const times = batch.columns.started_us;
    for (let row = 0; row < batch.rows; row += 1) {
      const startedUs = valueAt(times, row) as number;
      if (state.oldestUs === null || startedUs < state.oldestUs) state.oldestUs = startedUs;
      if (state.newestUs === null || startedUs > state.newestUs) state.newestUs = startedUs;
    }
    if (number !== null) {
      state.storedRanges += 1;
      noteBatch(state, number.stream, number.number, number.number, this.#log);
    }
    return { stored, joined, repeatedRows: given.rows - batch.rows, repeated: false };
  }

  /** What is stored of the rows already; most commits need not ask the database for it. */
  async #find(rows: readonly RowsToWrite[]): Promise<readonly Found[]> {
    const batches = rows.map(({ batch }) => batch);
    const suspects = this.#recent.suspects(batches, spanOf(this.#state));
    if (suspects === null) return rows.map(() => ({ ofIds: null, repeats: null }));
    return this.#finder.find(rows, suspects);
  }
}

/** One for each batch that has a number. */
function rangesOf(batches: readonly Waiting[], receivedUs: number): StoredRange[] {
  return batches.flatMap(({ number }) =>
    number === null ? [] : [{ stream: number.stream, first: number.number, last: number.number, receivedUs }],
  );
}

/** What the stored rows span. */
function spanOf({ oldestUs, newestUs }: KnownState): { oldestUs: number; newestUs: number } | null {
  return oldestUs === null || newestUs === null ? null : { oldestUs, newestUs };
}

function failureOf(error: unknown): unknown {
  if (error instanceof StoreUnavailable) return error;
  if (isDiskFull(error)) return diskFull(error);
  if (isOutOfMemory(error))
    return new StoreUnavailable('busy', 'the store has no memory for this just now; try again later', true, {
      cause: error,
    });
  return new StoreUnavailable('failed', `the exchanges could not be stored: ${messageOf(error)}`, true, {
    cause: error,
  });
}
