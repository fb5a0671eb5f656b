import {
  GATHERING_AGGREGATES,
  JOINING_FUNCTIONS,
  REPLACING_FUNCTIONS,
  SPLITTING_FUNCTIONS,
  type Tree,
} from './sandbox-words.ts';

/**
 * How many times longer than the longest stored text a text can become, as far as the form of the SQL tells: memory of
 * texts is bounded by nothing else. Never less than what is true, but often more.
 */

/** Constants count one more for so many characters. */
const CONSTANT_CHARACTERS = 256;
/** A text of many rows, under DuckDB's memory limit, counts as so many. */
const GATHERED = 64;
/** An element of a list takes 16 bytes beside its text. */
const SPLIT = 17;

/** `node`: a query node. */
export function textGrowth(node: unknown): number {
  return ofQuery(node);
}

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

function ofQuery(node: unknown): number {
  if (!isTree(node)) return 1;
  let growth = ofCommon(node.cte_map);
  if (node.type === 'SELECT_NODE') {
    growth *= ofRelation(node.from_table) * ofSelect(node);
  } else {
    const sides = [node.left, node.right, node.child, node.query, ...list(node.children)];
    growth *= Math.max(1, ...sides.map(ofQuery));
  }
  return growth;
}

/** One may be made of all others. */
function ofCommon(map: unknown): number {
  if (!isTree(map)) return 1;
  let growth = 1;
  for (const entry of list(map.map)) {
    const value = (entry as Tree).value;
    if (isTree(value)) growth *= ofQuery(isTree(value.query) ? (value.query.node ?? value.query) : null);
  }
  return growth;
}

/** Relations that are joined may be made of each other (LATERAL). */
function ofRelation(relation: unknown): number {
  if (!isTree(relation)) return 1;
  let growth = 1;
  if (isTree(relation.subquery)) growth *= ofQuery(relation.subquery.node ?? relation.subquery);
  if (isTree(relation.query)) growth *= ofQuery(relation.query.node ?? relation.query);
  growth *= ofRelation(relation.left) * ofRelation(relation.right);
  const names = new Names([]);
  const own = [relation.function, relation.condition, ...list(relation.values).flatMap(list)];
  return growth * Math.max(1, ...own.map((one) => names.ofExpression(one)));
}

function ofSelect(node: Tree): number {
  const names = new Names(list(node.select_list));
  let most = 1;
  for (const [key, value] of Object.entries(node)) {
    if (key === 'from_table' || key === 'cte_map') continue;
    most = Math.max(most, names.ofAny(value));
  }
  return most;
}

/** Expressions of one SELECT, where an expression may be used by its alias in others. */
class Names {
  readonly #byAlias = new Map<string, unknown>();
  readonly #known = new Map<unknown, number>();
  readonly #underWay = new Set<unknown>();

  constructor(selected: readonly unknown[]) {
    for (const one of selected) {
      if (isTree(one) && typeof one.alias === 'string' && one.alias !== '')
        this.#byAlias.set(one.alias.toLowerCase(), one);
    }
  }

  ofAny(value: unknown): number {
    if (Array.isArray(value)) return Math.max(1, ...value.map((one) => this.ofAny(one)));
    if (!isTree(value)) return 1;
    if (typeof value.class === 'string') return this.ofExpression(value);
    if (value.type === 'SELECT_NODE' || value.type === 'SET_OPERATION_NODE') return ofQuery(value);
    return Math.max(1, ...Object.values(value).map((one) => this.ofAny(one)));
  }

  ofExpression(node: unknown): number {
    if (!isTree(node)) return 1;
    const known = this.#known.get(node);
    if (known !== undefined) return known;
    // A column that has the name of the alias that is just looked at.
    if (this.#underWay.has(node)) return 1;
    this.#underWay.add(node);
    const growth = this.#compute(node);
    this.#underWay.delete(node);
    this.#known.set(node, growth);
    return growth;
  }

  #compute(node: Tree): number {
    if (node.class === 'CONSTANT') return ofConstant(node);
    if (node.class === 'COLUMN_REF') {
      const name = list(node.column_names).at(-1);
      const aliased = this.#byAlias.get(String(name).toLowerCase());
      return aliased === undefined ? 1 : this.ofExpression(aliased);
    }
    if (node.class === 'SUBQUERY') {
      const inner = isTree(node.subquery) ? (node.subquery.node ?? node.subquery) : null;
      return ofQuery(inner) * Math.max(1, this.ofAny(node.child));
    }
    const parts = Object.entries(node)
      .filter(([key]) => key !== 'cast_type')
      .map(([, value]) => this.ofAny(value));
    const largest = Math.max(1, ...parts);
    const name = String(node.function_name ?? '').toLowerCase();
    const children = list(node.children);
    const sum = (): number => children.reduce<number>((total, one) => total + this.ofAny(one), 0);
    if (JOINING_FUNCTIONS.has(name) || node.type === 'ARRAY_CONSTRUCTOR') return Math.max(largest, sum());
    if (GATHERING_AGGREGATES.has(name)) return Math.max(largest, sum()) * GATHERED;
    if (SPLITTING_FUNCTIONS.has(name)) return largest * SPLIT;
    if (REPLACING_FUNCTIONS.has(name)) return largest * replacement(children[2]);
    // A value of several as text has quotes and commas beside them.
    if (node.class === 'CAST') return largest * ((node.cast_type as Tree).id === 'VARCHAR' ? 2 : 1);
    return largest;
  }
}

/** Each character may be replaced by the whole of it. */
function replacement(node: unknown): number {
  if (!isTree(node)) return 1;
  const text = constantText(node);
  return text === null ? Number.POSITIVE_INFINITY : text.length + 1;
}

function ofConstant(node: Tree): number {
  return 1 + Math.floor((constantText(node)?.length ?? 0) / CONSTANT_CHARACTERS);
}

function constantText(node: Tree): string | null {
  if (node.class !== 'CONSTANT' || !isTree(node.value)) return null;
  const { value } = node.value;
  return typeof value === 'string' ? value : null;
}
