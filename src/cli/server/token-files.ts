import { readFileSync } from 'node:fs';
import { EXIT, UserError } from '../../model/errors.ts';
import type { ListenAddress } from '../../model/listen-address.ts';
import { isLoopback, listenText } from '../../model/listen-address.ts';
import { readProblem } from '../../model/read-problem.ts';
import { TokenSet } from '../../server/tokens.ts';

export interface AccessFlags {
  readonly agentTokenFile?: string;
  readonly readerTokenFile?: string;
  readonly insecure?: boolean;
}

export interface AccessTokens {
  readonly agent: TokenSet | null;
  readonly reader: TokenSet | null;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** @throws UserError when a file cannot be read, or holds no token */
export function readTokens(flags: AccessFlags, env: Environment): AccessTokens {
  return {
    agent: tokensOf(flags.agentTokenFile, 'WIRELENS_AGENT_TOKEN', env),
    reader: tokensOf(flags.readerTokenFile, 'WIRELENS_READER_TOKEN', env),
  };
}

function tokensOf(file: string | undefined, variable: string, env: Environment): TokenSet | null {
  if (file !== undefined) return TokenSet.parse(readText(file), file);
  const value = env[variable];
  return value === undefined ? null : TokenSet.parse(value, variable);
}

/** @throws UserError `no-tokens`, exit code 2: others would reach a server that asks for no token */
export function checkAccess(listen: ListenAddress, tokens: AccessTokens, flags: AccessFlags): void {
  if (isLoopback(listen.host) || flags.insecure === true) return;
  const missing = [
    tokens.agent === null ? '--agent-token-file' : null,
    tokens.reader === null ? '--reader-token-file' : null,
  ].filter((flag) => flag !== null);
  if (missing.length === 0) return;
  throw new UserError('no-tokens', `others can reach ${listenText(listen)}, and there are no tokens`, {
    hint: `give ${missing.join(' and ')} (or the variables that --help names), listen on 127.0.0.1, or say --insecure`,
    exitCode: EXIT.usage,
  });
}

const LARGEST_FILE = 1024 * 1024;

function readText(file: string): string {
  return readSmallFile(file).toString('utf8');
}

/** A file of tokens or certificates. @throws UserError `cannot-read` */
export function readSmallFile(file: string): Buffer {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    throw new UserError('cannot-read', `cannot be read: ${readProblem(error)}`, {
      place: { file },
      hint: 'check the path',
      cause: error,
    });
  }
  if (bytes.length > LARGEST_FILE)
    throw new UserError('cannot-read', 'is too large for tokens or a certificate', { place: { file } });
  return bytes;
}
