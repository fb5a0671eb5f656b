import { CR, equalsIgnoringCase, HTAB, isDigit, isToken, LF, SP } from './characters.ts';

/** What bytes at a place where a message may begin are. */
export const START = { no: 0, request: 1, response: 2, more: 3 } as const;
export type Start = (typeof START)[keyof typeof START];

/**
 * True when `judged` may begin the next message of a direction whose messages are of `kind`, `no` where that is unknown:
 * one that has sent requests sends no responses, and the other way round.
 */
export function isExpected(judged: Start, kind: Start): boolean {
  return kind === START.no || judged === START.more || judged === kind;
}

/** Methods of RFC 9110 §9, RFC 5789, RFC 4918 and other registered or widespread ones. */
const METHODS = [
  'GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH',
  'PROPFIND', 'PROPPATCH', 'MKCOL', 'COPY', 'MOVE', 'LOCK', 'UNLOCK', 'REPORT', 'SEARCH', 'ACL', 'BIND',
  'CHECKIN', 'CHECKOUT', 'LABEL', 'LINK', 'MERGE', 'MKACTIVITY', 'MKCALENDAR', 'MKREDIRECTREF', 'MKWORKSPACE',
  'ORDERPATCH', 'REBIND', 'UNBIND', 'UNCHECKOUT', 'UNLINK', 'UPDATE', 'UPDATEREDIRECTREF', 'VERSION-CONTROL',
  'BASELINE-CONTROL', 'M-SEARCH', 'NOTIFY', 'SUBSCRIBE', 'UNSUBSCRIBE', 'PURGE', 'QUERY', 'SOURCE',
  'BCOPY', 'BDELETE', 'BMOVE', 'BPROPFIND', 'BPROPPATCH', 'POLL', 'RPC_IN_DATA', 'RPC_OUT_DATA',
  'CCM_POST', 'SMS_POST', 'BITS_POST', 'X-MS-ENUMATTS',
]; // biome-ignore format: a word list
const KNOWN_METHODS = new Set(METHODS);
const LONGEST_METHOD = Math.max(...METHODS.map((method) => method.length));
const KNOWN_BY_FIRST = new Uint8Array(256);
for (const method of METHODS) KNOWN_BY_FIRST[method.charCodeAt(0)] = 1;

export function isKnownMethod(method: string): boolean {
  return KNOWN_METHODS.has(method);
}

/** A method longer than this is taken for something else than HTTP. */
const MAX_METHOD_BYTES = 64;
const SHORTEST_STATUS_LINE = 'HTTP/1.1 200'.length;
const MAX_VERSION_BYTES = 32;

/**
 * Judges the line that begins at `start`. Lenient where a connection or a message begins; `strict` where one is
 * looked for among other bytes: then only known methods, and versions 1.0 and 1.1, count.
 */
export function judgeStart(bytes: Uint8Array, start: number, end: number, strict: boolean): Start {
  const first = bytes[start];
  if (first === 72 || first === 104) {
    const judged = judgeStatusLine(bytes, start, end, strict);
    if (judged !== START.no) return judged;
  }
  if (first === 73 && !strict && matchesPrefix(bytes, start, end, 'icy ')) {
    return end - start < 7 ? START.more : START.response;
  }
  if (strict && KNOWN_BY_FIRST[first] === 0) return START.no;
  return judgeRequestLine(bytes, start, end, strict);
}

/** True when the bytes begin a status line, or are too few to tell. */
export function mayBeStatusLine(bytes: Uint8Array, start: number, end: number): boolean {
  return matchesPrefix(bytes, start, end, 'http/');
}

function matchesPrefix(bytes: Uint8Array, start: number, end: number, prefix: string): boolean {
  const length = Math.min(prefix.length, end - start);
  for (let index = 0; index < length; index += 1) {
    if ((bytes[start + index] | 0x20) !== (prefix.charCodeAt(index) | 0x20)) return false;
  }
  return true;
}

function judgeStatusLine(bytes: Uint8Array, start: number, end: number, strict: boolean): Start {
  if (!mayBeStatusLine(bytes, start, end)) return START.no;
  return strict ? judgeStrictStatusLine(bytes, start, end) : judgeOddStatusLine(bytes, start, end);
}

