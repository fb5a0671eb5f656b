import { MASK } from '../model/secrets.ts';

/** Query parameters whose values are credentials, by lower-case name without separators. */
const SECRET_NAMES = new Set([
  'accesskey', 'accesstoken', 'apikey', 'apitoken', 'auth', 'authorization', 'authtoken', 'awsaccesskeyid',
  'bearer', 'clientsecret', 'credential', 'credentials', 'idtoken', 'jwt', 'passphrase', 'passwd', 'password',
  'privatekey', 'pwd', 'refreshtoken', 'secret', 'secretkey', 'sessionid', 'sessiontoken', 'sig', 'signature',
  'token', 'xamzcredential', 'xamzsecuritytoken', 'xamzsignature', 'xgoogcredential', 'xgoogsignature',
]); // biome-ignore format: a word list

/**
 * The request target with credentials masked: values of query parameters that are named like one, and user
 * information in an absolute target. Everything else stays as sent.
 */
export function redactTarget(target: string): string {
  let hasUserInfo = false;
  let query = -1;
  for (let at = 0; at < target.length; at += 1) {
    const code = target.charCodeAt(at);
    if (code === QUESTION_MARK) {
      query = at;
      break;
    }
    if (code === AT_SIGN) hasUserInfo = true;
  }
  if (!hasUserInfo && (query < 0 || !mayHoldSecret(target, query + 1))) return target;
  const path = query < 0 ? target : target.slice(0, query);
  const shownPath = hasUserInfo ? redactUserInfo(path) : path;
  return query < 0 ? shownPath : `${shownPath}?${redactQuery(target.slice(query + 1))}`;
}

const QUESTION_MARK = 63;
const AT_SIGN = 64;
/** First letter and length of the secret names, for a quick look. */
const LOOKS = new Uint8Array(128 * 32);
for (const name of SECRET_NAMES) LOOKS[name.charCodeAt(0) * 32 + name.length] = 1;

/** A quick look without making strings: some parameter has the first letter and length of a secret name. */
function mayHoldSecret(target: string, start: number): boolean {
  let nameStart = start;
  let separators = 0;
  for (let at = start; at < target.length; at += 1) {
    const code = target.charCodeAt(at);
    if (code === 38 || code === 59) {
      nameStart = at + 1;
      separators = 0;
    } else if (code === 45 || code === 46 || code === 95) separators += 1;
    else if (code === 37 || code === 91) return true;
    else if (code === 61) {
      const first = target.charCodeAt(nameStart) | 0x20;
      const length = at - nameStart - separators;
      if (first < 128 && length < 32 && LOOKS[first * 32 + length] === 1) return true;
    }
  }
  return false;
}

function redactQuery(query: string): string {
  const parts = query.split(/([&;])/);
  for (let index = 0; index < parts.length; index += 2) {
    const part = parts[index];
    const equals = part.indexOf('=');
    if (equals <= 0 || equals === part.length - 1) continue;
    const name = part
      .slice(0, equals)
      .toLowerCase()
      .replace(/[-_.[\]]|%5[bd]/g, '');
    if (SECRET_NAMES.has(name)) parts[index] = `${part.slice(0, equals + 1)}${MASK}`;
  }
  return parts.join('');
}

function redactUserInfo(target: string): string {
  const scheme = /^[a-z][a-z0-9+.-]*:\/\//i.exec(target);
  if (scheme === null) return target;
  const start = scheme[0].length;
  const rest = target.slice(start);
  const end = rest.search(/[/?#]/);
  const authority = end < 0 ? rest : rest.slice(0, end);
  const at = authority.lastIndexOf('@');
  return at < 0 ? target : `${target.slice(0, start)}${MASK}@${rest.slice(at + 1)}`;
}
