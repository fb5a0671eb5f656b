import type { RedactionRules } from './rules.ts';
import type { TargetRedactor } from './targets.ts';
import { isName, isSecretName } from './words.ts';

type Rule =
  | 'words'
  | 'numbers'
  | 'date'
  | 'length'
  | 'codings'
  | 'media'
  | 'host'
  | 'addresses'
  | 'validators'
  | 'target'
  | 'credentials'
  | 'cookie'
  | 'set-cookie';

const FIELDS_BY_RULE: Record<Rule, string> = {
  words:
    'accept accept-charset accept-encoding accept-language accept-ranges access-control-allow-headers access-control-allow-methods access-control-allow-credentials access-control-expose-headers access-control-request-headers access-control-request-method allow connection content-encoding content-language dnt expect keep-alive pragma proxy-connection sec-fetch-dest sec-fetch-mode sec-fetch-site sec-fetch-user sec-websocket-version server te trailer upgrade upgrade-insecure-requests user-agent vary x-cache x-content-type-options x-forwarded-proto x-forwarded-port x-forwarded-scheme x-frame-options x-powered-by x-requested-with x-xss-protection',
  numbers:
    'access-control-max-age age cache-control content-range max-forwards priority range retry-after strict-transport-security',
  date: 'date expires if-modified-since if-unmodified-since last-modified',
  length: 'content-length',
  codings: 'transfer-encoding',
  media: 'content-type',
  host: 'host x-forwarded-host x-forwarded-server x-host',
  addresses:
    'cf-connecting-ip client-ip forwarded true-client-ip via x-client-ip x-cluster-client-ip x-envoy-external-address x-forwarded-for x-original-forwarded-for x-real-ip x-remote-addr x-remote-ip',
  validators: 'etag if-match if-none-match if-range',
  target:
    'access-control-allow-origin content-location destination location origin referer refresh x-original-uri x-original-url x-rewrite-url',
  credentials: 'authorization proxy-authorization www-authenticate proxy-authenticate authentication-info',
  cookie: 'cookie cookie2',
  'set-cookie': 'set-cookie set-cookie2',
};
const RULES = new Map<string, Rule>(
  Object.entries(FIELDS_BY_RULE).flatMap(([rule, names]) =>
    names.split(' ').map((name): [string, Rule] => [name, rule as Rule]),
  ),
);

