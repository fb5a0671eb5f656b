import { readFileSync } from 'node:fs';
import { ServerClient } from '../../client/server-client.ts';
import { EXIT, UserError } from '../../model/errors.ts';
import { readProblem } from '../../model/read-problem.ts';

/** Options of every command that talks to a server; see addServerOptions. */
export interface ServerFlags {
  readonly server?: string;
  readonly tokenFile?: string;
  readonly tlsCa?: string;
  /** For one answer, ns. */
  readonly timeout?: number;
}

/** Where `wirelens server` listens unless told otherwise. */
export const USUAL_SERVER = 'http://127.0.0.1:8080';
/** More than any token needs. */
const LARGEST_TOKEN_FILE = 64 * 1024;

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * A client of the server that options and environment name: --server, WIRELENS_SERVER, else USUAL_SERVER; the token
 * from --token-file, else WIRELENS_TOKEN, else none.
 *
 * @throws UserError for an address, file or token that cannot be used
 */
export function serverClient(
  flags: ServerFlags,
  version: string,
  env: Environment,
  connections = 2,
): ServerClient {
  const url = flags.server ?? nonEmpty(env.WIRELENS_SERVER) ?? USUAL_SERVER;
  return new ServerClient({
    url,
    token: serverToken(flags, env),
    tlsCa: flags.tlsCa === undefined ? undefined : readNamed(flags.tlsCa, 'the authority for TLS'),
    userAgent: `wirelens/${version}`,
    connections,
    ...(flags.timeout === undefined ? {} : { timeoutMs: flags.timeout / 1e6 }),
  });
}

/** The token to send; null: none was given. Of a file with several the first is sent: the others are older ones. */
export function serverToken({ tokenFile }: ServerFlags, env: Environment): string | null {
  if (tokenFile === undefined) return nonEmpty(env.WIRELENS_TOKEN)?.trim() ?? null;
  const content = readNamed(tokenFile, 'the token');
  const lines = content.length > LARGEST_TOKEN_FILE ? [] : content.toString('utf8').split(/\r?\n/);
  const token = lines.map((line) => line.trim()).find((line) => line !== '' && !line.startsWith('#'));
  if (token !== undefined) return token;
  throw new UserError('bad-token', 'there is no token in it', {
    place: { file: tokenFile },
    hint: 'it is a file with one word in it',
    exitCode: EXIT.usage,
  });
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === undefined || text.trim() === '' ? undefined : text;
}

function readNamed(path: string, what: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new UserError('unreadable', `${what} cannot be read: ${readProblem(error)}`, {
      place: { file: path },
      hint: 'check the path',
      cause: error,
    });
  }
}
