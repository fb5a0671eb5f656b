import { hostname } from 'node:os';
import { checkName, type Identity } from '../../agent/identity.ts';
import { EXIT, UserError } from '../../model/errors.ts';
import type { ReadingFlags } from '../reading.ts';
import type { ServerFlags } from './server-flags.ts';

/** Options of `wirelens upload` as the command line gives them. */
export interface UploadFlags extends ReadingFlags, ServerFlags {
  readonly agentName?: string;
  readonly node?: string;
  readonly pod?: string;
  readonly namespace?: string;
  /** ns */
  readonly retryFor?: number;
  readonly dryRun?: boolean;
}

/** For so long a server that is away is tried again, unless told otherwise. */
export const RETRY_FOR_MS = 5 * 60_000;

/** Who the exchanges are from. @throws UserError for a name that no server takes */
export function identityOf({ agentName, node, pod, namespace }: UploadFlags): Identity {
  const { env } = process;
  const pick = (option: string, ...values: (string | undefined)[]): string | null => {
    const value = values.find((one) => one !== undefined && one !== '');
    return value === undefined ? null : checkName(value, option);
  };
  return {
    agent: checkName(agentName ?? `upload:${hostname()}`, '--agent-name'),
    node: pick('--node', node, env.WIRELENS_NODE, env.NODE_NAME),
    pod: pick('--pod', pod, env.WIRELENS_POD, env.POD_NAME),
    namespace: pick('--namespace', namespace, env.WIRELENS_NAMESPACE, env.POD_NAMESPACE),
  };
}

/** @throws UserError (usage) */
export function checkNamed(named: readonly string[]): void {
  const wrong = (message: string, hint: string): UserError =>
    new UserError('usage', message, { hint, exitCode: EXIT.usage });
  if (named.length === 0)
    throw wrong('no file is named', 'name captures or SQLite files, or - for a capture on standard input');
  if (named.filter((path) => path === '-').length > 1)
    throw wrong('standard input can be read only once', 'give - once');
  if (named.includes('-') && process.stdin.isTTY)
    throw wrong('standard input is a terminal', 'pipe a capture into it');
}
