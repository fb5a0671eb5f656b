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

/** Which exchanges `e`, by their own values but for their times. Can be sent between threads. */
export interface SelectionSql extends Sql {
  /** Every exchange is meant. */
  readonly selectsAll: boolean;
  /**
   * Each must hold for some observation of the exchange, not all for the same one: behind address translation the client's
   * node and the server's node see different addresses.
   */
  readonly observed: readonly ObservedSql[];
}

/** A condition on a row `e`. */
export interface ObservedSql extends Sql {
  /**
   * The same as parts of which at most one holds. Each begins with columns that equal a constant: by these DuckDB
   * passes over vectors before it reads other columns, which it does not by an OR over several columns.
   */
  readonly parts: readonly string[];
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
  const observed: ObservedSql[] = [];
  if (address !== null) observed.push(addressCondition(address));
  for (const [name, value] of Object.entries({ agent, node })) {
    if (value === null) continue;
    const text = `e.${name} = ?`;
    observed.push({ text, parts: [text], parameters: [value] });
  }
  const own = where === null ? { text: 'true', parameters: [] } : where.duckdbSql('e');
  const selectsAll = where === null && observed.length === 0;
  return { selectsAll, text: own.text, parameters: own.parameters, observed };
}

/** Numbers are written into the text: they come from our own parser. */
function addressCondition(address: string): ObservedSql {
  const numbers = addressNumbers(address);
  if (numbers === null)
    throw new UserError('address', `${JSON.stringify(address.slice(0, 60))} is no IP address`, {
      hint: 'write it as 10.0.0.1 or 2001:db8::1',
    });
  const side = (name: string): string =>
    `(e.${name}_low = ${numbers.low}::UBIGINT AND e.${name}_high = ${numbers.high}::UBIGINT)`;
  const [client, server] = [side('client'), side('server')];
  return {
    text: `(${client} OR ${server})`,
    parts: [client, `${server} AND ${client} IS NOT TRUE`],
    parameters: [],
  };
}

/**
 * Adds what a selection asks of the observations of an exchange `e`. `further`: there are rows that are further
 * observations; without any, the exchange's own row is all there is. `fromUs`, `toUs`: between which the exchanges
 * began, null: not known; observations are looked for in that span only, wider by what clocks may differ.
 */
export function addObserved(
  conditions: Conditions,
  observed: readonly ObservedSql[],
  further: boolean,
  fromUs: number | null,
  toUs: number | null,
): void {
  for (const { text, parameters } of observed) {
    if (!further) conditions.add(text, ...parameters);
    else {
      const when = observationTimes(fromUs, toUs);
      conditions.add(
        `e.id IN (SELECT coalesce(e.of_id, e.id) FROM store.exchange_rows e WHERE ${text} AND ${when})`,
        ...parameters,
      );
    }
  }
}

/** When observations of exchanges can have begun that began between these times; null: not known. */
export function observationTimes(fromUs: number | null, toUs: number | null): string {
  const times = [
    ...(fromUs === null ? [] : [`e.started_us >= ${fromUs - STORE_LIMITS.apartUs}`]),
    ...(toUs === null ? [] : [`e.started_us <= ${toUs + STORE_LIMITS.apartUs}`]),
  ];
  return times.length === 0 ? 'true' : times.join(' AND ');
}
