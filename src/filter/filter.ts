import type { Exchange } from '../model/exchange.ts';
import type { RunClock } from '../model/packet.ts';
import { compileDuckDbSql, type FilterDuckDbSql } from './duckdb-sql.ts';
import { parse } from './parser.ts';
import { compilePredicate } from './predicate.ts';
import { print } from './print.ts';
import { compileSql, type FilterSql } from './sql.ts';
import { conditionsOf } from './syntax.ts';

/** An expression of the filter language, ready for use. docs/filter.md describes the language. */
export interface Filter {
  /** As given. */
  readonly text: string;
  /** The same in its plainest form; the same for expressions that differ only in how they are written. */
  readonly canonical: string;
  /**
   * Lower-case names of header fields that must have been kept for it, each once. Those with a place of their
   * own in an exchange (host, user-agent, content-type) are not among them.
   */
  readonly headers: readonly string[];
  /** Names of the fields in it, each once. */
  readonly fields: readonly string[];
  /** Whether it holds for an exchange. Never throws. Cost: linear in the expression and the texts compared. */
  matches(exchange: Exchange, clock: RunClock): boolean;
  /**
   * The same as a condition for `SELECT … FROM exchanges WHERE …` on a file that `analyze -o` wrote, with
   * SqlFunctions registered. `exchanges`: the view's alias in the query.
   */
  sql(exchanges?: string): FilterSql;
  /**
   * The same for DuckDB, on a relation with the columns that duckdb-sql.ts names. A pattern that its engine cannot
   * take fails when the query is prepared. `epochSeconds`: what times as `+1s` count from.
   *
   * @throws UserError `filter` for a time as `+1s` when `epochSeconds` is null or left out
   */
  duckdbSql(exchanges?: string, epochSeconds?: number | null): FilterDuckDbSql;
}

/**
 * Reads an expression. Bounded by FILTER_LIMITS; cost at most about a millisecond per hundred characters.
 *
 * @throws UserError `filter`, exit code 2, whose `excerpt` shows the mistake
 */
export function parseFilter(text: string): Filter {
  const node = parse(text);
  const headers = new Set<string>();
  const fields = new Set<string>();
  for (const { field } of conditionsOf(node)) {
    fields.add(field.name);
    if (field.type === 'texts' && field.header !== null) headers.add(field.header);
  }
  return {
    text,
    canonical: print(node),
    headers: [...headers],
    fields: [...fields],
    matches: compilePredicate(node),
    sql: (exchanges) => compileSql(node, exchanges),
    duckdbSql: (exchanges = 'exchanges', epochSeconds = null) =>
      compileDuckDbSql(node, exchanges, epochSeconds),
  };
}
