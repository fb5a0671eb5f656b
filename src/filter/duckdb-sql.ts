import { UserError } from '../model/errors.ts';
import type { Network } from './address.ts';
import { isList, isTextList, type ListSql } from './field.ts';
import { literalTest } from './pattern.ts';
import type { Condition, Instant, Node, Range, TextTest, TimeRange } from './syntax.ts';

/**
 * The back end for a server's database: a condition for DuckDB on a relation with the columns of the view
 * `exchanges`, the JSON columns `anomalies`, `vlans` and `tunnels`, and each address also as two numbers of 64 bits
 * (`client_high`, `client_low`, `server_…`; IPv4 as the mapped IPv6 address; NULL: no address).
 */

/** bigint: BIGINT, number: DOUBLE, string: VARCHAR. */
export type DuckDbParameter = string | number | bigint;

/** The condition, for WHERE, and the values of its `?`, in order. */
export interface FilterDuckDbSql {
  readonly text: string;
  readonly parameters: readonly DuckDbParameter[];
}

/**
 * `exchanges`: name or alias of the relation in the query. `epochSeconds`: what times as `+1s` count from; null: they
 * mean nothing, and are refused with UserError `filter`. Recursion is bounded by the limit on nesting.
 */
export function compileDuckDbSql(
  node: Node,
  exchanges: string,
  epochSeconds: number | null,
): FilterDuckDbSql {
  const writer = new DuckDbWriter(exchanges, epochSeconds);
  return { text: writer.node(node, false), parameters: writer.parameters };
}

const NS_PER_MS = 1e6;
/** A class of characters by property, whose backslash is not itself escaped. */
const UNICODE_CLASS = /(?:^|[^\\])(?:\\\\)*\\[pP]/;

class DuckDbWriter {
  readonly parameters: DuckDbParameter[] = [];
  readonly #view: string;
  readonly #epochSeconds: number | null;

  constructor(view: string, epochSeconds: number | null) {
    this.#view = view;
    this.#epochSeconds = epochSeconds;
  }

  /** Negation is moved down to the conditions, where `IS NOT TRUE` makes an end of NULL; see sql.ts. */
  node(node: Node, negated: boolean): string {
    switch (node.kind) {
      case 'and':
      case 'or': {
        const isAnd = (node.kind === 'and') !== negated;
        return balanced(
          node.parts.map((part) => this.node(part, negated)),
          isAnd ? ' AND ' : ' OR ',
        );
      }
      case 'not':
        return this.node(node.part, !negated);
      default: {
        const sql = this.#condition(node);
        return negated ? `((${sql}) IS NOT TRUE)` : `(${sql})`;
      }
    }
  }

  #condition(condition: Condition): string {
    const { field } = condition;
    const view = this.#view;
    switch (condition.kind) {
      case 'true':
        return duckDb(condition.field, view);
      case 'present':
        if (isList(field)) return this.#some(field.sql, null);
        return field.type === 'number' && field.hasClasses
          ? `${duckDb(field, view)} > 0`
          : `${duckDb(field, view)} IS NOT NULL`;
      case 'ranges':
        if (condition.field.type === 'numbers')
          return this.#some(condition.field.sql, (element) => this.#whole(element, condition.ranges));
        if (condition.field.type === 'duration')
          return this.#durations(duckDb(condition.field, view), condition.ranges);
        return this.#whole(
          duckDb(condition.field, view),
          condition.field.hasClasses ? condition.ranges.map(fromOne) : condition.ranges,
        );
      case 'times':
        return balanced(
          condition.ranges.map((range) => this.#timeRange(range)),
          ' OR ',
        );
      case 'address':
        return balanced(
          condition.networks.map((network) => this.#network(condition.field.name, network)),
          ' OR ',
        );
      case 'text':
        if (isTextList(condition.field))
          return this.#some(condition.field.sql, (element) => this.#text(element, condition.test));
        return this.#text(duckDb(condition.field, view), condition.test);
    }
  }

