import { readFileSync, statSync } from 'node:fs';
import { isSeq, type Node } from 'yaml';
import { YamlText } from '../../assert/yaml-text.ts';
import { UserError } from '../../model/errors.ts';
import { readProblem } from '../../model/read-problem.ts';
import { AGENT_OPTIONS, type AgentOption } from './agent-options.ts';
import type { Words } from './configuration.ts';

export interface FileValue {
  readonly words: Words;
  /** `agent.yaml line 3` */
  readonly source: string;
}

const MOST_BYTES = 1024 * 1024;

/**
 * Reads the file of --config: a YAML map whose keys are the names of the options.
 *
 * @throws UserError with line and column, and with a suggestion for a key that is not known
 */
export function readConfigFile(path: string): ReadonlyMap<string, FileValue> {
  return parseConfig(textOf(path), path);
}

export function parseConfig(text: string, path: string): ReadonlyMap<string, FileValue> {
  const values = new Map<string, FileValue>();
  try {
    const yaml = new YamlText(text, path);
    const { root } = yaml;
    if (root === null || yaml.value(root) === null) return values;
    const names = AGENT_OPTIONS.map(({ name }) => name);
    for (const [name, node] of yaml.map(root, 'the configuration', names)) {
      const option = AGENT_OPTIONS.find((one) => one.name === name) as AgentOption;
      values.set(name, { words: wordsOf(yaml, option, node), source: `${path} line ${yaml.lineOf(node)}` });
    }
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw asConfigError(error);
  }
  return values;
}

function wordsOf(yaml: YamlText, option: AgentOption, node: Node): Words {
  if (option.kind === 'flag') {
    const value = yaml.value(node);
    if (typeof value === 'boolean') return value;
    throw yaml.mistake(node, `${option.name} must be true or false`);
  }
  const resolved = yaml.resolved(node);
  if (!isSeq(resolved)) {
    const text = yaml.textOf(node, option.name);
    return option.kind === 'list' ? [text] : text;
  }
  if (option.kind !== 'list') throw yaml.mistake(node, `${option.name} takes one value, and this is a list`);
  return resolved.items.map((item) => yaml.textOf(item as Node, `each value of ${option.name}`));
}

/** The code of a mistake in a file of rules becomes that of a configuration; the lines of secrets are not shown. */
function asConfigError(error: UserError): UserError {
  const shows = error.excerpt !== null && !/^\s*["']?token\b/.test(error.excerpt.text);
  return new UserError('config', error.message, {
    place: error.place,
    exitCode: error.exitCode,
    ...(error.hint === null ? {} : { hint: error.hint }),
    ...(shows && error.excerpt !== null ? { excerpt: error.excerpt } : {}),
  });
}

function textOf(path: string): string {
  try {
    if (statSync(path).size > MOST_BYTES) throw new Error(`it is larger than ${MOST_BYTES} bytes`);
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new UserError('config', `the configuration cannot be read: ${readProblem(error)}`, {
      place: { file: path },
      hint: 'check the path',
      cause: error,
    });
  }
}
