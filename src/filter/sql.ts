import { isList, isTextList, type ListSql } from './field.ts';
import { type LiteralTest, literalTest } from './pattern.ts';
import type { PatternArgument } from './sql-functions.ts';
import type { Condition, Instant, Node, Range, TextTest, TimeRange } from './syntax.ts';

/** The back end for the SQLite file: a condition on the view `exchanges`, with every value as a parameter. */

/** The condition, for WHERE, and the values of its `?`, in order. Needs the functions of sql-functions.ts. */
export interface FilterSql {
  readonly text: string;
  readonly parameters: readonly (string | number)[];
}

/** `exchanges`: name or alias of the view in the query. Recursion is bounded by the limit on nesting. */
export function compileSql(node: Node, exchanges = 'exchanges'): FilterSql {
  const writer = new SqlWriter(exchanges);
  return { text: writer.node(node, false), parameters: writer.parameters };
}

class SqlWriter {
  readonly parameters: (string | number)[] = [];
  readonly #view: string;

  constructor(view: string) {
    this.#view = view;
  }

  /**
   * SQL's third truth value, NULL, must behave as false. In WHERE, and under AND and OR, it does; so negation is
   * moved down to the conditions, where `IS NOT TRUE` makes an end of it. What is not negated stays plain, so
   * that SQLite can use its indexes.
   */
  node(node: Node, negated: boolean): string {
    switch (node.kind) {
      case 'and':
      case 'or': {
        const isAnd = (node.kind === 'and') !== negated;
        const parts = node.parts.map((part) => this.node(part, negated));
        return balanced(parts, isAnd ? ' AND ' : ' OR ');
      }
      case 'not':
        return this.node(node.part, !negated);
      default: {
        const sql = this.#condition(node);
        return negated ? `(${sql}) IS NOT TRUE` : sql;
      }
    }
  }

  #condition(condition: Condition): string {
    const { field } = condition;
    const view = this.#view;
    switch (condition.kind) {
      case 'true':
        return condition.field.sql(view);
      case 'present':
        if (isList(field)) return this.#exists(field.sql, null);
        if (field.type === 'boolean') return field.sql(view);
        return field.type === 'number' && field.hasClasses
          ? `${field.sql(view)} > 0`
          : `${field.sql(view)} IS NOT NULL`;
      case 'ranges':
        if (condition.field.type === 'numbers')
          return this.#exists(condition.field.sql, (element) => this.#ranges(element, condition.ranges, 1));
        return this.#ranges(
          condition.field.sql(view),
          condition.field.hasClasses ? condition.ranges.map(fromOne) : condition.ranges,
          condition.field.type === 'duration' ? NS_PER_MS : 1,
        );
      case 'times':
        return balanced(
          condition.ranges.map((range) => this.#timeRange(range)),
          ' OR ',
        );
      case 'address': {
        this.parameters.push(condition.networks.map(({ text }) => text).join(' '));
        return `wirelens_in_networks(${condition.field.sql(view)}, ?)`;
      }
      case 'text':
        if (isTextList(condition.field))
          return this.#exists(condition.field.sql, (element) => this.#text(element, condition.test));
        return this.#text(condition.field.sql(view), condition.test);
    }
  }

  /** Some element of a list fulfils the test; without a test, there is one. */
  #exists(list: ListSql, test: ((element: string) => string) | null): string {
    const rows = list.rows(this.#view);
    this.parameters.push(...(list.parameters ?? []));
    return `EXISTS (SELECT 1 FROM ${rows}${test === null ? '' : ` AND (${test(list.element)})`})`;
  }

  #ranges(value: string, ranges: readonly Range[], divisor: number): string {
    const points = ranges.filter(({ low, high }) => low !== null && low === high);
    const parts: string[] = [];
    if (points.length > 0) {
      for (const { low } of points) this.parameters.push((low ?? 0) / divisor);
      const marks = points.map(() => '?').join(', ');
      parts.push(points.length === 1 ? `${value} = ?` : `${value} IN (${marks})`);
    }
    for (const { low, high } of ranges) {
      if (low !== null && low === high) continue;
      if (low !== null) this.parameters.push(low / divisor);
      if (high !== null) this.parameters.push(high / divisor);
      if (low === null) parts.push(`${value} <= ?`);
      else parts.push(high === null ? `${value} >= ?` : `${value} BETWEEN ? AND ?`);
    }
    return balanced(parts, ' OR ');
  }

  #timeRange({ low, high }: TimeRange): string {
    const value = `(${this.#view}.started_us, ${this.#view}.started_ns)`;
    const parts: string[] = [];
    if (low !== null) parts.push(`${value} >= ${this.#instant(low)}`);
    if (high !== null) parts.push(`${value} <= ${this.#instant(high)}`);
    return balanced(parts, ' AND ');
  }

  #instant({ relative, seconds, ns }: Instant): string {
    const us = Math.floor(ns / 1000);
    this.parameters.push(seconds * 1e6 + us, ns - us * 1000);
    const epoch = "(SELECT value * 1000000 FROM meta WHERE name = 'epoch_seconds')";
    return relative ? `(${epoch} + ?, ?)` : '(?, ?)';
  }

  /** In bytes, because SQLite's functions for text stop at a NUL. */
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
        const { pattern, ignoreCase } = test;
        this.parameters.push(JSON.stringify({ pattern, ignoreCase } satisfies PatternArgument));
        // A function gets a text without its byte order mark and only up to its first NUL, but a blob whole.
        return `wirelens_matches(CAST(${value} AS BLOB), ?)`;
      }
      default:
        return this.#part(value, test.kind, test.value);
    }
  }

  #part(value: string, kind: LiteralTest['kind'], part: string): string {
    if (kind !== 'equals' && part === '') return `${value} IS NOT NULL`;
    this.parameters.push(part);
    const bytes = Buffer.byteLength(part);
    switch (kind) {
      case 'equals':
        return `${value} = ?`;
      case 'contains':
        return `instr(CAST(${value} AS BLOB), CAST(? AS BLOB)) > 0`;
      case 'startsWith':
        return `substr(CAST(${value} AS BLOB), 1, ${bytes}) = CAST(? AS BLOB)`;
      case 'endsWith':
        return `substr(CAST(${value} AS BLOB), -${bytes}) = CAST(? AS BLOB)`;
    }
  }
}

const NS_PER_MS = 1e6;

/** The view shows 0 where there is no status to compare. */
function fromOne({ low, high }: Range): Range {
  return { low: Math.max(1, low ?? 1), high };
}

/** All parts joined, in parentheses that keep the depth of SQLite's tree at the logarithm of their number. */
function balanced(parts: readonly string[], joint: string): string {
  if (parts.length === 1) return parts[0];
  const middle = parts.length >> 1;
  return `(${balanced(parts.slice(0, middle), joint)}${joint}${balanced(parts.slice(middle), joint)})`;
}
