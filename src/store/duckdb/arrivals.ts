import type { DuckDBConnection } from '@duckdb/node-api';
import { readRows } from './row-reading.ts';
import type { Sql } from './selection-sql.ts';
import { STORE_LIMITS } from './store-limits.ts';

/** From one row id to another, both included. */
export interface IdRange {
  readonly low: number;
  readonly high: number;
}

/**
 * A table `exchange_id, arrival` of the exchanges that arrive with a row of the range: by it each of the `observed`
 * conditions (one or more) is fulfilled by some observation. null: there are none. A row of the range that fulfils
 * none of them brings nothing, so what is looked at is the time around those that do.
 */
export async function arrivalsSql(
  connection: DuckDBConnection,
  observed: readonly Sql[],
  { low, high }: IdRange,
): Promise<Sql | null> {
  const any = `(${observed.map(({ text }) => text).join(' OR ')})`;
  const parameters = observed.flatMap((one) => one.parameters);
  const { rows } = await readRows(
    connection,
    `SELECT min(e.started_us), max(e.started_us) FROM store.exchange_rows e WHERE e.id BETWEEN ${low} AND ${high} AND ${any}`,
    parameters,
  );
  const [oldestUs, newestUs] = rows[0] as (number | null)[];
  if (oldestUs === null || newestUs === null) return null;
  const { apartUs } = STORE_LIMITS;
  const firsts = observed.map((_, index) => `first_${index}`);
  const minima = observed.map(({ text }, index) => `min(e.id) FILTER (WHERE ${text}) AS ${firsts[index]}`);
  const arrival = `greatest(${firsts.join(', ')})`;
  return {
    text: `SELECT exchange_id, ${arrival} AS arrival FROM (
       SELECT coalesce(e.of_id, e.id) AS exchange_id, ${minima.join(', ')} FROM store.exchange_rows e
       WHERE e.started_us BETWEEN ${oldestUs - apartUs} AND ${newestUs + apartUs} AND ${any} GROUP BY 1)
     WHERE ${firsts.map((first) => `${first} IS NOT NULL`).join(' AND ')} AND ${arrival} BETWEEN ${low} AND ${high}`,
    parameters: [...parameters, ...parameters],
  };
}
