import type { Anomaly } from '../../model/anomaly.ts';
import type { HeaderField } from '../../model/exchange.ts';
import type { Interner } from '../interner.ts';
import { COLON, CR, equalsIgnoringCase, HTAB, isDigit, isToken, LF, SP } from './characters.ts';
import { isKnownMethod } from './start-line.ts';

/** Fields kept with an exchange beside those that have a place of their own. Never credentials or cookies. */
const KEPT_FIELDS = [
  'referer', 'location', 'server', 'via', 'retry-after', 'x-request-id', 'x-correlation-id', 'x-forwarded-for',
  'x-real-ip', 'traceparent', 'content-encoding', 'transfer-encoding', 'upgrade', 'origin', 'etag', 'age',
  'cache-control', 'accept', 'range', 'content-range',
]; // biome-ignore format: a word list
const NO_FIELDS: readonly HeaderField[] = Object.freeze([]);
const NO_ANOMALIES: Anomaly[] = [];
Object.freeze(NO_ANOMALIES);

/** Beyond it a length cannot be counted exactly, nor sent in practice. */
const MAX_CONTENT_LENGTH = Number.MAX_SAFE_INTEGER;

/** Where a kept field's name is looked up: by its length, to compare few names. */
const KEPT_BY_LENGTH: string[][] = [];
for (const name of KEPT_FIELDS) {
  KEPT_BY_LENGTH[name.length] ??= [];
  KEPT_BY_LENGTH[name.length].push(name);
}
for (let length = 0; length < 32; length += 1) KEPT_BY_LENGTH[length] ??= [];

/**
 * Start line and header section of a message, as read from bytes. One record, reused for every message: what
 * must outlive the next head is copied. Strings come from the interner.
 */
export class Head {
  isResponse = false;
  method = '';
  target = '';
  /** As sent, without `HTTP/`; `0.9` where a request has none. */
  version = '1.1';
  status = 0;
  reason = '';
  host: string | null = null;
  userAgent: string | null = null;
  mediaType: string | null = null;
  /** -1: absent. */
  contentLength = -1;
  badContentLength = false;
  hasTransferEncoding = false;
  /** The last transfer coding is chunked. */
  chunked = false;
  upgrade: string | null = null;
  expectContinue = false;
  fields: readonly HeaderField[] = NO_FIELDS;
  anomalies: Anomaly[] = NO_ANOMALIES;

  readonly #interner: Interner;
  /** The last field made for each kept name: the next one is usually the same. */
  readonly #lastField = new Map<string, HeaderField>();
  #contentLengths = 0;
  #transferCodings = '';

  constructor(interner: Interner) {
    this.#interner = interner;
  }

  note(anomaly: Anomaly): void {
    if (this.anomalies === NO_ANOMALIES) this.anomalies = [anomaly];
    else if (!this.anomalies.includes(anomaly)) this.anomalies.push(anomaly);
  }

  /**
   * Reads the head that begins at `start`, whose start line `judgeStart` has accepted. Returns the offset after
   * its empty line, or -1 when that line is not within `[start, end)`; with `cut` the head is taken as far as
   * it goes.
   */
  read(bytes: Uint8Array, start: number, end: number, isResponse: boolean, cut = false): number {
    this.#clear(isResponse);
    let lineFeed = findLineFeed(bytes, start, end);
    if (lineFeed < 0) {
      if (!cut) return -1;
      lineFeed = end;
    }
    const lineEnd = lineFeed > start && bytes[lineFeed - 1] === CR ? lineFeed - 1 : lineFeed;
    if (lineEnd === lineFeed && lineFeed < end) this.note('bare-lf');
    if (isResponse) this.#readStatusLine(bytes, start, lineEnd);
    else if (!this.#readRequestLine(bytes, start, lineEnd)) {
      // HTTP/0.9 has no header section: the request is its one line.
      return lineFeed < end ? lineFeed + 1 : end;
    }
    const after = this.#readFields(bytes, lineFeed + 1, end, cut);
    if (after >= 0) this.#finish();
    return after;
  }

