import { InvalidArgumentError } from 'commander';
import { nearest } from '../../filter/suggestion.ts';
import { EXIT, UserError } from '../../model/errors.ts';
import { AGENT_OPTIONS, type AgentOption, environmentName } from './agent-options.ts';
import type { FileValue } from './config-file.ts';

/** A setting as a user writes it. */
export type Words = string | readonly string[] | boolean;

/** A setting and where it comes from. */
export interface Setting {
  readonly option: AgentOption;
  /** undefined: not set. */
  readonly words: Words | undefined;
  /** `--port`, `environment WIRELENS_PORT`, `agent.yaml line 3`, `default`. */
  readonly source: string;
}

export type Settings = ReadonlyMap<string, Setting>;
export type Environment = Readonly<Record<string, string | undefined>>;

export interface Layers {
  /** By camel-case name, as commander gives them. */
  readonly flags: Readonly<Record<string, unknown>>;
  readonly env: Environment;
  /** By name; what the file of --config says. */
  readonly file: ReadonlyMap<string, FileValue>;
}

/**
 * Puts the layers together: options over WIRELENS_ variables over the file over the downward API over defaults. Values
 * are checked, wherever they come from.
 *
 * @throws UserError that names the place of the value
 */
export function effectiveSettings(layers: Layers): Settings {
  return new Map(
    AGENT_OPTIONS.map((option) => {
      const setting = settingOf(option, layers);
      checkSetting(setting);
      return [option.name, setting];
    }),
  );
}

function settingOf(option: AgentOption, { flags, env, file }: Layers): Setting {
  const given = option.secret === true ? undefined : flags[camelCase(option.name)];
  // A negatable option is true when nobody said anything.
  const isSaid = given !== undefined && !(option.kind === 'flag' && given === option.fallback);
  if (isSaid)
    return {
      option,
      words: given as Words,
      source: given === false ? `--no-${option.name}` : `--${option.name}`,
    };
  const variable = environmentName(option);
  const text = env[variable];
  if (text !== undefined && text.trim() !== '' && !isServiceLink(variable, text))
    return { option, words: wordsOf(option, text, variable), source: `environment ${variable}` };
  const inFile = file.get(option.name);
  if (inFile !== undefined) return { option, words: inFile.words, source: inFile.source };
  const downward = option.downward === undefined ? undefined : env[option.downward];
  if (downward !== undefined && downward.trim() !== '')
    return { option, words: downward, source: `environment ${option.downward}` };
  if (option.fallback === undefined) return { option, words: undefined, source: 'not set' };
  const fallback = option.kind === 'list' ? [String(option.fallback)] : option.fallback;
  return { option, words: fallback, source: 'default' };
}

function wordsOf({ kind }: AgentOption, text: string, variable: string): Words {
  if (kind === 'list') return [text];
  if (kind === 'text') return text;
  const lower = text.trim().toLowerCase();
  if (['true', 'yes', '1', 'on'].includes(lower)) return true;
  if (['false', 'no', '0', 'off'].includes(lower)) return false;
  throw usage(`${variable} is '${text}'`, 'write true or false');
}

/** Checks each value of a setting. The value of a secret is never repeated. */
function checkSetting({ option, words, source }: Setting): void {
  if (words === undefined || typeof words === 'boolean') return;
  for (const text of typeof words === 'string' ? [words] : words) {
    const shown = option.secret === true ? 'the value' : `'${text.slice(0, 100)}'`;
    const { choices } = option;
    if (choices !== undefined && !choices.includes(text)) {
      const meant = nearest(text, choices);
      throw usage(
        `${source}: ${option.name} cannot be ${shown}`,
        meant === undefined ? `it is one of ${choices.join(', ')}` : `did you mean ${meant}?`,
      );
    }
    try {
      option.check?.(text);
    } catch (error) {
      if (!(error instanceof InvalidArgumentError)) throw error;
      throw usage(`${source}: ${option.name} cannot be ${shown}. ${error.message.replace(/\.$/, '')}`);
    }
  }
}

/** Kubernetes sets WIRELENS_PORT=tcp://10.0.0.1:80 in every pod next to a service of the name `wirelens`. */
function isServiceLink(variable: string, text: string): boolean {
  return variable.endsWith('_PORT') && /^(tcp|udp|sctp):\/\//.test(text);
}

/** Variables that Kubernetes makes of services. */
const SERVICE_VARIABLE =
  /_(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|PORT|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)$/;
/** Of other commands, and of the file itself. */
const OTHER_VARIABLES: ReadonlySet<string> = new Set([
  'WIRELENS_CONFIG',
  'WIRELENS_AGENT_TOKEN',
  'WIRELENS_READER_TOKEN',
  'WIRELENS_REDACT_KEY',
]);

/** WIRELENS_ variables that mean nothing to anybody, in sentences. They are no errors: others may set them. */
export function strangeVariables(env: Environment): string[] {
  const known = AGENT_OPTIONS.map(environmentName);
  return Object.keys(env)
    .filter((name) => name.startsWith('WIRELENS_') && !known.includes(name))
    .filter((name) => !OTHER_VARIABLES.has(name) && !SERVICE_VARIABLE.test(name))
    .map((name) => {
      const meant = nearest(name, known);
      return `${name} is not a setting${meant === undefined ? '' : `; did you mean ${meant}?`}`;
    });
}

export function camelCase(name: string): string {
  return name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

function usage(message: string, hint?: string): UserError {
  return new UserError('usage', message, { exitCode: EXIT.usage, ...(hint === undefined ? {} : { hint }) });
}
