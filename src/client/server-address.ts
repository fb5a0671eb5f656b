import { EXIT, UserError } from '../model/errors.ts';

/** Where a server is. */
export interface ServerAddress {
  readonly tls: boolean;
  /** Without the brackets of IPv6. */
  readonly host: string;
  readonly port: number;
  /** Path before /api, for servers behind a proxy: empty or beginning with / and not ending with it. */
  readonly prefix: string;
  /** The address as it may be shown: without what could be a secret. */
  readonly text: string;
}

/**
 * Reads the URL of a server: `http://127.0.0.1:8080`, `https://wirelens.example/behind/proxy`.
 *
 * @throws UserError when it is none, or holds a name and password: a token has a place of its own
 */
export function serverAddress(url: string): ServerAddress {
  let parsed: URL | null = null;
  try {
    parsed = new URL(url);
  } catch {
    // Told below.
  }
  if (parsed === null || (parsed.protocol !== 'http:' && parsed.protocol !== 'https:')) {
    const guess = /^[\w.[\]:-]+$/.test(url) && !url.includes('://') ? `write http://${url}` : EXAMPLE;
    throw wrong(`'${url.slice(0, 200)}' is no address of a server`, guess);
  }
  if (parsed.username !== '' || parsed.password !== '')
    throw wrong(
      'the address of the server holds a name or password',
      'the token comes from --token-file or WIRELENS_TOKEN',
    );
  if (parsed.search !== '' || parsed.hash !== '')
    throw wrong('the address of the server ends with a query', 'leave out ? and #, and what comes after');
  const tls = parsed.protocol === 'https:';
  const prefix = parsed.pathname.replace(/\/+$/, '');
  return {
    tls,
    host: parsed.hostname.replace(/^\[|\]$/g, ''),
    port: parsed.port === '' ? (tls ? 443 : 80) : Number(parsed.port),
    prefix,
    text: `${parsed.protocol}//${parsed.host}${prefix}`,
  };
}

const EXAMPLE = 'as http://127.0.0.1:8080';

function wrong(message: string, hint: string): UserError {
  return new UserError('usage', message, { hint, exitCode: EXIT.usage });
}
