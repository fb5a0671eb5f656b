import type { Filter } from '../filter/filter.ts';
import type { BatchNumber, BatchOrigin, RowBatch } from '../model/row-batch.ts';

/**
 * Where a server keeps exchanges. One contract test (exchange-store-contract.ts) holds for every implementation. All
 * methods may be called at the same time; none of them blocks the event loop for long.
 *
 * Times are Unix microseconds, durations milliseconds, addresses text, as in docs/sqlite-schema.md. A method rejects
 * with UserError when the caller can do something about it, with StoreUnavailable when the store cannot work now.
 */
export interface ExchangeStore {
  /** Resolves when the rows are durable: they survive SIGKILL of the process. A repeated batch is not stored again. */
  append(batch: RowBatch, origin: BatchOrigin, number: BatchNumber | null): Promise<Appended>;
  /** Which numbers of a stream are stored; for who resumes. */
  stream(stream: string): Promise<StreamState>;
  /** Keeps the last report of each agent. */
  report(report: AgentReport, receivedUs: number): Promise<void>;
  agents(): Promise<readonly AgentFacts[]>;

  list(query: ListQuery, signal?: AbortSignal): Promise<ExchangePage>;
  /** `key`: a row id, or a uid of 16 hexadecimal digits. */
  get(key: string): Promise<ExchangeDetail | null>;
  red(query: RedQuery, signal?: AbortSignal): Promise<readonly RedRow[]>;
  /** Read-only SQL of people, in a sandbox. Rejects with UserError for whatever it does not let through. */
  sql(text: string, limits: SqlLimits, signal?: AbortSignal): Promise<SqlAnswer>;

  /** Told after each commit; the ids of its rows are above `afterId`. Returns the way to stop it. */
  onCommit(listener: (afterId: number) => void): () => void;
  facts(): Promise<StoreFacts>;
  /** Waits for what is under way, then gives the files free. */
  close(): Promise<void>;
}

/** The store cannot take or answer anything just now: disk full, closing, too much waiting. `retry`: later may succeed. */
export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable';
  /** disk-full, busy, closing, failed */
  readonly code: string;
  readonly retry: boolean;

  constructor(code: string, message: string, retry: boolean, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.retry = retry;
  }
}

export interface Appended {
  /** Exchanges stored as new ones. */
  readonly stored: number;
  /** Rows stored as a further observation of an exchange that another agent saw. */
  readonly joined: number;
  /** Rows that were not stored because this very observation is: same uid, agent, start, method and target. */
  readonly repeatedRows: number;
  /** The batch was there already, and nothing was stored. */
  readonly repeated: boolean;
}

export interface StreamState {
  /** Highest number stored; 0: none. */
  readonly last: number;
  /** Numbers below `last` that are not stored, as [from, to] pairs; at most 1000 pairs. */
  readonly missing: readonly (readonly [number, number])[];
}

/** What an agent says of itself with every heartbeat. Counters begin at 0 with the agent's process and only grow. */
export interface AgentReport {
  readonly agent: string;
  readonly node: string | null;
  readonly pod: string | null;
  readonly namespace: string | null;
  readonly version: string;
  readonly startedUs: number;
  readonly interfaces: readonly string[];
  readonly packets: number;
  readonly packetsDropped: number;
  readonly exchanges: number;
  readonly exchangesSent: number;
  /** Exchanges that were never sent, because the spool was full or damaged. */
  readonly exchangesDropped: number;
  readonly backlogBatches: number;
  readonly backlogBytes: number;
  readonly rssBytes: number;
  readonly cpuSeconds: number;
  /** The last failure that still stands; null: none. */
  readonly problem: string | null;
}

/** An agent that reported, or of which rows are stored. */
export interface AgentFacts {
  readonly agent: string;
  /** As its last report says, or else its last batch. */
  readonly node: string | null;
  readonly pod: string | null;
  readonly namespace: string | null;
  /** Its last report; null: it sends rows only. */
  readonly report: AgentReport | null;
  /** Of reports and of rows that are still stored, by the server's clock. */
  readonly firstSeenUs: number;
  readonly lastSeenUs: number;
  /** Rows that the store has from it. */
  readonly stored: number;
}

/** Which exchanges: all that are given must hold. */
export interface Selection {
  /** Parsed filter expression; null: all. */
  readonly where: Filter | null;
  /** `started_us` from (inclusive) and to (exclusive). */
  readonly fromUs: number | null;
  readonly toUs: number | null;
  /** Client or server address, as text. */
  readonly address: string | null;
  /** Some agent of this name, or on this node, saw it. */
  readonly agent: string | null;
  readonly node: string | null;
}

