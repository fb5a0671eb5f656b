import { sanitise } from '../../report/terminal-text.ts';
import type { Setting, Settings } from './configuration.ts';

const WIDEST = 44;

/**
 * The settings as --config accepts them, each with its source. Secrets are not in it, and what is not set is a
 * comment.
 */
export function printedConfig(settings: Settings): string {
  const lines = [...settings.values()].map((setting) => {
    const line = lineOf(setting);
    return `${line.padEnd(WIDEST)}  # ${sanitise(setting.source)}`;
  });
  return `# What wirelens agent runs with. --config accepts this.\n${lines.join('\n')}\n`;
}

function lineOf({ option, words }: Setting): string {
  if (words === undefined) return `# ${option.name}:`;
  if (option.secret === true) return `# ${option.name}: (hidden)`;
  const shown = typeof words === 'boolean' || typeof words === 'string' ? scalar(words) : listOf(words);
  return `${option.name}: ${shown}`;
}

const listOf = (words: readonly string[]): string => `[${words.map(scalar).join(', ')}]`;

/** Plain where every reader of YAML takes it for a text; else as JSON, which is YAML too. */
const PLAIN = /^[A-Za-z/][A-Za-z0-9._/@-]*$/;
const WORDS_OF_YAML = /^(true|false|yes|no|on|off|null|y|n)$/i;

function scalar(value: string | boolean): string {
  if (typeof value === 'boolean') return String(value);
  if (PLAIN.test(value) && !WORDS_OF_YAML.test(value)) return value;
  // What a terminal could act on is written as an escape, also beyond what JSON demands.
  return JSON.stringify(value).replace(
    /[^\x20-\x7e]/g,
    (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
