import { isSeq, type Node } from 'yaml';
import { FIELD_NAMES, type Field, findField } from '../filter/fields.ts';
import { type Filter, parseFilter } from '../filter/filter.ts';
import { suggestField } from '../filter/suggestion.ts';
import { EXIT, UserError } from '../model/errors.ts';
import { parseExpectation } from './expectation-parser.ts';
import type { AssertLimits } from './limits.ts';
import type { Demand, Rule } from './rule.ts';
import { YamlText } from './yaml-text.ts';

const TOP_KEYS = ['version', 'rules'];
const RULE_KEYS = ['name', 'where', 'none', 'all', 'expect', 'by', 'severity', 'min_count', 'min_group', 'allow_empty']; // biome-ignore format: a list
const NAME_CHARACTERS = 500;
const GROUP_FIELDS = 10;

/**
 * Reads a file of rules; docs/assert.md describes it. Bounded by `limits`; aliases are followed, never multiplied.
 *
 * @param path for messages
 * @throws UserError with line and column, exit code 2
 */
export function parseRules(text: string, path: string, limits: AssertLimits): readonly Rule[] {
  return new RulesFile(text, path, limits).rules();
}

class RulesFile {
  readonly #yaml: YamlText;
  readonly #limits: AssertLimits;

  constructor(text: string, path: string, limits: AssertLimits) {
    this.#limits = limits;
    if (Buffer.byteLength(text) > limits.fileBytes) {
      throw new UserError('rules', `the file is larger than ${limits.fileBytes} bytes`, {
        place: { file: path },
        hint: 'divide it into several',
        exitCode: EXIT.usage,
      });
    }
    this.#yaml = new YamlText(text, path);
  }

