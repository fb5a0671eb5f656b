import type { BatchColumn, BatchOrigin, RowBatch } from '../../model/row-batch.ts';
import { STORE_LIMITS } from './store-limits.ts';

/**
 * Which rows are further observations of an exchange that another agent saw. Equal uids are where it begins; they are
 * made of TCP sequence numbers, so by accident an equal one occurs once in 2^64, but a hostile or restarted agent can
 * repeat them: what both saw must not contradict each other. docs/observations.md says it for people.
 */

/** What two observations of one exchange have in common. */
export interface Seen {
  readonly agent: string;
  readonly startedUs: number;
  /** 0 to 999, behind `startedUs`. */
  readonly startedNs: number;
  readonly method: string | null;
  readonly route: string | null;
  readonly target: string | null;
  readonly status: number | null;
}

/** A row that is stored, with the exchange that it belongs to. */
export interface StoredSeen extends Seen {
  readonly exchangeId: number;
}

/** Whether both can be one exchange, seen by different agents. */
export function sameExchange(one: Seen, other: Seen): boolean {
  return (
    one.agent !== other.agent &&
    Math.abs(one.startedUs - other.startedUs) <= STORE_LIMITS.apartUs &&
    one.method === other.method &&
    (one.route === other.route || one.target === other.target) &&
    (one.status === null || other.status === null || one.status === other.status)
  );
}

/**
 * Whether both are one observation, sent twice: under another stream, or with other options. The start says it to the
 * nanosecond; status, route and header fields may differ with the options.
 */
export function sameObservation(one: Seen, other: Seen): boolean {
  return (
    one.agent === other.agent &&
    one.startedUs === other.startedUs &&
    one.startedNs === other.startedNs &&
    one.method === other.method &&
    one.target === other.target
  );
}

/** Exchanges by the number that their uid has in a commit. A row is added after it was looked up, so rows of one commit find each other too. */
export class KnownExchanges {
  readonly #byUid = new Map<number, StoredSeen[]>();

  add(uid: number, seen: StoredSeen): void {
    const known = this.#byUid.get(uid);
    if (known === undefined) this.#byUid.set(uid, [seen]);
    else if (known.length < STORE_LIMITS.rowsPerUid) known.push(seen);
  }

  /** An observation with this uid is known that is the same one. */
  has(uid: number, seen: Seen): boolean {
    return this.#byUid.get(uid)?.some((one) => sameObservation(one, seen)) === true;
  }

  /** The exchange that the row is a further observation of, the nearest in time; null: it is a new one. */
  find(uid: number, seen: Seen): number | null {
    const known = this.#byUid.get(uid);
    if (known === undefined) return null;
    let best: StoredSeen | null = null;
    for (const one of known) {
      if (!sameExchange(one, seen)) continue;
      // An agent sees an exchange once: what it sends again under this uid is another one.
      if (known.some((other) => other.exchangeId === one.exchangeId && other.agent === seen.agent)) continue;
      if (best === null || distance(one, seen) < distance(best, seen)) best = one;
    }
    return best?.exchangeId ?? null;
  }
}

function distance(one: Seen, other: Seen): number {
  return Math.abs(one.startedUs - other.startedUs);
}

/** The value of one row. */
export function valueAt(column: BatchColumn, row: number): string | number | null {
  switch (column.form) {
    case 'all':
      return column.value;
    case 'codes': {
      const code = column.codes[row];
      return code < 0 ? null : column.texts[code];
    }
    case 'numbers':
      return column.nulls !== null && column.nulls[row] === 1 ? null : column.values[row];
  }
}

export function seenOf(batch: RowBatch, { agent }: BatchOrigin, row: number): Seen {
  const { columns } = batch;
  const text = (name: string): string | null => valueAt(columns[name], row) as string | null;
  return {
    agent,
    startedUs: valueAt(columns.started_us, row) as number,
    startedNs: valueAt(columns.started_ns, row) as number,
    method: text('method'),
    route: text('route'),
    target: text('target'),
    status: valueAt(columns.status, row) as number | null,
  };
}
