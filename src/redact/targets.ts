import type { RedactionRules } from './rules.ts';
import { isName, isPlainSegment, isSecretName } from './words.ts';

const SCHEME = /^([a-z][a-z0-9+.-]{0,15}):\/\//i;
const KNOWN_SCHEMES = new Set(['http', 'https', 'ws', 'wss', 'ftp', 'file', 'icap']);
/** Endings of file names. */
const EXTENSION = /\.([A-Za-z]{1,4}|[A-Za-z]{1,3}\d|html|jpeg|woff2?)$/;
/** What Wirelens itself puts in place of secrets. */
const MASKED_BEFORE = 'REDACTED';
/** Values so short, or so usual, that they tell nothing. */
const TELLS_NOTHING = /^(?:\d{1,2}|true|false|yes|no|on|off|asc|desc|null)$/i;

/** Redacts request targets and other URLs, at equal length. */
export class TargetRedactor {
  readonly #rules: RedactionRules;

  constructor(rules: RedactionRules) {
    this.#rules = rules;
  }

  /** A request target in any of its forms (RFC 9112 §3.2), or a URL reference. White space inside stays. */
  target(text: string): string {
    const space = text.search(/[\s]/);
    if (space >= 0) {
      const rest = text.slice(space).replace(/\S+/g, (piece) => this.#rules.mask(piece));
      return `${this.target(text.slice(0, space))}${rest}`;
    }
    if (text === '*' || text === '') return text;
    const scheme = SCHEME.exec(text);
    if (scheme !== null) return this.#absolute(scheme[0], scheme[1]!, text.slice(scheme[0].length));
    if (text.startsWith('//')) return `//${this.#withAuthority(text.slice(2))}`;
    if (text.startsWith('/') || text.startsWith('?') || text.startsWith('#')) return this.#pathAndMore(text);
    return /^[^/?#@]*(?::\d{1,5})?$/.test(text) ? this.#rules.host(text) : this.#pathAndMore(text);
  }

  /** `a=1&b=2` of a query, a form, or path parameters. */
  parameters(text: string, kind = 'query'): string {
    return text.replace(/[^&;]+/g, (part) => this.#parameter(part, kind));
  }

  #absolute(prefix: string, scheme: string, rest: string): string {
    const shown = KNOWN_SCHEMES.has(scheme.toLowerCase()) ? prefix : `${this.#rules.mask(scheme)}://`;
    return `${shown}${this.#withAuthority(rest)}`;
  }

  #withAuthority(text: string): string {
    const end = text.search(/[/?#]/);
    const authority = end < 0 ? text : text.slice(0, end);
    const rest = end < 0 ? '' : this.#pathAndMore(text.slice(end));
    const at = authority.lastIndexOf('@');
    if (at < 0) return `${this.#host(authority)}${rest}`;
    this.#rules.replaced.add('user information');
    const user = authority
      .slice(0, at)
      .replace(/[^:]+/g, (piece) => (piece === MASKED_BEFORE ? piece : this.#rules.maskSecret(piece)));
    return `${user}@${this.#host(authority.slice(at + 1))}${rest}`;
  }

  #host(text: string): string {
    const masked = this.#rules.host(text);
    if (masked !== text) this.#rules.replaced.add('hosts');
    return masked;
  }

  #pathAndMore(text: string): string {
    const hash = text.indexOf('#');
    const beforeHash = hash < 0 ? text : text.slice(0, hash);
    const fragment = hash < 0 ? '' : `#${this.#rules.free(text.slice(hash + 1), true)}`;
    const query = beforeHash.indexOf('?');
    const path = query < 0 ? beforeHash : beforeHash.slice(0, query);
    const shownPath = path.replace(/[^/]+/g, (segment) => this.#segment(segment));
    if (query < 0) return `${shownPath}${fragment}`;
    return `${shownPath}?${this.parameters(beforeHash.slice(query + 1))}${fragment}`;
  }

  #segment(segment: string): string {
    const semicolon = segment.indexOf(';');
    if (semicolon >= 0) {
      const rest = this.parameters(segment.slice(semicolon + 1), 'path parameters');
      return `${this.#segment(segment.slice(0, semicolon))};${rest}`;
    }
    if (segment === '' || segment === '.' || segment === '..') return segment;
    const { choices, secrets, kept, replaced } = this.#rules;
    if (!choices.maskPaths && isPlainSegment(segment) && !secrets.appearsIn(segment)) {
      kept.add('path segments');
      return segment;
    }
    replaced.add('path segments');
    const extension = EXTENSION.exec(segment)?.[0] ?? '';
    // The ending of an address or of a host name is none.
    if (extension === '' || segment.length === extension.length || segment.includes('@'))
      return this.#rules.mask(segment);
    return `${this.#rules.mask(segment.slice(0, -extension.length))}${extension}`;
  }

  #parameter(part: string, kind: string): string {
    const equals = part.indexOf('=');
    if (equals < 0) {
      if (TELLS_NOTHING.test(part)) return part;
      this.#rules.replaced.add(kind, '(without a name)');
      return this.#rules.maskSecret(part);
    }
    const name = part.slice(0, equals);
    const value = part.slice(equals + 1);
    const plainName = name.replace(/%5b|%5d|[[\]]/gi, '-');
    const shownName =
      isName(plainName) && !this.#rules.secrets.appearsIn(plainName) ? name : this.#rules.mask(name);
    const secret = isSecretName(plainName);
    if (value === '' || value === MASKED_BEFORE || (!secret && TELLS_NOTHING.test(value)))
      return `${shownName}=${value}`;
    this.#rules.replaced.add(kind, plainName);
    const masked = secret ? this.#rules.maskSecret(value) : this.#rules.mask(value);
    return `${shownName}=${masked}`;
  }
}