export const SORTS = ['started', 'total', 'wait', 'status', 'request_bytes', 'response_bytes', 'id'] as const;
export type Sort = (typeof SORTS)[number];

export interface ListQuery extends Selection {
  readonly sort: Sort;
  readonly descending: boolean;
  /** 1 to 2000. */
  readonly limit: number;
  /** What `next` of the page before said; null: the first page. */
  readonly cursor: string | null;
  /**
   * Only exchanges that arrived after this row id; null: all. For followers. An exchange arrives with the row by which all
   * is fulfilled: its own, or a further observation that has what the selection asks of an agent, node or address. Sorted
   * by `id` they come in the order of their arrival.
   */
  readonly afterId: number | null;
  /** Names of the columns that are wanted, of those that there are; left out: all. Fewer are read sooner. */
  readonly columns?: readonly string[] | undefined;
}

/** One exchange: the columns of the relation `exchanges`, by their names. */
export type ExchangeRow = Readonly<Record<string, string | number | null>>;

export interface ExchangePage {
  readonly rows: readonly ExchangeRow[];
  /** For the next page; null: this was the last. */
  readonly next: string | null;
  /** For each row the id of the row with which it arrived; without `afterId` its own id. */
  readonly arrivals: readonly number[];
  /**
   * What a follower gives as `afterId` next: sorted by `id`, ascending, nothing that arrived up to here comes again and nothing
   * after it is missed. 0: there are no rows. In other orders the highest id that there was.
   */
  readonly lastId: number;
}

/** One agent's view of an exchange. */
export type Observation = ExchangeRow;

export interface ExchangeDetail {
  readonly exchange: ExchangeRow;
  /** One or more, nearest to the client first. */
  readonly observations: readonly Observation[];
  /** Where the time went, when it was seen on the client's side and on the server's; null: not known. */
  readonly apart: TimeApart | null;
}

/** All in ms. See docs/observations.md. */
export interface TimeApart {
  /** First byte of the request to first byte of the response, as the client's side saw it, and as the server's side did. */
  readonly clientSideMs: number;
  readonly serverSideMs: number;
  /** What lies between both: the way there and back. */
  readonly networkMs: number;
  /** By how much the server's side's clock is ahead, if the way there takes as long as the way back. */
  readonly clockOffsetMs: number;
}

export const RED_GROUPS = ['route', 'method', 'host', 'server', 'client', 'node', 'agent', 'status'] as const;
export type RedGroup = (typeof RED_GROUPS)[number];

export interface RedQuery extends Selection {
  /**
   * One row for each combination; empty: one row in all. By node or agent, an exchange counts for each that observed it, so
   * the groups together may have more requests than there are.
   */
  readonly by: readonly RedGroup[];
  /** Width of time buckets in seconds; null: no buckets. */
  readonly bucketSeconds: number | null;
  /** 1 to 10,000. The groups with most requests come first. */
  readonly limit: number;
}

export interface RedRow {
  readonly group: Readonly<Partial<Record<RedGroup, string | number | null>>>;
  /** Begin of the bucket, µs; null without buckets. */
  readonly bucketUs: number | null;
  readonly requests: number;
  /**
   * Over the bucket, or over the span asked for; where that is open, from the first or to the last request of everything
   * selected. The same span for all groups, so rates add up. null: one moment.
   */
  readonly requestsPerS: number | null;
  readonly clientErrors: number;
  readonly serverErrors: number;
  readonly unanswered: number;
  readonly errorRatio: number;
  /** Exact, by nearest rank over requests that have a total; null: none has. */
  readonly p50Ms: number | null;
  readonly p90Ms: number | null;
  readonly p99Ms: number | null;
  readonly maxMs: number | null;
}

export interface SqlLimits {
  readonly rows: number;
  readonly milliseconds: number;
}

export interface SqlAnswer {
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  /** Integers beyond 2^53 are text. */
  readonly rows: readonly (readonly (string | number | boolean | null)[])[];
  /** There were more rows than the limit. */
  readonly truncated: boolean;
  readonly milliseconds: number;
}

export interface StoreFacts {
  readonly engine: string;
  readonly exchanges: number;
  readonly observations: number;
  readonly oldestUs: number | null;
  readonly newestUs: number | null;
  readonly fileBytes: number;
  /** Files that were damaged and put aside, since the store was opened. */
  readonly keptAside: readonly string[];
  /** Exchanges deleted because of age and size since the store was opened. */
  readonly expired: number;
  /** Batches that wait for the disk. */
  readonly waiting: number;
}
