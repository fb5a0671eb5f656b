/**
 * What may stay of bytes that belong to no message, where one could begin: line ends, the preface of HTTP/2 and the
 * header of a first TLS record, which tell what follows without telling anything of it.
 */
const HTTP2_PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
const METHODS =
  'GET HEAD POST PUT DELETE CONNECT OPTIONS TRACE PATCH PROPFIND PROPPATCH MKCOL COPY MOVE LOCK UNLOCK REPORT SEARCH'.split(
    ' ',
  );
/** `HTTP/1.1 100`: an answer that comes before the final one. */
const INTERIM = /^HTTP\/1\.[01] 1\d\d/;
const EMPTY_LINE = /\r?\n\r?\n/;
const TLS_RECORD_HEADER = /^\x16\x03[\s\S]{3}/;
/** Bytes held back while it is not clear what they are. */
const HELD_BYTES = 16 * 1024;

/** What to do with bytes at a place where a message might begin. */
export type OutsideVerdict =
  | { readonly kind: 'wait' }
  /** So many bytes stay as they are; nothing of what follows does. */
  | { readonly kind: 'keep'; readonly bytes: number }
  /** So many bytes are line ends, and a message may begin after them. */
  | { readonly kind: 'line-ends'; readonly bytes: number }
  /** So many bytes are the head of an interim response. */
  | { readonly kind: 'interim'; readonly bytes: number }
  | { readonly kind: 'nothing' };

/** Judges `text`, which begins where a message might begin. */
export function judgeOutside(text: string): OutsideVerdict {
  const lineEnds = /^[\r\n]+/.exec(text)?.[0].length ?? 0;
  if (lineEnds > 0) return { kind: 'line-ends', bytes: lineEnds };
  if (text.startsWith(HTTP2_PREFACE)) return { kind: 'keep', bytes: HTTP2_PREFACE.length };
  if (TLS_RECORD_HEADER.test(text)) return { kind: 'keep', bytes: 5 };
  if (INTERIM.test(text)) {
    const end = EMPTY_LINE.exec(text);
    if (end !== null) return { kind: 'interim', bytes: end.index + end[0].length };
    return text.length < HELD_BYTES ? { kind: 'wait' } : { kind: 'nothing' };
  }
  const undecided =
    HTTP2_PREFACE.startsWith(text) ||
    (text.length < 5 && '\x16\x03'.startsWith(text.slice(0, 2))) ||
    (text.length < 12 && /^HTTP\/?1?\.?[01]? ?1?\d?\d?$/.test(text)) ||
    isPartialStart(text);
  return undecided && text.length < HELD_BYTES ? { kind: 'wait' } : { kind: 'nothing' };
}

/** A start line that has begun and not ended: `GET /path`, `HTT`. */
export function isPartialStart(text: string): boolean {
  if (text.includes('\n')) return false;
  const word = /^[A-Z]+/.exec(text)?.[0] ?? '';
  if (word.length === text.length)
    return METHODS.some((method) => method.startsWith(word)) || 'HTTP'.startsWith(word);
  return (METHODS.includes(word) && text[word.length] === ' ') || /^HTTP\/1\.[01]?(?: |$)/.test(text);
}
