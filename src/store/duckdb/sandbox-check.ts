import { UserError } from '../../model/errors.ts';
import { textGrowth } from './sandbox-growth.ts';
import {
  AGGREGATES,
  CAST_TYPES,
  EXPRESSION_CLASSES,
  GATHERING_AGGREGATES,
  JOINING_FUNCTIONS,
  NODE_TYPES,
  PLAIN_FUNCTIONS,
  REPLACING_FUNCTIONS,
  SPLITTING_FUNCTIONS,
  TABLE_FUNCTIONS,
  type Tree,
  ZONED_CAST_TYPES,
} from './sandbox-words.ts';
import { RELATIONS } from './schema.ts';
import { syntaxMistake } from './sql-mistake.ts';
import { STORE_LIMITS } from './store-limits.ts';

/** Looks through the tree that DuckDB's parser makes of SQL, and refuses whatever is not known to be harmless. */

const SHOWN = new Set(RELATIONS);
const FUNCTIONS: readonly ReadonlySet<string>[] = [
  PLAIN_FUNCTIONS,
  AGGREGATES,
  JOINING_FUNCTIONS,
  GATHERING_AGGREGATES,
  REPLACING_FUNCTIONS,
  SPLITTING_FUNCTIONS,
  TABLE_FUNCTIONS,
];
/** Names that DuckDB gives a meaning, some of them only when they are asked for. */
const RESERVED = /^(?:duckdb|pragma|sqlite|pg)_/;
/** With a number more they make lists of any length. */
const ONE_ARGUMENT = new Set(['min', 'max', 'first', 'last', 'any_value', 'arbitrary']);
const TWO_ARGUMENTS = new Set(['arg_min', 'arg_max', 'argmin', 'argmax', 'min_by', 'max_by']);

export function refused(message: string, hint?: string): UserError {
  return new UserError('sql-refused', message, hint === undefined ? {} : { hint });
}

/**
 * `serialized`: what json_serialize_sql says of `sql`. `takenNames`: relations that DuckDB itself has, which a
 * common table expression must not be called after. Throws UserError `sql-refused` or `sql-wrong`.
 */
export function checkSql(serialized: string, takenNames: ReadonlySet<string>, sql: string): void {
  const tree = JSON.parse(serialized) as Tree;
  if (tree.error === true) {
    if (tree.error_type === 'not implemented')
      throw refused('only SELECT is possible here', 'write one SELECT; relations: DESCRIBE exchanges');
    throw syntaxMistake(String(tree.error_message), sql, positionOf(tree.position));
  }
  const statements = tree.statements;
  if (!Array.isArray(statements) || statements.length !== 1) throw refused('write one statement');
  const common = new Set<string>();
  collectCommon(statements[0], common);
  for (const name of common)
    if (takenNames.has(name) || SHOWN.has(name) || RESERVED.test(name))
      throw refused(`${name} is the name of a relation already`);
  look(statements[0], common);
  const growth = textGrowth((statements[0] as Tree).node);
  if (growth > STORE_LIMITS.sqlTextGrowth)
    throw refused(
      `texts could become ${growth === Number.POSITIVE_INFINITY ? 'any number of' : Math.round(growth)} times as long here, and at most ${STORE_LIMITS.sqlTextGrowth} times is possible`,
      'join fewer texts, or not what was joined before',
    );
}

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function collectCommon(value: unknown, names: Set<string>): void {
  if (Array.isArray(value)) for (const one of value) collectCommon(one, names);
  else if (isTree(value)) {
    const { cte_map: map } = value;
    if (isTree(map) && Array.isArray(map.map))
      for (const entry of map.map) names.add(String((entry as Tree).key).toLowerCase());
    for (const one of Object.values(value)) collectCommon(one, names);
  }
}

function look(value: unknown, common: ReadonlySet<string>): void {
  if (Array.isArray(value)) {
    for (const one of value) look(one, common);
    return;
  }
  if (!isTree(value)) return;
  if (typeof value.class === 'string') lookAtExpression(value);
  if (typeof value.type === 'string' && !NODE_TYPES.has(value.type)) throw unknown(value.type);
  if (value.type === 'BASE_TABLE') lookAtTable(value, common);
  if (value.type === 'SHOW_REF') lookAtShow(value);
  if (value.sample !== undefined && value.sample !== null) throw refused('samples are not possible here');
  for (const [key, one] of Object.entries(value)) {
    // The value of a constant, and the type of a cast, have forms of their own.
    if (key === 'value' && value.class === 'CONSTANT') continue;
    if (key === 'cast_type') continue;
    look(one, common);
  }
}

function lookAtExpression(node: Tree): void {
  if (!EXPRESSION_CLASSES.has(String(node.class))) throw unknown(String(node.class));
  if (node.class === 'CAST') {
    const { id } = node.cast_type as { id?: unknown };
    const name = String(id);
    if (!CAST_TYPES.has(name) && !ZONED_CAST_TYPES.has(name))
      throw refused(`a cast to ${name.slice(0, 40)} is not possible here`);
  }
  if (node.class !== 'FUNCTION' && node.class !== 'WINDOW') return;
  const name = String(node.function_name ?? '').toLowerCase();
  for (const key of ['schema', 'catalog'])
    if (node[key] !== undefined && node[key] !== '' && node[key] !== 'main')
      throw unknownFunction(`${node[key]}.${name}`);
  if (!FUNCTIONS.some((known) => known.has(name))) throw unknownFunction(name);
  const count = Array.isArray(node.children) ? node.children.length : 0;
  if ((ONE_ARGUMENT.has(name) && count > 1) || (TWO_ARGUMENTS.has(name) && count > 2))
    throw refused(`${name} takes fewer arguments here`);
}

function lookAtTable(node: Tree, common: ReadonlySet<string>): void {
  const name = String(node.table_name);
  const schema = String(node.schema_name ?? '');
  const catalog = String(node.catalog_name ?? '');
  const isOwn =
    SHOWN.has(name.toLowerCase()) && (schema === '' || schema.toLowerCase() === 'main') && catalog === '';
  const isCommon = common.has(name.toLowerCase()) && schema === '' && catalog === '';
  if (isOwn || isCommon) return;
  throw refused(
    `there is no relation ${[catalog, schema, name]
      .filter((part) => part !== '')
      .join('.')
      .slice(0, 80)} here`,
    `relations are ${RELATIONS.join(', ')}`,
  );
}

function lookAtShow(node: Tree): void {
  const table = String(node.table_name ?? '')
    .replaceAll('"', '')
    .toLowerCase();
  const isOne =
    node.show_type === 'DESCRIBE' &&
    (node.query !== null && node.query !== undefined ? true : SHOWN.has(table));
  if (!isOne || (table !== '' && !SHOWN.has(table)))
    throw refused('only DESCRIBE of a relation is possible here', `relations are ${RELATIONS.join(', ')}`);
}

/** DuckDB writes it as a text; null: it did not say. */
function positionOf(value: unknown): number | null {
  return typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : null;
}

function unknown(what: string): UserError {
  return refused(`${what.toLowerCase().replaceAll('_', ' ').slice(0, 60)} is not possible here`);
}

function unknownFunction(name: string): UserError {
  return refused(
    `the function ${name.slice(0, 60)} is not possible here`,
    'docs/server-sql.md lists the functions that are',
  );
}
