/** Query parameters whose values are credentials, by lower-case name without separators. */
const SECRET_NAMES = new Set([
  'accesskey', 'accesstoken', 'apikey', 'apitoken', 'auth', 'authorization', 'authtoken', 'awsaccesskeyid',
  'bearer', 'clientsecret', 'credential', 'credentials', 'idtoken', 'jwt', 'passphrase', 'passwd', 'password',
  'privatekey', 'pwd', 'refreshtoken', 'secret', 'secretkey', 'sessionid', 'sessiontoken', 'sig', 'signature',
  'token', 'xamzcredential', 'xamzsecuritytoken', 'xamzsignature', 'xgoogcredential', 'xgoogsignature',
]); // biome-ignore format: a word list
const MASK = 'REDACTED';

/**
 * The request target with credentials masked: values of query parameters that are named like one, and user
 * information in an absolute target. Everything else stays as sent.
 */
export function redactTarget(target: string): string {
  const query = target.indexOf('?');
  const masked = target.indexOf('@') < 0 ? target : redactUserInfo(target);
  if (query < 0) return masked;
  const start = masked.indexOf('?') + 1;
  if (start === 0) return masked;
  const parts = masked.slice(start).split(/([&;])/);
  let changed = false;
  for (let index = 0; index < parts.length; index += 2) {
    const part = parts[index];
    const equals = part.indexOf('=');
    if (equals <= 0 || equals === part.length - 1) continue;
    const name = part.slice(0, equals).toLowerCase().replace(/[-_.[\]]|%5[bd]/g, '');
    if (!SECRET_NAMES.has(name)) continue;
    parts[index] = `${part.slice(0, equals + 1)}${MASK}`;
    changed = true;
  }
  return changed ? masked.slice(0, start) + parts.join('') : masked;
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