const HTTP_DATE =
  /^(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*, \d\d[ -](?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[ -]\d{2,4} \d\d:\d\d:\d\d GMT|0|-1)$/;
const CODINGS = new Set([
  'chunked',
  'gzip',
  'x-gzip',
  'deflate',
  'compress',
  'x-compress',
  'identity',
  'br',
  'zstd',
  'trailers',
]);
const AUTH_SCHEMES = new Set(
  'basic bearer digest negotiate ntlm hoba mutual vapid scram-sha-1 scram-sha-256 aws4-hmac-sha256 token apikey hawk gnap privatetoken concealed dpop'.split(
    ' ',
  ),
);
const MEDIA_TYPES = new Set([
  'application',
  'audio',
  'font',
  'image',
  'message',
  'model',
  'multipart',
  'text',
  'video',
]);
/** Attributes of Set-Cookie that are no secret (RFC 6265 §5.2). */
const COOKIE_ATTRIBUTE =
  /^\s*(expires|max-age|domain|path|secure|httponly|samesite|partitioned|priority)\s*(=|$)/i;
/** More digits than any length has. */
const LENGTH_DIGITS = 16;

/** Redacts the value of a header or trailer field, at equal length. */
export class FieldRedactor {
  readonly #rules: RedactionRules;
  readonly #targets: TargetRedactor;

  constructor(rules: RedactionRules, targets: TargetRedactor) {
    this.#rules = rules;
    this.#targets = targets;
  }

  /** `value` as on the wire without the white space around it; `name` in lower case. */
  value(name: string, value: string): string {
    const masked = value === '' ? '' : this.#masked(name, value);
    if (masked.length !== value.length) throw new RangeError('a field changed its length');
    if (masked === value) this.#rules.kept.add('header fields', name);
    else this.#rules.replaced.add('header fields', name);
    return masked;
  }

  #masked(name: string, value: string): string {
    const rules = this.#rules;
    switch (RULES.get(name)) {
      case 'words':
        return rules.words(value);
      case 'numbers':
        return value.replace(/[^\s,;=/()"*-]+/g, (piece) =>
          /^\d{1,12}$/.test(piece) ? piece : rules.words(piece),
        );
      case 'date':
        return HTTP_DATE.test(value) ? value : rules.free(value);
      case 'length':
        return lengths(value);
      case 'codings':
        return value.replace(/[^\s,;]+/g, (coding) =>
          CODINGS.has(coding.toLowerCase()) ? coding : coding.replace(/[^=]/g, 'x'),
        );
      case 'media':
        return this.#media(value);
      case 'host':
        return value.replace(/[^\s,]+/g, (host) => rules.host(host));
      case 'addresses':
        return this.#addresses(value);
      case 'validators':
        // The mark of a weak one (RFC 9110 §8.8.1) stays.
        return value.replace(/[^\s,"]+/g, (piece) => (piece === 'W/' ? piece : rules.mask(piece)));
      case 'target':
        return value === 'null' || value === '*' ? value : this.#targets.target(value);
      case 'credentials':
        return this.#credentials(value);
      case 'cookie':
        return value.replace(/[^;,]+/g, (pair) => this.#pair(pair));
      case 'set-cookie':
        return this.#setCookie(value);
      default:
        return rules.free(value, isSecretName(name));
    }
  }

  #media(value: string): string {
    return value.replace(/[^;,]+/g, (part, at: number) => {
      const equals = part.indexOf('=');
      if (equals >= 0) {
        const name = part.slice(0, equals).trim().toLowerCase();
        if (name === 'boundary') return `${part.slice(0, equals + 1)}${this.#quoted(part.slice(equals + 1))}`;
        return `${this.#words(part.slice(0, equals))}=${this.#words(part.slice(equals + 1))}`;
      }
      if (at > 0 && part.trim() === '') return part;
      return part.replace(/[^\s/]+/g, (piece, place: number) => {
        if (place === part.search(/\S/) && part.includes('/'))
          return MEDIA_TYPES.has(piece.toLowerCase()) ? piece : this.#rules.mask(piece);
        return piece
          .split('+')
          .map((one) => this.#rules.name(one))
          .join('+');
      });
    });
  }

  #words(text: string): string {
    return this.#rules.words(text);
  }

  #quoted(text: string): string {
    return text.replace(/[^\s"]+/g, (piece) => this.#rules.mask(piece));
  }

  /** Addresses and hosts of X-Forwarded-For, Forwarded (RFC 7239) and Via (RFC 9110 §7.6.3). */
  #addresses(value: string): string {
    return value.replace(/[^\s,;="]+/g, (piece) => {
      if (/^(?:for|by|host|proto|https?|unknown|(?:https?\/)?[12]\.[01]|\d)$/i.test(piece)) return piece;
      const bare = this.#rules.addresses.text(piece);
      if (bare !== null) return bare;
      return this.#rules.host(piece);
    });
  }

  #credentials(value: string): string {
    const scheme = /^[A-Za-z0-9-]+(?=\s|$)/.exec(value)?.[0] ?? '';
    if (!AUTH_SCHEMES.has(scheme.toLowerCase())) return this.#secretPieces(value);
    return `${scheme}${this.#secretPieces(value.slice(scheme.length))}`;
  }

  #secretPieces(text: string): string {
    return text.replace(/[^\s,"]+/g, (piece) => {
      const named = /^([A-Za-z][A-Za-z-]{0,30})=(.+)$/.exec(piece);
      if (named !== null && isName(named[1]!) && !/=$/.test(piece))
        return `${this.#rules.name(named[1]!)}=${this.#secret(named[2]!)}`;
      const assigned = /^([A-Za-z][A-Za-z-]{0,30})=$/.exec(piece);
      return assigned !== null && isName(assigned[1]!) ? piece : this.#secret(piece);
    });
  }

  /** A credential; of `user:password` in base64 also the parts are looked for elsewhere. */
  #secret(value: string): string {
    if (/^[A-Za-z0-9+/_-]{8,}={0,2}$/.test(value)) {
      const decoded = Buffer.from(value, 'base64').toString('latin1');
      const colon = decoded.indexOf(':');
      if (colon >= 0 && /^[\x20-\x7e]+$/.test(decoded)) {
        this.#rules.secrets.note(decoded.slice(0, colon));
        this.#rules.secrets.note(decoded.slice(colon + 1));
      }
    }
    return this.#rules.maskSecret(value);
  }

  #setCookie(value: string): string {
    return value.replace(/[^;]+/g, (part, at: number) => {
      const attribute = at === 0 ? null : COOKIE_ATTRIBUTE.exec(part);
      if (attribute === null) return this.#pair(part);
      const equals = part.indexOf('=');
      if (equals < 0) return part;
      const shown = part.slice(0, equals + 1);
      const content = part.slice(equals + 1);
      switch (attribute[1]!.toLowerCase()) {
        case 'domain':
          return `${shown}${content.replace(/[^\s.][^\s]*/, (host) => this.#rules.host(host))}`;
        case 'path':
          return `${shown}${this.#targets.target(content)}`;
        case 'expires':
          return HTTP_DATE.test(content.trim()) ? part : `${shown}${this.#rules.free(content)}`;
        case 'max-age':
          return /^\s*-?\d{1,12}\s*$/.test(content) ? part : `${shown}${this.#rules.free(content)}`;
        default:
          return `${shown}${this.#rules.words(content)}`;
      }
    });
  }

  /** `name=value` of a cookie. */
  #pair(part: string): string {
    const equals = part.indexOf('=');
    const secret = (text: string): string =>
      text.replace(/[^\s"]+/g, (piece) => this.#rules.maskSecret(piece));
    if (equals < 0) return secret(part);
    this.#rules.replaced.add('cookies', part.slice(0, equals).trim());
    const name = part.slice(0, equals).replace(/\S+/g, (piece) => this.#rules.name(piece));
    return `${name}=${secret(part.slice(equals + 1))}`;
  }
}

/** Content-Length: it says where messages end, also where it is wrong, so that is how it stays. */
function lengths(value: string): string {
  return value.replace(/[^\s,]+/g, (piece) => {
    if (/^\d+$/.test(piece)) {
      if (piece.length <= LENGTH_DIGITS) return piece;
      return /^0+\d{0,15}$/.test(piece) ? piece : piece.replace(/\d/g, '9');
    }
    // Other readers may take these for lengths.
    if (/^(?:[+-]\d{1,10}|0x[0-9a-f]{1,8})$/i.test(piece)) return piece;
    return piece.replace(/[^0-9]/g, 'x').replace(/\d/g, '0');
  });
}
