import type { DuckDbParameter } from '../../filter/duckdb-sql.ts';
import { UserError } from '../../model/errors.ts';
import type { Selection } from '../exchange-store.ts';
import { addressNumbers } from './addresses.ts';
import { STORE_LIMITS } from './store-limits.ts';

/** SQL with the values of its `?`, in order. Can be sent between threads. */
export interface Sql {
  readonly text: string;
  readonly parameters: readonly DuckDbParameter[];
}

/** Which exchanges, but for their times. Can be sent between threads. */
export interface SelectionSql extends Sql {
  /** Condition of an observation `o` that has the address; null: any address. See observedSql. */
  readonly observed: string | null;
}

/** Collects conditions that all must hold. */
export class Conditions {
  readonly #texts: string[] = [];
  readonly parameters: DuckDbParameter[] = [];

  add(text: string, ...parameters: readonly DuckDbParameter[]): this {
    this.#texts.push(text);
    this.parameters.push(...parameters);
    return this;
  }

  get text(): string {
    return this.#texts.length === 0 ? 'true' : this.#texts.join(' AND ');
  }
}

/** Rows `e` that a selection means, but for its times. Throws UserError `address` and what the filter throws. */
export function selectionSql({ where, address, agent, node }: Selection): SelectionSql {
  const conditions = new Conditions();
  conditions.add('e.of_id IS NULL');
  let observed: string | null = null;
  if (address !== null) {
    const numbers = addressNumbers(address);
    if (numbers === null)
      throw new UserError('address', `${JSON.stringify(address.slice(0, 60))} is no IP address`, {
        hint: 'write it as 10.0.0.1 or 2001:db8::1',
      });
    const side = (name: string): string =>
      `(o.${name}_low = ${numbers.low}::UBIGINT AND o.${name}_high = ${numbers.high}::UBIGINT)`;
    observed = `(${side('client')} OR ${side('server')})`;
  }
  for (const [name, value] of [
    ['agent', agent],
    ['node', node],
  ] as const) {
    if (value === null) continue;
    conditions.add(
      `(e.${name} = ? OR e.id IN (SELECT o.of_id FROM store.exchange_rows o WHERE o.of_id IS NOT NULL AND o.${name} = ?))`,
      value,
      value,
    );
  }
  if (where !== null) {
    const { text, parameters } = where.duckdbSql('e');
    conditions.add(text, ...parameters);
  }
  return { text: conditions.text, parameters: conditions.parameters, observed };
}

/**
 * Adds that some observation of the exchange `e` has the address: behind address translation the client's node and the
 * server's node see different ones. `fromUs`, `toUs`: between which the exchanges began, null: not known; observations
 * are looked for in that span only, wider by what clocks may differ.
 */
export function addObserved(
  conditions: Conditions,
  { observed }: SelectionSql,
  fromUs: number | null,
  toUs: number | null,
): void {
  if (observed === null) return;
  const { apartUs } = STORE_LIMITS;
  const span = [
    ...(fromUs === null ? [] : [`o.started_us >= ${BigInt(fromUs) - BigInt(apartUs)}`]),
    ...(toUs === null ? [] : [`o.started_us <= ${BigInt(toUs) + BigInt(apartUs)}`]),
  ];
  const wanted = [observed, ...span].join(' AND ');
  conditions.add(`e.id IN (SELECT coalesce(o.of_id, o.id) FROM store.exchange_rows o WHERE ${wanted})`);
}
