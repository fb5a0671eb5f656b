import { UserError } from '../../src/model/errors.ts';
import { momentText } from '../../src/model/moment.ts';
import type { BatchNumber, BatchOrigin, RowBatch } from '../../src/model/row-batch.ts';
import { plainAddress } from '../../src/server/address.ts';
import type {
  AgentFacts,
  AgentReport,
  Appended,
  ExchangeDetail,
  ExchangePage,
  ExchangeRow,
  ExchangeStore,
  ListQuery,
  RedQuery,
  RedRow,
  Selection,
  SqlAnswer,
  SqlLimits,
  StoreFacts,
  StreamState,
} from '../../src/store/exchange-store.ts';

/**
 * Exchanges in arrays, for tests of the HTTP side only: no filters, no SQL but `SELECT 1`, nothing durable. The real
 * store is in src/store/duckdb.
 */
export class MemoryStore implements ExchangeStore {
  readonly #rows: ExchangeRow[] = [];
  readonly #batches = new Map<string, Set<number>>();
  readonly #agents = new Map<string, AgentFacts>();
  readonly #listeners = new Set<(afterId: number) => void>();
  /** Thrown by the next append; for tests. */
  failNext: Error | null = null;
  /** Awaited by every question; for tests. */
  hold: Promise<void> | null = null;
  /** Questions that have come; for tests. */
  asked = 0;

  async append(batch: RowBatch, origin: BatchOrigin, number: BatchNumber | null): Promise<Appended> {
    const failure = this.failNext;
    this.failNext = null;
    if (failure !== null) throw failure;
    if (number !== null) {
      const numbers = this.#batches.get(number.stream) ?? new Set();
      this.#batches.set(number.stream, numbers);
      if (numbers.has(number.number)) return { stored: 0, joined: 0, repeatedRows: 0, repeated: true };
      numbers.add(number.number);
    }
    const before = this.#rows.length;
    for (let row = 0; row < batch.rows; row += 1) this.#rows.push(this.#exchange(batch, row, origin));
    for (const listener of this.#listeners) listener(before);
    return { stored: batch.rows, joined: 0, repeatedRows: 0, repeated: false };
  }

  #exchange(batch: RowBatch, row: number, origin: BatchOrigin): ExchangeRow {
    const values: Record<string, string | number | null> = { id: this.#rows.length + 1, started: null };
    for (const [name, column] of Object.entries(batch.columns)) {
      if (['anomalies', 'vlans', 'tunnels', 'sightings'].includes(name)) continue;
      if (column.form === 'all') values[name] = column.value;
      else if (column.form === 'codes') values[name] = column.texts[column.codes[row]] ?? null;
      else values[name] = column.nulls?.[row] === 1 ? null : column.values[row];
    }
    values.started = momentText(Number(values.started_us)) ?? '';
    return { ...values, ...origin, received_us: Date.now() * 1000 };
  }

  async stream(stream: string): Promise<StreamState> {
    const numbers = [...(this.#batches.get(stream) ?? [])].sort((one, other) => one - other);
    const missing: [number, number][] = [];
    let expected = 1;
    for (const number of numbers) {
      if (number > expected) missing.push([expected, number - 1]);
      expected = number + 1;
    }
    return { last: numbers.at(-1) ?? 0, missing: missing.slice(0, 1000) };
  }

  async report(report: AgentReport, receivedUs: number): Promise<void> {
    const { agent, node, pod, namespace } = report;
    const firstSeenUs = this.#agents.get(agent)?.firstSeenUs ?? receivedUs;
    const stored = this.#rows.filter((row) => row.agent === agent).length;
    const seen = { firstSeenUs, lastSeenUs: receivedUs, stored };
    this.#agents.set(agent, { agent, node, pod, namespace, report, ...seen });
  }

  async agents(): Promise<readonly AgentFacts[]> {
    return [...this.#agents.values()];
  }

  async list(query: ListQuery, signal?: AbortSignal): Promise<ExchangePage> {
    this.asked += 1;
    await this.hold;
    signal?.throwIfAborted();
    const key =
      { started: 'started_us', total: 'total_ms', wait: 'wait_ms' }[query.sort as string] ?? query.sort;
    const after = query.cursor === null ? 0 : Number(query.cursor);
    if (!Number.isSafeInteger(after)) throw new UserError('cursor', 'the cursor is not one of this server');
    const rows = this.#selected(query)
      .filter((row) => Number(row.id) > (query.afterId ?? 0))
      .sort((one, other) => {
        const order = Number(one[key] ?? -1) - Number(other[key] ?? -1) || Number(one.id) - Number(other.id);
        return query.descending ? -order : order;
      });
    const page = rows.slice(after, after + query.limit);
    const next = after + query.limit < rows.length ? String(after + query.limit) : null;
    const arrivals = page.map((row) => Number(row.id));
    const ended = next !== null && query.sort === 'id' && !query.descending;
    const { columns } = query;
    const shown = (row: ExchangeRow): ExchangeRow =>
      columns === undefined
        ? row
        : Object.fromEntries(Object.entries(row).filter(([name]) => columns.includes(name)));
    return {
      rows: page.map(shown),
      next,
      arrivals,
      lastId: ended ? arrivals[arrivals.length - 1] : this.#rows.length,
    };
  }

  #selected({ fromUs, toUs, address, agent, node }: Selection): ExchangeRow[] {
    return this.#rows.filter(
      (row) =>
        (fromUs === null || Number(row.started_us) >= fromUs) &&
        (toUs === null || Number(row.started_us) < toUs) &&
        (address === null ||
          plainAddress(String(row.client)) === address ||
          plainAddress(String(row.server)) === address) &&
        (agent === null || row.agent === agent) &&
        (node === null || row.node === node),
    );
  }

  async get(key: string): Promise<ExchangeDetail | null> {
    const exchange = this.#rows.find((row) => row.uid === key || String(row.id) === key);
    return exchange === undefined ? null : { exchange, observations: [exchange], apart: null };
  }

  async red(query: RedQuery): Promise<readonly RedRow[]> {
    const requests = this.#selected(query).length;
    return requests === 0
      ? []
      : [{ ...NO_RED, group: Object.fromEntries(query.by.map((by) => [by, null])), requests }];
  }

  async sql(text: string, { rows }: SqlLimits, signal?: AbortSignal): Promise<SqlAnswer> {
    this.asked += 1;
    await this.hold;
    signal?.throwIfAborted();
    if (text !== 'SELECT 1' && text !== 'SELECT count(*) FROM exchanges')
      throw new UserError('sql', 'this store understands SELECT 1 only');
    return {
      columns: [{ name: '1', type: 'INTEGER' }],
      rows: [[1]].slice(0, rows),
      truncated: false,
      milliseconds: 0,
    };
  }

  onCommit(listener: (afterId: number) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async facts(): Promise<StoreFacts> {
    const exchanges = this.#rows.length;
    return {
      engine: 'memory',
      exchanges,
      observations: exchanges,
      oldestUs: null,
      newestUs: null,
      fileBytes: 0,
      keptAside: [],
      expired: 0,
      waiting: 0,
    };
  }

  async close(): Promise<void> {}
}

const NO_RED = {
  bucketUs: null,
  requestsPerS: null,
  clientErrors: 0,
  serverErrors: 0,
  unanswered: 0,
  errorRatio: 0,
  p50Ms: null,
  p90Ms: null,
  p99Ms: null,
  maxMs: null,
};
