/** Stands in place of a credential in everything that is shown. */
export const MASK = 'REDACTED';

/** Header fields whose whole value is a credential, but for the scheme (RFC 9110 §11). */
export const CREDENTIAL_FIELDS: ReadonlySet<string> = new Set([
  'authorization',
  'proxy-authorization',
  'www-authenticate',
  'proxy-authenticate',
]);
const COOKIES = /^(cookie|set-cookie2?)$/;
const SECRET = /token|secret|passw|passphrase|key|session|credential|signature|csrf|xsrf|jwt|auth/;
/** Named like secrets, but they are none. */
const HARMLESS = new Set([
  'sec-websocket-key',
  'sec-websocket-accept',
  'idempotency-key',
  'surrogate-key',
  'authority',
  'cache-key',
]);

/** True when the value of the header field, whose name is in lower case, is not to be shown. */
export function isSecretField(name: string): boolean {
  return CREDENTIAL_FIELDS.has(name) || COOKIES.test(name) || (SECRET.test(name) && !HARMLESS.has(name));
}
