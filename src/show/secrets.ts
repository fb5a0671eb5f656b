import { CREDENTIAL_FIELDS, isSecretField, MASK } from '../model/secrets.ts';

/** Names of header fields, form fields and JSON members whose values are secrets, without separators. */
const SECRET_NAME =
  /token|secret|passw|passphrase|passwd|^pwd$|apikey|accesskey|privatekey|secretkey|signingkey|encryptionkey|^key$|credential|^auth$|authorization|^authcode$|sessionid|^session$|^sid$|signature|^sig$|^jwt$|^otp$|^pin$|csrf|xsrf|^cvv$|^cvc$|cardnumber/;
/** True when a JSON member or form field of this name holds a secret. */
export function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name.toLowerCase().replace(/[^a-z0-9]/g, ''));
}

/** Masks secrets, or nothing with --reveal. */
export interface Masking {
  readonly reveals: boolean;
  /** A request target, URL or anything else with a query. */
  target(text: string): string;
  /** The value of a header field. `name` in any case. */
  header(name: string, value: string): string;
}

/** `redactTarget` masks user information and the query's secrets. */
export function createMasking(reveals: boolean, redactTarget: (target: string) => string): Masking {
  if (reveals) return { reveals, target: (text) => text, header: (_, value) => value };
  const target = (text: string): string => redactTarget(text);
  return { reveals, target, header: (name, value) => maskedField(name.toLowerCase(), value, target) };
}

function maskedField(name: string, value: string, target: (text: string) => string): string {
  if (name === 'cookie') return value.split(';').map(maskedPair).join(';');
  if (name === 'set-cookie' || name === 'set-cookie2') {
    const [pair, ...attributes] = value.split(';');
    return [maskedPair(pair), ...attributes].join(';');
  }
  if (CREDENTIAL_FIELDS.has(name)) {
    const [scheme, ...rest] = value.trim().split(/\s+/);
    return rest.length === 0 ? MASK : `${scheme} ${MASK}`;
  }
  if (isSecretField(name)) return value === '' ? '' : MASK;
  return /[?@]/.test(value) ? value.split(' ').map(target).join(' ') : value;
}

/** `name=REDACTED`, with the white space around it; a cookie without a name is masked whole. */
function maskedPair(pair: string): string {
  const equals = pair.indexOf('=');
  if (equals < 0) return pair.trim() === '' ? pair : MASK;
  return `${pair.slice(0, equals + 1)}${MASK}`;
}

/** A form (application/x-www-form-urlencoded) with the values of secret fields masked. */
export function maskedForm(text: string): string {
  return text
    .split('&')
    .map((part) => {
      const equals = part.indexOf('=');
      if (equals < 0 || !isSecretName(decoded(part.slice(0, equals)))) return part;
      return `${part.slice(0, equals + 1)}${MASK}`;
    })
    .join('&');
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return text;
  }
}

const JSON_MEMBER = /"((?:[^"\\]|\\.){1,64})"(\s{0,8}:\s{0,8})"(?:[^"\\]|\\.)*"?/g;
const ASSIGNMENT = /([\w.-]{1,64})=([^&\s"'<>;,]+)/g;
const ELEMENT = /<([\w:.-]{1,64})>([^<]+)</g;
const FORM_PART = /(name="([^"\r\n]{1,64})"[^\n]*\n(?:[^\r\n][^\n]*\n){0,8}\r?\n)([^\r\n]+)/g;

/** Text of any kind with what looks like the value of a secret masked: `"name": "…"`, `name=…`, `<name>…<`, form parts. */
export function maskedText(text: string): string {
  return text
    .replace(FORM_PART, (whole, before: string, name: string) => (isSecretName(name) ? before + MASK : whole))
    .replace(JSON_MEMBER, (whole, name: string, colon: string) =>
      isSecretName(name) ? `"${name}"${colon}"${MASK}"` : whole,
    )
    .replace(ASSIGNMENT, (whole, name: string) => (isSecretName(name) ? `${name}=${MASK}` : whole))
    .replace(ELEMENT, (whole, name: string) => (isSecretName(name) ? `<${name}>${MASK}<` : whole));
}