/** `HTTP/1.x`, a space, three digits. */
function judgeStrictStatusLine(bytes: Uint8Array, start: number, end: number): Start {
  const length = Math.min(SHORTEST_STATUS_LINE, end - start);
  for (let index = 5; index < length; index += 1) {
    const byte = bytes[start + index];
    const fits =
      index === 5
        ? byte === 49
        : index === 6
          ? byte === 46
          : index === 8
            ? byte === SP || byte === HTAB
            : isDigit(byte);
    if (!fits) return START.no;
  }
  return length === SHORTEST_STATUS_LINE ? START.response : START.more;
}

/** `HTTP/` and anything up to white space, then a word of at least three characters that begins with a digit: servers and tests send versions and codes of all kinds. */
function judgeOddStatusLine(bytes: Uint8Array, start: number, end: number): Start {
  let at = start + 5;
  while (at < end && bytes[at] !== SP && bytes[at] !== HTAB && bytes[at] !== LF) at += 1;
  if (at - start - 5 > MAX_VERSION_BYTES) return START.no;
  while (at < end && (bytes[at] === SP || bytes[at] === HTAB)) at += 1;
  if (at + 2 >= end) return end - start < MAX_VERSION_BYTES * 2 ? START.more : START.no;
  if (!isDigit(bytes[at])) return START.no;
  return bytes[at + 1] > SP && bytes[at + 2] > SP ? START.response : START.no;
}

function judgeRequestLine(bytes: Uint8Array, start: number, end: number, strict: boolean): Start {
  const longest = strict ? LONGEST_METHOD : MAX_METHOD_BYTES;
  let at = start;
  while (at < end && isToken(bytes[at])) at += 1;
  const methodBytes = at - start;
  if (methodBytes > longest || (methodBytes === 0 && at < end)) return START.no;
  if (at >= end) return START.more;
  if (bytes[at] !== SP && bytes[at] !== HTAB) return START.no;
  if (strict && !KNOWN_METHODS.has(latin1(bytes, start, at))) return START.no;
  let hasControls = false;
  for (; at < end; at += 1) {
    const byte = bytes[at];
    if (byte === LF)
      return endsInVersion(bytes, start, start + methodBytes, at, strict) ? START.request : START.no;
    if (byte < SP && byte !== HTAB && byte !== CR) hasControls = true;
  }
  // Control characters in a target are possible; where a start line is only looked for they speak against one.
  return hasControls && strict ? START.no : START.more;
}

/** True when the request line `[start, lineFeed)` ends in an HTTP version, or is one of HTTP/0.9. */
function endsInVersion(
  bytes: Uint8Array,
  start: number,
  methodEnd: number,
  lineFeed: number,
  strict: boolean,
): boolean {
  let end = lineFeed;
  while (end > methodEnd && (bytes[end - 1] === CR || bytes[end - 1] === SP || bytes[end - 1] === HTAB))
    end -= 1;
  let at = end;
  while (at > methodEnd && (isDigit(bytes[at - 1]) || bytes[at - 1] === 46)) at -= 1;
  const digits = end - at;
  // Between method and version stand two spaces and a target of at least one byte.
  if (digits > 0 && at - 5 >= methodEnd + 3 && equalsIgnoringCase(bytes, at - 5, 'http/')) {
    const before = bytes[at - 6];
    if (before !== SP && before !== HTAB) return false;
    return !strict || (digits === 3 && bytes[at] === 49 && bytes[at + 1] === 46);
  }
  return !strict && isSimpleRequest(bytes, start, methodEnd, end);
}

/** HTTP/0.9: `GET` and a path, nothing else (RFC 1945 §4.1). */
function isSimpleRequest(bytes: Uint8Array, start: number, methodEnd: number, end: number): boolean {
  if (methodEnd - start !== 3 || latin1(bytes, start, methodEnd) !== 'GET') return false;
  if (bytes[methodEnd + 1] !== 47) return false;
  for (let at = methodEnd + 1; at < end; at += 1) if (bytes[at] === SP) return false;
  return true;
}

function latin1(bytes: Uint8Array, start: number, end: number): string {
  let text = '';
  for (let at = start; at < end; at += 1) text += String.fromCharCode(bytes[at]);
  return text;
}
