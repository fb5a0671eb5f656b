import type { Endpoint, RequestMessage } from '../../model/exchange.ts';

/** Host field: a name or an address, IPv6 in brackets, with or without a port (RFC 9110 §7.2, RFC 3986 §3.2). */
const AUTHORITY = /^(?:\[[0-9a-f:.]+\]|[a-z0-9._~!$&'()*+,;=%-]+)(?::\d{0,5})?$/i;
const ABSOLUTE = /^([a-z][a-z0-9+.-]*:\/\/)([^/?#]*)/i;
/** All but what a path and query may hold (RFC 3986 §3.3, §3.4); a `%` that encodes nothing is one of them. */
const TO_ENCODE = /[^A-Za-z0-9._~:/?@!$&'()*+,;=%-]|%(?![0-9A-Fa-f]{2})/gu;
const HTTP_PORT = 80;
/** What a reader takes for the place of a lone surrogate. */
const REPLACEMENT = '%EF%BF%BD';

function encode(character: string): string {
  if (/^[\ud800-\udfff]$/.test(character)) return REPLACEMENT;
  const code = character.charCodeAt(0);
  return code < 0x80 ? `%${code.toString(16).toUpperCase().padStart(2, '0')}` : encodeURIComponent(character);
}

function encoded(text: string): string {
  return text.replace(TO_ENCODE, encode);
}

function readable(url: string): boolean {
  return URL.canParse(url);
}

/** `10.0.0.2`, `10.0.0.2:8080`, `[2001:db8::1]:8080`: the server where nobody named it. */
function serverAuthority({ address, port }: Endpoint): string {
  const host = address.includes(':') ? `[${address}]` : address;
  return port === HTTP_PORT ? host : `${host}:${port}`;
}

/**
 * The absolute URL that was asked for (RFC 9112 §3.3), one that RFC 3986 allows and that browsers can read, whatever
 * the bytes were. Scheme http unless the target has one. Characters that a URL cannot hold are percent-encoded; a
 * Host that cannot be one gives way to the server's address. The target as sent is kept beside it, see HarEntry.
 */
export function absoluteUrl({ method, target, host }: RequestMessage, server: Endpoint): string {
  const absolute = ABSOLUTE.exec(target);
  if (absolute !== null) {
    const [start, scheme, authority] = absolute;
    // User information is a credential, and no part of what was asked for.
    const url = `${scheme}${authority.slice(authority.lastIndexOf('@') + 1)}${encoded(target.slice(start.length))}`;
    if (AUTHORITY.test(url.slice(scheme.length).split(/[/?]/, 1)[0]) && readable(url)) return url;
  }
  // RFC 9110 §9.3.6: the target of CONNECT is host and port alone.
  const named = method === 'CONNECT' && AUTHORITY.test(target) ? target : host;
  const authority =
    named !== null && AUTHORITY.test(named) && readable(`http://${named}/`) ? named : serverAuthority(server);
  if (method === 'CONNECT' || target === '*') return `http://${authority}`;
  const path = encoded(target.startsWith('/') ? target : `/${target}`);
  const url = `http://${authority}${path}`;
  return readable(url) ? url : `http://${serverAuthority(server)}${path}`;
}

export interface NameValue {
  readonly name: string;
  readonly value: string;
}

function decoded(text: string): string {
  const spaced = text.replaceAll('+', ' ');
  try {
    return decodeURIComponent(spaced);
  } catch {
    return spaced;
  }
}

/** The parameters of a target's query, decoded; in the order sent, also repeated ones. */
export function queryOf(target: string): NameValue[] {
  const start = target.indexOf('?');
  if (start < 0) return [];
  const end = target.indexOf('#', start);
  const query = target.slice(start + 1, end < 0 ? undefined : end);
  const pairs: NameValue[] = [];
  for (const part of query.split('&')) {
    if (part === '') continue;
    const equals = part.indexOf('=');
    pairs.push({
      name: decoded(equals < 0 ? part : part.slice(0, equals)),
      value: equals < 0 ? '' : decoded(part.slice(equals + 1)),
    });
  }
  return pairs;
}
