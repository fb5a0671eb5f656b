import { isIP } from 'node:net';
import { EXIT, UserError } from './errors.ts';

/** Where a server listens. */
export interface ListenAddress {
  /** An address or a name; IPv6 without brackets. */
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
}

const FORM = /^(?:\[([0-9a-fA-F:.%]+)\]|([^:[\]]*)):(\d{1,5})$/;
const NAME = /^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/;

/**
 * `127.0.0.1:8080`, `[::1]:8080`, `localhost:0`; `:8080` is every address.
 *
 * @throws UserError `listen-address`, exit code 2
 */
export function parseListenAddress(text: string): ListenAddress {
  const match = FORM.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  const wellFormed =
    host !== undefined &&
    port <= 65_535 &&
    (match?.[1] !== undefined ? isIP(host) === 6 : host === '' || isIP(host) === 4 || isName(host));
  if (wellFormed) return { host: host === '' ? '::' : host, port };
  throw new UserError('listen-address', `'${text}' is not an address to listen on`, {
    hint: 'write HOST:PORT, as 127.0.0.1:8080, [::1]:8080 or 0.0.0.0:8080',
    exitCode: EXIT.usage,
  });
}

/** A name that looks like an IPv4 address with a mistake is none. */
function isName(host: string): boolean {
  return NAME.test(host) && !/^[\d.]+$/.test(host);
}

/** Only this machine can reach it. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

/** `[::1]:8080` */
export function listenText({ host, port }: ListenAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
