/**
 * Which words may stay: those that look like language or like the name of a thing, not like an identifier. Judged
 * by form alone, so a secret that is a plain word is taken for one; see docs/redact.md.
 */

/** A word longer than this is data. */
const LONGEST_WORD = 32;
const LONGEST_NAME = 40;
/** Consonants in a row beyond which letters are no language. */
const CONSONANTS = /[bcdfghjklmnpqrstvwxz]{6}/i;
/** lower, UPPER, Capital or camelCase; an abbreviation may end it. Random letters have other patterns. */
const CASE = /^(?:[A-Z]+|[a-z]*(?:[A-Z][a-z]+)*[A-Z]{0,4})$/;
/** Neighbours that hardly any word has. */
const RARE =
  /q[^u]|[jqvxz][bcdfghjkmnpqtvwxz]|[bcdfghjkpqtvwxz][jqxz]|vv|ww|hh|jj|kk[^a-z]|[^ae]w[^aeiohnsrl]{2}/gi;
const RARE_ALLOWED = 1;
/** Letters after which a word needs vowels to be one. */
const VOWELS_FROM = 7;

/** `checkout`, `userId`, `HTML`; not `xkqzvbn`, `aHVudGVy`. */
export function isWord(text: string): boolean {
  if (text.length > LONGEST_WORD || !CASE.test(text) || text === '') return false;
  if (CONSONANTS.test(text)) return false;
  if (text.length < VOWELS_FROM) return true;
  const vowels = text.match(/[aeiouy]/gi)?.length ?? 0;
  if (vowels * 9 < text.length || vowels * 10 > text.length * 7) return false;
  return (text.match(RARE)?.length ?? 0) <= RARE_ALLOWED;
}

/** Short names in which letters and digits are mixed. */
const KNOWN_NAMES = new Set(
  '100-continue etag xmlhttprequest ipv4 ipv6 oauth2 oauth1 http2 http1 h2c h2 h3 s3 ec2 k8s i18n l10n x86 x64 x86_64 win64 amd64 arm64 i686 x11 base64 sha1 sha256 sha512 md5 utf8 utf-8 utf-16 iso-8859-1 iso-8859-15 windows-1252 us-ascii gb2312 mp3 mp4 h264 woff2 log4j x509 pkcs7 pkcs8 pkcs12 b3 x-b3-traceid x-b3-spanid c14n sec-websocket-key1 sec-websocket-key2'.split(
    ' ',
  ),
);

/** `v1`, `v2.1`, `v1beta1`. */
const VERSION_SEGMENT = /^v\d{1,2}(?:\.\d{1,2}){0,2}(?:(?:alpha|beta)\d?)?$/i;

/** Digits and the first letters alone. */
const HEX = /^(?=.*\d)[0-9a-f]{6,}$/i;

/**
 * Names of fields, parameters, keys and path segments: words joined by `-`, `_` or `.`, and with at most one or two
 * digits at the end of a part.
 */
export function isName(text: string): boolean {
  if (text.length === 0 || text.length > LONGEST_NAME) return false;
  if (KNOWN_NAMES.has(text.toLowerCase()) || VERSION_SEGMENT.test(text)) return true;
  if (!/^[A-Za-z_.~-][A-Za-z0-9_.~-]*$/.test(text) || HEX.test(text)) return false;
  let parts = 0;
  let digits = 0;
  for (const part of text.split(/[-_.~]/)) {
    if (part === '') continue;
    parts += 1;
    const numbered = /^([A-Za-z]*?)(\d{1,2})?$/.exec(part);
    if (numbered === null) return false;
    digits += numbered[2]?.length ?? 0;
    if (numbered[1] !== '' && !isWord(numbered[1]!)) return false;
  }
  return parts > 0 && parts <= 8 && digits <= 3;
}

/** A path segment that may stay: a name without digits, or one that is known with them. */
export function isPlainSegment(text: string): boolean {
  if (/\d/.test(text) && !KNOWN_NAMES.has(text.toLowerCase()) && !VERSION_SEGMENT.test(text)) return false;
  return isName(text);
}

/** `537.36`, `1.25.3`, `0.8`. */
const VERSION = /^\d{1,4}(?:\.\d{1,4}){0,4}$/;

/** A piece of the free text in User-Agent and the like that may stay. */
export function isPlainPiece(text: string): boolean {
  return VERSION.test(text) || isName(text);
}

/** Names of what is secret, however it is written. */
const SECRET_NAME =
  /auth|token|secret|passw|passphrase|pwd|api-?_?key|access-?_?key|private-?_?key|session|sess-?_?id|^sid$|credential|signature|^sig$|csrf|xsrf|jwt|bearer|cookie|otp|pin$|cvv|cvc|ssn|iban|card|account|e-?mail|phone|user-?_?name|^user$|login/i;

/** True for names whose values must never be seen, in any form. */
export function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name);
}
