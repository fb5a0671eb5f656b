import type { DuckDBConnection } from '@duckdb/node-api';
import type { BatchOrigin } from '../../model/row-batch.ts';
import { readRows } from './row-reading.ts';
import type { StoreLog } from './store-event.ts';
import { STORE_LIMITS } from './store-limits.ts';

/** What the stored rows of one agent tell of it. */
export interface AgentRows {
  /** Of its last batch. */
  origin: BatchOrigin;
  readonly firstSeenUs: number;
  lastSeenUs: number;
  rows: number;
}

/** Who sent the stored rows, by name: read when the database is opened, carried on with each commit. */
export class AgentDirectory {
  readonly #log: StoreLog;
  #agents = new Map<string, AgentRows>();

  constructor(log: StoreLog) {
    this.#log = log;
  }

  get size(): number {
    return this.#agents.size;
  }

  has(agent: string): boolean {
    return this.#agents.has(agent);
  }

  entries(): IterableIterator<[string, AgentRows]> {
    return this.#agents.entries();
  }

  /** Reads all rows: afterwards only what is still stored counts. */
  async read(connection: DuckDBConnection): Promise<void> {
    const { rows } = await readRows(
      connection,
      `SELECT e.agent, arg_max(struct_pack(a := e.node), e.id).a, arg_max(struct_pack(a := e.pod), e.id).a,
         arg_max(struct_pack(a := e.namespace), e.id).a, min(e.received_us), max(e.received_us), count(*)
       FROM store.exchange_rows e GROUP BY e.agent ORDER BY max(e.id)`,
    );
    this.#agents = new Map();
    for (const [agent, node, pod, namespace, firstSeenUs, lastSeenUs, count] of rows) {
      const origin = { agent, node, pod, namespace } as BatchOrigin;
      this.#keep(origin.agent, {
        origin,
        firstSeenUs: firstSeenUs as number,
        lastSeenUs: lastSeenUs as number,
        rows: count as number,
      });
    }
  }

  /** A batch of it was stored. */
  note(origin: BatchOrigin, rows: number, receivedUs: number): void {
    const known = this.#agents.get(origin.agent);
    if (known === undefined) {
      this.#keep(origin.agent, { origin, firstSeenUs: receivedUs, lastSeenUs: receivedUs, rows });
      return;
    }
    known.origin = origin;
    known.lastSeenUs = receivedUs;
    known.rows += rows;
  }

  #keep(agent: string, facts: AgentRows): void {
    if (this.#agents.size >= STORE_LIMITS.agents) this.#forgetOne();
    this.#agents.set(agent, facts);
  }

  #forgetOne(): void {
    let silent: string | null = null;
    let sinceUs = Number.POSITIVE_INFINITY;
    for (const [agent, { lastSeenUs }] of this.#agents) {
      if (lastSeenUs >= sinceUs) continue;
      silent = agent;
      sinceUs = lastSeenUs;
    }
    if (silent !== null) this.#agents.delete(silent);
    this.#log({
      level: 'warn',
      code: 'agent-forgotten',
      message: `more than ${STORE_LIMITS.agents} agents sent rows: the one that was silent longest is left out of the list; its rows stay`,
    });
  }
}