  #clear(isResponse: boolean): void {
    this.isResponse = isResponse;
    this.host = null;
    this.userAgent = null;
    this.mediaType = null;
    this.contentLength = -1;
    this.badContentLength = false;
    this.hasTransferEncoding = false;
    this.chunked = false;
    this.upgrade = null;
    this.expectContinue = false;
    this.fields = NO_FIELDS;
    this.anomalies = NO_ANOMALIES;
    this.#contentLengths = 0;
    this.#transferCodings = '';
  }

  #readStatusLine(bytes: Uint8Array, start: number, end: number): void {
    let at = start;
    while (at < end && bytes[at] !== SP && bytes[at] !== HTAB) at += 1;
    this.#setVersion(bytes, Math.min(end, start + 5), at);
    if ((bytes[start] | 0x20) === 105) this.version = 'ICY';
    const afterVersion = at;
    while (at < end && (bytes[at] === SP || bytes[at] === HTAB)) at += 1;
    if (at - afterVersion !== 1 || bytes[start] !== 72) this.note('odd-start-line');
    this.status = (bytes[at] - 48) * 100 + (bytes[at + 1] - 48) * 10 + (bytes[at + 2] - 48);
    at += 3;
    if (at < end && (bytes[at] === SP || bytes[at] === HTAB)) at += 1;
    this.reason = at < end ? this.#interner.text(bytes, at, end) : '';
  }

  /** False: a request of HTTP/0.9, without a version. */
  #readRequestLine(bytes: Uint8Array, start: number, end: number): boolean {
    let at = start;
    while (at < end && isToken(bytes[at])) at += 1;
    this.method = this.#interner.text(bytes, start, at);
    if (!isKnownMethod(this.method)) this.note('extension-method');
    const methodEnd = at;
    while (at < end && (bytes[at] === SP || bytes[at] === HTAB)) at += 1;
    let lineEnd = end;
    while (lineEnd > at && (bytes[lineEnd - 1] === SP || bytes[lineEnd - 1] === HTAB)) lineEnd -= 1;
    let version = lineEnd;
    while (version > at && bytes[version - 1] !== SP && bytes[version - 1] !== HTAB) version -= 1;
    if (version <= at || lineEnd - version < 5 || !equalsIgnoringCase(bytes, version, 'http/')) {
      this.target = this.#interner.text(bytes, at, lineEnd);
      this.version = '0.9';
      this.note('http-0.9');
      return false;
    }
    let targetEnd = version;
    while (targetEnd > at && (bytes[targetEnd - 1] === SP || bytes[targetEnd - 1] === HTAB)) targetEnd -= 1;
    if (at - methodEnd !== 1 || version - targetEnd !== 1 || lineEnd !== end || bytes[version] !== 72) {
      this.note('odd-start-line');
    }
    this.target = this.#interner.text(bytes, at, targetEnd);
    this.#setVersion(bytes, version + 5, lineEnd);
    return true;
  }

  #setVersion(bytes: Uint8Array, start: number, end: number): void {
    if (end - start === 3 && bytes[start] === 49 && bytes[start + 1] === 46) {
      if (bytes[start + 2] === 49) {
        this.version = '1.1';
        return;
      }
      if (bytes[start + 2] === 48) {
        this.version = '1.0';
        return;
      }
    }
    this.version = this.#interner.text(bytes, start, end);
    this.note('odd-version');
  }

  #readFields(bytes: Uint8Array, start: number, end: number, cut: boolean): number {
    let at = start;
    for (;;) {
      let lineFeed = findLineFeed(bytes, at, end);
      if (lineFeed < 0) return cut ? end : -1;
      let lineEnd = lineFeed;
      if (lineFeed > at && bytes[lineFeed - 1] === CR) lineEnd -= 1;
      else this.note('bare-lf');
      if (lineEnd === at) return lineFeed + 1;
      // A line that begins with white space continues the one before it.
      let folded = false;
      while (lineFeed + 1 < end && (bytes[lineFeed + 1] === SP || bytes[lineFeed + 1] === HTAB)) {
        const next = findLineFeed(bytes, lineFeed + 1, end);
        if (next < 0) {
          if (!cut) return -1;
          break;
        }
        folded = true;
        lineFeed = next;
        lineEnd = bytes[next - 1] === CR ? next - 1 : next;
      }
      if (folded) this.note('obs-fold');
      // Whether the next line continues this one shows only when its first byte is there.
      if (lineFeed + 1 >= end && !cut) return -1;
      this.#readField(bytes, at, lineEnd, folded);
      at = lineFeed + 1;
    }
  }

  #readField(bytes: Uint8Array, start: number, end: number, folded: boolean): void {
    let at = start;
    while (at < end && isToken(bytes[at])) at += 1;
    let nameEnd = at;
    if (at < end && bytes[at] !== COLON) {
      while (at < end && (bytes[at] === SP || bytes[at] === HTAB)) at += 1;
      if (at < end && bytes[at] === COLON && nameEnd > start) {
        this.note('whitespace-before-colon');
      } else {
        this.#noteOddLine(bytes, start, end);
        return;
      }
    } else if (at >= end || nameEnd === start) {
      this.#noteOddLine(bytes, start, end);
      return;
    }
    const colon = at;
    if (nameEnd > colon) nameEnd = colon;
    const length = nameEnd - start;
    if (!isOfInterest(bytes[start], length)) return;
    let valueStart = colon + 1;
    let valueEnd = end;
    while (valueStart < valueEnd && isSpace(bytes[valueStart])) valueStart += 1;
    while (valueEnd > valueStart && isSpace(bytes[valueEnd - 1])) valueEnd -= 1;
    this.#useField(bytes, start, length, valueStart, valueEnd, folded);
  }

  #useField(
    bytes: Uint8Array,
    start: number,
    length: number,
    valueStart: number,
    valueEnd: number,
    folded: boolean,
  ): void {
    switch (length) {
      case 4:
        if (equalsIgnoringCase(bytes, start, 'host')) {
          if (this.isResponse) return;
          if (this.host === null) this.host = this.#value(bytes, valueStart, valueEnd, folded);
          else this.note('duplicate-host');
          return;
        }
        break;
      case 6:
        if (equalsIgnoringCase(bytes, start, 'expect')) {
          if (equalsIgnoringCase(bytes, valueStart, '100-continue') && valueEnd - valueStart === 12) {
            this.expectContinue = true;
            this.note('expect-continue');
          }
          return;
        }
        break;
      case 7:
        if (equalsIgnoringCase(bytes, start, 'upgrade')) {
          this.upgrade = this.#value(bytes, valueStart, valueEnd, folded);
        }
        break;
      case 10:
        if (equalsIgnoringCase(bytes, start, 'user-agent')) {
          this.userAgent = this.#value(bytes, valueStart, valueEnd, folded);
          return;
        }
        break;
      case 12:
        if (equalsIgnoringCase(bytes, start, 'content-type')) {
          let typeEnd = valueStart;
          while (typeEnd < valueEnd && bytes[typeEnd] !== 59 && !isSpace(bytes[typeEnd])) typeEnd += 1;
          this.mediaType = this.#interner.text(bytes, valueStart, typeEnd).toLowerCase();
          return;
        }
        break;
      case 14:
        if (equalsIgnoringCase(bytes, start, 'content-length')) {
          this.#useContentLength(bytes, valueStart, valueEnd);
          return;
        }
        break;
      case 17:
        if (equalsIgnoringCase(bytes, start, 'transfer-encoding')) {
          const value = this.#value(bytes, valueStart, valueEnd, folded).toLowerCase();
          this.hasTransferEncoding = true;
          this.#transferCodings = this.#transferCodings === '' ? value : `${this.#transferCodings},${value}`;
        }
        break;
    }
    this.#keep(bytes, start, length, valueStart, valueEnd, folded);
  }

  #keep(
    bytes: Uint8Array,
    start: number,
    length: number,
    valueStart: number,
    valueEnd: number,
    folded: boolean,
  ): void {
    const names = KEPT_BY_LENGTH[length];
    for (let index = 0; index < names.length; index += 1) {
      const name = names[index];
      if (!equalsIgnoringCase(bytes, start, name)) continue;
      const value = this.#value(bytes, valueStart, valueEnd, folded);
      let field = this.#lastField.get(name);
      if (field === undefined || field.value !== value) {
        field = { name, value };
        this.#lastField.set(name, field);
      }
      if (this.fields === NO_FIELDS) this.fields = [field];
      else (this.fields as HeaderField[]).push(field);
      return;
    }
  }

  /** One or several comma-separated lengths (RFC 9110 §8.6). The first good one counts. */
  #useContentLength(bytes: Uint8Array, start: number, end: number): void {
    let at = start;
    for (;;) {
      while (at < end && isSpace(bytes[at])) at += 1;
      const digits = at;
      let value = 0;
      while (at < end && isDigit(bytes[at])) {
        value = value * 10 + (bytes[at] - 48);
        at += 1;
      }
      const good = at > digits && value <= MAX_CONTENT_LENGTH;
      if (good && at - digits > 1 && bytes[digits] === 48) this.note('content-length-leading-zeros');
      while (at < end && isSpace(bytes[at])) at += 1;
      if (!good || (at < end && bytes[at] !== 44)) {
        this.note('bad-content-length');
        if (this.#contentLengths === 0) this.badContentLength = true;
        return;
      }
      this.#contentLengths += 1;
      if (this.#contentLengths === 1) this.contentLength = value;
      else this.note(value === this.contentLength ? 'duplicate-content-length' : 'conflicting-content-length');
      if (at >= end) return;
      at += 1;
    }
  }

  #value(bytes: Uint8Array, start: number, end: number, folded: boolean): string {
    const text = this.#interner.text(bytes, start, end);
    return folded ? text.replace(/[ \t]*\r?\n[ \t]+/g, ' ') : text;
  }

  #noteOddLine(bytes: Uint8Array, start: number, end: number): void {
    this.note('malformed-header');
    for (let at = start; at < end; at += 1) {
      if (bytes[at] === 0) this.note('nul-in-head');
      else if (bytes[at] === CR) this.note('bare-cr');
    }
  }

  #finish(): void {
    if (this.hasTransferEncoding) {
      const codings = this.#transferCodings.split(',').map((coding) => coding.trim());
      const last = codings[codings.length - 1];
      this.chunked = last === 'chunked';
      if (!this.chunked || codings.slice(0, -1).some((coding) => !/^(gzip|x-gzip|deflate|compress|x-compress|identity)$/.test(coding))) {
        this.note('bad-transfer-encoding');
      }
      if (this.#contentLengths > 0 || this.badContentLength) this.note('content-length-and-transfer-encoding');
    }
    if (!this.isResponse && this.host === null && this.version === '1.1') this.note('missing-host');
  }
}

function isSpace(byte: number): boolean {
  return byte === SP || byte === HTAB || byte === CR || byte === LF;
}

function findLineFeed(bytes: Uint8Array, start: number, end: number): number {
  for (let at = start; at < end; at += 1) if (bytes[at] === LF) return at;
  return -1;
}

/** First letters and lengths of the names that matter, so that most fields cost one look. */
const INTEREST = new Uint8Array(256 * 32);
for (const name of [
  ...KEPT_FIELDS, 'host', 'expect', 'user-agent', 'content-type', 'content-length', 'transfer-encoding',
]) {
  INTEREST[name.charCodeAt(0) * 32 + name.length] = 1;
}

function isOfInterest(first: number, length: number): boolean {
  return length < 32 && INTEREST[(first | 0x20) * 32 + length] === 1;
}