  rules(): readonly Rule[] {
    const root = this.#yaml.root;
    if (root === null)
      throw this.#yaml.mistake(null, 'the file is empty', 'it begins with version: 1 and rules:');
    const top = this.#yaml.map(root, 'the file', TOP_KEYS);
    const version = top.get('version');
    if (version === undefined)
      throw this.#yaml.mistake(root, 'version is missing', 'begin the file with version: 1');
    if (this.#yaml.value(version) !== 1)
      throw this.#yaml.mistake(version, 'this version of rules is not known', 'write version: 1');
    const given = top.get('rules');
    const list = given === undefined ? undefined : this.#yaml.resolved(given);
    if (list === undefined) throw this.#yaml.mistake(root, 'rules are missing', 'add a list called rules:');
    if (!isSeq(list) || list.items.length === 0)
      throw this.#yaml.mistake(list, 'rules is no list of rules', 'begin each rule with "- name: …"');
    if (list.items.length > this.#limits.rules)
      throw this.#yaml.mistake(
        list,
        `more than ${this.#limits.rules} rules`,
        'divide them into several files',
      );
    const rules = list.items.map((item, index) => this.#rule(item as Node, index + 1));
    const names = new Map<string, number>();
    for (const { name, line } of rules) {
      const before = names.get(name);
      if (before !== undefined)
        throw this.#yaml.mistakeAtLine(
          line,
          `a second rule called ${JSON.stringify(name)}, the first is in line ${before}`,
          'give it another name',
        );
      names.set(name, line);
    }
    return rules;
  }

  #rule(node: Node, number: number): Rule {
    const parts = this.#yaml.map(node, `rule ${number}`, RULE_KEYS);
    const nameNode = parts.get('name');
    const name = nameNode === undefined ? `rule ${number}` : this.#yaml.textOf(nameNode, 'name').trim();
    if (name === '' || name.length > NAME_CHARACTERS)
      throw this.#yaml.mistake(nameNode ?? node, `a name has 1 to ${NAME_CHARACTERS} characters`);
    const demand = this.#demand(node, parts);
    const by = this.#by(parts.get('by'));
    if (by.length > 0 && demand.kind !== 'expect')
      throw this.#yaml.mistake(
        parts.get('by') ?? node,
        'by belongs to expect',
        `${demand.kind} is about every single exchange`,
      );
    const minGroup = this.#count(parts.get('min_group'), 'min_group', 1);
    if (parts.has('min_group') && by.length === 0)
      throw this.#yaml.mistake(
        parts.get('min_group') ?? node,
        'min_group needs groups',
        'add by, or take min_count',
      );
    const where = parts.get('where');
    return {
      name,
      line: this.#yaml.lineOf(node),
      severity: this.#severity(parts.get('severity')),
      where: where === undefined ? null : this.#filter(where),
      by,
      demand,
      minCount: this.#minCount(parts, demand, by),
      minGroup,
    };
  }

  #demand(node: Node, parts: ReadonlyMap<string, Node>): Demand {
    const kinds = (['none', 'all', 'expect'] as const).filter((kind) => parts.has(kind));
    const [kind] = kinds;
    if (kind === undefined)
      throw this.#yaml.mistake(node, 'the rule demands nothing', 'add none, all or expect');
    const at = parts.get(kind) as Node;
    if (kinds.length > 1)
      throw this.#yaml.mistake(
        parts.get(kinds[1]) as Node,
        `the rule has ${kinds.join(' and ')}`,
        'make two rules of it',
      );
    if (kind !== 'expect') return { kind, filter: this.#filter(at) };
    return { kind, expectation: this.#yaml.expression(at, (text) => parseExpectation(text, this.#limits)) };
  }

  /** Selecting nothing fails a rule, unless it says that it may, or asks for the count itself. */
  #minCount(parts: ReadonlyMap<string, Node>, demand: Demand, by: readonly Field[]): number {
    const allowEmpty = parts.get('allow_empty');
    const minCount = parts.get('min_count');
    const allowed = allowEmpty === undefined ? null : this.#yaml.value(allowEmpty);
    if (allowEmpty !== undefined && typeof allowed !== 'boolean')
      throw this.#yaml.mistake(allowEmpty, 'allow_empty is true or false');
    if (minCount !== undefined) {
      const count = this.#count(minCount, 'min_count', 0);
      if (allowed === true && count > 0)
        throw this.#yaml.mistake(
          minCount,
          `min_count: ${count} contradicts allow_empty: true`,
          'keep one of them',
        );
      return count;
    }
    const asksForCount =
      demand.kind === 'expect' &&
      by.length === 0 &&
      demand.expectation.measures.some(({ kind, text }) => kind === 'count' && text === 'count');
    return allowed === true || (allowed === null && asksForCount) ? 0 : 1;
  }

  #by(node: Node | undefined): readonly Field[] {
    if (node === undefined) return [];
    const resolved = this.#yaml.resolved(node);
    const nodes = isSeq(resolved) ? (resolved.items as Node[]) : [resolved];
    if (nodes.length === 0 || nodes.length > GROUP_FIELDS)
      throw this.#yaml.mistake(node, `by takes 1 to ${GROUP_FIELDS} fields`);
    return nodes.map((one) => {
      const name = this.#yaml.textOf(one, 'by').trim();
      const field = findField(name);
      if (field === undefined) {
        const meant = suggestField(name, FIELD_NAMES);
        throw this.#yaml.mistake(
          one,
          `there is no field ${name}`,
          meant === undefined ? 'wirelens fields lists them' : `did you mean ${meant}?`,
        );
      }
      if (!field.groupable) throw this.#yaml.mistake(one, `${name} has too many values to group by`);
      return field;
    });
  }

  #severity(node: Node | undefined): Rule['severity'] {
    if (node === undefined) return 'error';
    const value = this.#yaml.value(node);
    if (value === 'error' || value === 'warning') return value;
    throw this.#yaml.mistake(node, 'severity is error or warning');
  }

  #count(node: Node | undefined, name: string, otherwise: number): number {
    if (node === undefined) return otherwise;
    const value = this.#yaml.value(node);
    if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 1e15) return value;
    throw this.#yaml.mistake(node, `${name} is a whole number from 0`);
  }

  #filter(node: Node): Filter {
    return this.#yaml.expression(node, parseFilter);
  }
}