  /** Some element of a list fulfils the test; without a test, there is one. */
  #some({ duckdb }: ListSql, test: ((element: string) => string) | null): string {
    const parts = duckdb.lists(this.#view).map((list) => {
      this.parameters.push(...(duckdb.parameters ?? []));
      const element = duckdb.element('item');
      const tested = test === null ? `${element} IS NOT NULL` : test(element);
      const guard = duckdb.guard === undefined ? '' : `${duckdb.guard('item')} AND `;
      return `len(list_filter(${list}, lambda item: ${guard}(${tested}))) > 0`;
    });
    return parts.length === 0 ? 'false' : balanced(parts, ' OR ');
  }

  #whole(value: string, ranges: readonly Range[]): string {
    return this.#ranges(value, ranges, (bound) => BigInt(bound));
  }

  #durations(value: string, ranges: readonly Range[]): string {
    return this.#ranges(value, ranges, (bound) => bound / NS_PER_MS);
  }

  #ranges(value: string, ranges: readonly Range[], parameter: (bound: number) => DuckDbParameter): string {
    const points: number[] = [];
    const parts: string[] = [];
    for (const { low, high } of ranges) if (low !== null && low === high) points.push(low);
    if (points.length > 0) {
      for (const point of points) this.parameters.push(parameter(point));
      const marks = points.map(() => '?').join(', ');
      parts.push(points.length === 1 ? `${value} = ?` : `${value} IN (${marks})`);
    }
    for (const { low, high } of ranges) {
      if (low !== null && low === high) continue;
      if (low !== null) this.parameters.push(parameter(low));
      if (high !== null) this.parameters.push(parameter(high));
      if (low === null) parts.push(`${value} <= ?`);
      else parts.push(high === null ? `${value} >= ?` : `${value} BETWEEN ? AND ?`);
    }
    return balanced(parts, ' OR ');
  }

  /** The first comparison alone is what row groups are skipped by. */
  #timeRange({ low, high }: TimeRange): string {
    const [us, ns] = [`${this.#view}.started_us`, `${this.#view}.started_ns`];
    const parts: string[] = [];
    if (low !== null) {
      const instant = this.#instant(low);
      this.parameters.push(instant.us, instant.us, instant.ns);
      parts.push(`${us} >= ? AND (${us} > ? OR ${ns} >= ?)`);
    }
    if (high !== null) {
      const instant = this.#instant(high);
      this.parameters.push(instant.us, instant.us, instant.ns);
      parts.push(`${us} <= ? AND (${us} < ? OR ${ns} <= ?)`);
    }
    return `(${parts.join(' AND ')})`;
  }

  #instant({ relative, seconds, ns }: Instant): { us: bigint; ns: bigint } {
    if (relative && this.#epochSeconds === null) {
      throw new UserError(
        'filter',
        'a time as +1s counts from the begin of a capture, and a server has none',
        {
          hint: 'write a date, as time >= 2026-11-21T10:00:00Z',
          exitCode: 2,
        },
      );
    }
    const since = relative ? (this.#epochSeconds ?? 0) : 0;
    const us = Math.floor(ns / 1000);
    return { us: BigInt(since + seconds) * 1_000_000n + BigInt(us), ns: BigInt(ns - us * 1000) };
  }

  /** Networks as numbers are written into the text: they come from our own parser. */
  #network(column: string, { version, groups, bits }: Network): string {
    const [high, low] = [`${this.#view}.${column}_high`, `${this.#view}.${column}_low`];
    const [highFrom, highTo] = bounds(groups.slice(0, 4), Math.min(64, bits));
    const [lowFrom, lowTo] = bounds(groups.slice(4), Math.max(0, bits - 64));
    const parts = [range(high, highFrom, highTo)];
    if (bits > 64) parts.push(range(low, lowFrom, lowTo));
    // IPv6 networks hold what is written as IPv6, IPv4 networks also what is mapped.
    if (version === 6) parts.push(`contains(${this.#view}.${column}, ':')`);
    return `(${parts.join(' AND ')})`;
  }

  #text(value: string, test: TextTest): string {
    switch (test.kind) {
      case 'equals':
        this.parameters.push(...test.values);
        return test.values.length === 1
          ? `${value} = ?`
          : `${value} IN (${test.values.map(() => '?').join(', ')})`;
      case 'matches': {
        const literal = test.ignoreCase ? null : literalTest(test.pattern);
        if (literal !== null) return this.#part(value, literal.kind, literal.value);
        if (UNICODE_CLASS.test(test.pattern))
          throw new UserError(
            'filter',
            'classes as \\p{L} depend on the version of Unicode, and a server has another one',
            {
              hint: 'write the characters as ranges, as [a-zà-ž]',
              exitCode: 2,
            },
          );
        // In a group, or DuckDB's optimizer makes LIKE of it, and that wrongly of `$a`.
        this.parameters.push(`(${test.pattern})`);
        return `regexp_matches(${value}, ?, '${test.ignoreCase ? 'i' : 'c'}')`;
      }
      default:
        return this.#part(value, test.kind, test.value);
    }
  }

  #part(value: string, kind: keyof typeof PART, part: string): string {
    if (kind !== 'equals' && part === '') return `${value} IS NOT NULL`;
    this.parameters.push(part);
    return PART[kind](value);
  }
}

const PART = {
  equals: (value: string): string => `${value} = ?`,
  contains: (value: string): string => `contains(${value}, ?)`,
  startsWith: (value: string): string => `starts_with(${value}, ?)`,
  endsWith: (value: string): string => `ends_with(${value}, ?)`,
} as const;

/** The field's value there: the SQL of the view serves, but for these. */
function duckDb(field: { readonly name: string; sql(view: string): string }, view: string): string {
  switch (field.name) {
    case 'error':
      return `(${view}.status IS NULL OR ${view}.status BETWEEN 500 AND 599)`;
    case 'query':
      return `CASE WHEN contains(${view}.target, '?') THEN substr(${view}.target, strpos(${view}.target, '?') + 1) END`;
    default:
      return field.sql(view);
  }
}

/** First and last number of 64 bits whose first `bits` bits are those of four groups. */
function bounds(groups: readonly number[], bits: number): [bigint, bigint] {
  const from = groups.reduce((number, group) => (number << 16n) | BigInt(group), 0n);
  return [from, from | ((1n << BigInt(64 - bits)) - 1n)];
}

const LARGEST = (1n << 64n) - 1n;

function range(value: string, from: bigint, to: bigint): string {
  if (from === to) return `${value} = ${from}`;
  return from === 0n && to === LARGEST
    ? `${value} IS NOT NULL`
    : `${value} BETWEEN ${from} AND ${to}::UBIGINT`;
}

/** The view shows 0 where there is no status to compare. */
function fromOne({ low, high }: Range): Range {
  return { low: Math.max(1, low ?? 1), high };
}

/** All parts joined, in parentheses that keep the depth of the tree at the logarithm of their number. */
function balanced(parts: readonly string[], joint: string): string {
  if (parts.length === 1) return parts[0];
  const middle = parts.length >> 1;
  return `(${balanced(parts.slice(0, middle), joint)}${joint}${balanced(parts.slice(middle), joint)})`;
}
