import type { HeaderField } from '../../model/exchange.ts';
import { MASK } from '../../model/secrets.ts';
import type { Interner } from '../interner.ts';
import { redactTarget } from '../redact-target.ts';
import { COLON, CR, equalsIgnoringCase, HTAB, isDigit, isToken, LF, SP } from './characters.ts';
import { FieldFacts } from './field-facts.ts';
import { KeptFields } from './kept-fields.ts';
import { LineFacts } from './line-facts.ts';
import { isKnownMethod } from './start-line.ts';

/** Fields whose value is a target with a query, in which credentials are masked. */
const HOLDS_TARGET = new Set(['referer', 'location']);
/** Beyond it a length cannot be counted exactly, nor sent in practice. */
const MAX_CONTENT_LENGTH = Number.MAX_SAFE_INTEGER;

/** Reads heads out of bytes. One reader serves all connections of a run. */
export class HeadReader {
  readonly #interner: Interner;
  readonly #reveal: boolean;
  readonly #kept: KeptFields;
  /** The last field made for each kept name: the next one is usually the same. */
  readonly #lastField = new Map<string, HeaderField>();
  #contentLengths = 0;
  #transferCodings = '';
  lineBytes = 0;
  sectionBytes = 0;

  /** `reveal`: show credentials in request targets. */
  constructor(interner: Interner, reveal: boolean, kept: KeptFields = new KeptFields()) {
    this.#interner = interner;
    this.#reveal = reveal;
    this.#kept = kept;
  }

  /**
   * Reads the start line at `start`, which `judgeStart` has accepted; `lineBytes` then is its length with its line
   * feed. null: its line feed is not there. With `cut` the line is taken as far as it goes.
   */
  line(bytes: Uint8Array, start: number, end: number, isResponse: boolean, cut = false): LineFacts | null {
    let lineFeed = findLineFeed(bytes, start, end);
    if (lineFeed < 0) {
      if (!cut) return null;
      lineFeed = end;
    }
    const facts = new LineFacts(isResponse);
    const lineEnd = lineFeed > start && bytes[lineFeed - 1] === CR ? lineFeed - 1 : lineFeed;
    if (lineEnd === lineFeed && lineFeed < end) facts.note('bare-lf');
    this.lineBytes = Math.min(end, lineFeed + 1) - start;
    if (isResponse) this.#readStatusLine(facts, bytes, start, lineEnd);
    else this.#readRequestLine(facts, bytes, start, lineEnd);
    return facts;
  }

  /**
   * Reads the header section at `start`; `sectionBytes` then is its length with its empty line. null: that is not
   * there; with `cut` the section is taken as far as it goes.
   */
  section(
    bytes: Uint8Array,
    start: number,
    end: number,
    isResponse: boolean,
    cut = false,
  ): FieldFacts | null {
    this.#contentLengths = 0;
    this.#transferCodings = '';
    const fields = new FieldFacts();
    const after = this.#readFields(fields, isResponse, bytes, start, end, cut);
    if (after < 0) return null;
    this.sectionBytes = after - start;
    if (hasNul(bytes, start, after)) fields.note('nul-in-head');
    this.#finish(fields);
    return fields;
  }

  #readStatusLine(facts: LineFacts, bytes: Uint8Array, start: number, end: number): void {
    let at = start;
    while (at < end && bytes[at] !== SP && bytes[at] !== HTAB) at += 1;
    this.#setVersion(facts, bytes, Math.min(end, start + 5), at);
    if ((bytes[start] | 0x20) === 105) facts.version = 'ICY';
    const afterVersion = at;
    while (at < end && (bytes[at] === SP || bytes[at] === HTAB)) at += 1;
    if (at - afterVersion !== 1 || bytes[start] !== 72) facts.note('odd-start-line');
    const digits = at;
    while (at < end && at - digits < 3 && isDigit(bytes[at]))
      facts.status = facts.status * 10 + (bytes[at++] - 48);
    if (at - digits < 3 || facts.status < 100 || (at < end && bytes[at] !== SP)) {
      if (at < end || at - digits < 3) facts.note('odd-start-line');
    }
    while (at < end && (bytes[at] === SP || bytes[at] === HTAB)) at += 1;
    facts.reason = at < end ? this.#interner.text(bytes, at, end) : '';
  }

  #readRequestLine(facts: LineFacts, bytes: Uint8Array, start: number, end: number): void {
    let at = start;
    while (at < end && isToken(bytes[at])) at += 1;
    if (at - start === 3 && bytes[start] === 71 && bytes[start + 1] === 69 && bytes[start + 2] === 84) {
      facts.method = 'GET';
    } else {
      facts.method = this.#interner.text(bytes, start, at);
      if (!isKnownMethod(facts.method)) facts.note('extension-method');
    }
    const methodEnd = at;
    while (at < end && (bytes[at] === SP || bytes[at] === HTAB)) at += 1;
    let lineEnd = end;
    while (lineEnd > at && (bytes[lineEnd - 1] === SP || bytes[lineEnd - 1] === HTAB)) lineEnd -= 1;
    let version = lineEnd;
    while (version > at && bytes[version - 1] !== SP && bytes[version - 1] !== HTAB) version -= 1;
    if (version <= at || lineEnd - version < 5 || !equalsIgnoringCase(bytes, version, 'http/')) {
      this.#setTarget(facts, bytes, at, lineEnd);
      facts.version = '0.9';
      facts.isSimple = true;
      facts.note('http-0.9');
      return;
    }
    let targetEnd = version;
    while (targetEnd > at && (bytes[targetEnd - 1] === SP || bytes[targetEnd - 1] === HTAB)) targetEnd -= 1;
    if (at - methodEnd !== 1 || version - targetEnd !== 1 || lineEnd !== end || bytes[version] !== 72) {
      facts.note('odd-start-line');
    }
    this.#setTarget(facts, bytes, at, targetEnd);
    if (facts.target.includes(' ')) facts.note('odd-start-line');
    this.#setVersion(facts, bytes, version + 5, lineEnd);
  }

  #setTarget(facts: LineFacts, bytes: Uint8Array, start: number, end: number): void {
    const target = this.#interner.text(bytes, start, end);
    facts.target = this.#reveal ? target : redactTarget(target);
  }

  #setVersion(facts: LineFacts, bytes: Uint8Array, start: number, end: number): void {
    if (end - start === 3 && bytes[start] === 49 && bytes[start + 1] === 46) {
      if (bytes[start + 2] === 49) return;
      if (bytes[start + 2] === 48) {
        facts.version = '1.0';
        return;
      }
    }
    facts.version = this.#interner.text(bytes, start, end);
    facts.note('odd-version');
  }

  #readFields(
    fields: FieldFacts,
    isResponse: boolean,
    bytes: Uint8Array,
    start: number,
    end: number,
    cut: boolean,
  ): number {
    let at = start;
    for (;;) {
      let lineFeed = findLineFeed(bytes, at, end);
      if (lineFeed < 0) return cut ? end : -1;
      let lineEnd = lineFeed;
      if (lineFeed > at && bytes[lineFeed - 1] === CR) lineEnd -= 1;
      else fields.note('bare-lf');
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
      if (folded) fields.note('obs-fold');
      // Whether the next line continues this one shows only when its first byte is there.
      if (lineFeed + 1 >= end && !cut) return -1;
      this.#readField(fields, isResponse, bytes, at, lineEnd, folded);
      at = lineFeed + 1;
    }
  }

  #readField(
    fields: FieldFacts,
    isResponse: boolean,
    bytes: Uint8Array,
    start: number,
    end: number,
    folded: boolean,
  ): void {
    let at = start;
    while (at < end && isToken(bytes[at])) at += 1;
    const nameEnd = at;
    if (at < end && bytes[at] !== COLON) {
      while (at < end && (bytes[at] === SP || bytes[at] === HTAB)) at += 1;
      if (at < end && bytes[at] === COLON) fields.note('whitespace-before-colon');
    }
    if (at >= end || bytes[at] !== COLON || nameEnd === start) {
      noteOddLine(fields, bytes, start, end);
      return;
    }
    const length = nameEnd - start;
    if (!this.#kept.mayHold(bytes[start], length)) return;
    let valueStart = at + 1;
    let valueEnd = end;
    while (valueStart < valueEnd && isSpace(bytes[valueStart])) valueStart += 1;
    while (valueEnd > valueStart && isSpace(bytes[valueEnd - 1])) valueEnd -= 1;
    if (!this.#place(fields, isResponse, bytes, start, length, valueStart, valueEnd, folded)) {
      this.#keep(fields, bytes, start, length, valueStart, valueEnd, folded);
    }
  }

  /** Puts a field with a place of its own there. False: the field may be among those that are kept, too. */
  #place(
    fields: FieldFacts,
    isResponse: boolean,
    bytes: Uint8Array,
    start: number,
    length: number,
    valueStart: number,
    valueEnd: number,
    folded: boolean,
  ): boolean {
    switch (length) {
      case 4:
        if (!equalsIgnoringCase(bytes, start, 'host')) return false;
        if (isResponse) return false;
        if (fields.host === null) fields.host = this.#value(bytes, valueStart, valueEnd, folded);
        else fields.note('duplicate-host');
        return true;
      case 6:
        if (!equalsIgnoringCase(bytes, start, 'expect')) return false;
        if (valueEnd - valueStart === 12 && equalsIgnoringCase(bytes, valueStart, '100-continue')) {
          fields.note('expect-continue');
        }
        return false;
      case 7:
        if (equalsIgnoringCase(bytes, start, 'upgrade')) {
          fields.upgrade = this.#value(bytes, valueStart, valueEnd, folded);
        }
        return false;
      case 10:
        if (!equalsIgnoringCase(bytes, start, 'user-agent')) return false;
        fields.userAgent = this.#value(bytes, valueStart, valueEnd, folded);
        return true;
      case 12: {
        if (!equalsIgnoringCase(bytes, start, 'content-type')) return false;
        let typeEnd = valueStart;
        while (typeEnd < valueEnd && bytes[typeEnd] !== 59 && !isSpace(bytes[typeEnd])) typeEnd += 1;
        fields.mediaType = this.#interner.text(bytes, valueStart, typeEnd).toLowerCase();
        return true;
      }
      case 14:
        if (!equalsIgnoringCase(bytes, start, 'content-length')) return false;
        this.#useContentLength(fields, bytes, valueStart, valueEnd);
        return false;
      case 17:
        if (equalsIgnoringCase(bytes, start, 'transfer-encoding')) {
          const value = this.#value(bytes, valueStart, valueEnd, folded).toLowerCase();
          fields.hasTransferEncoding = true;
          this.#transferCodings = this.#transferCodings === '' ? value : `${this.#transferCodings},${value}`;
        }
        return false;
      default:
        return false;
    }
  }

  #keep(
    fields: FieldFacts,
    bytes: Uint8Array,
    start: number,
    length: number,
    valueStart: number,
    valueEnd: number,
    folded: boolean,
  ): void {
    for (const name of this.#kept.byLength[length]) {
      if (!equalsIgnoringCase(bytes, start, name)) continue;
      const value = this.#shownValue(name, this.#value(bytes, valueStart, valueEnd, folded));
      let field = this.#lastField.get(name);
      if (field === undefined || field.value !== value) {
        field = { name, value };
        this.#lastField.set(name, field);
      }
      fields.keep(field);
      return;
    }
  }

  #shownValue(name: string, sent: string): string {
    if (this.#kept.secret.has(name)) return MASK;
    return HOLDS_TARGET.has(name) && !this.#reveal ? redactTarget(sent) : sent;
  }

  /** One or several comma-separated lengths (RFC 9110 §8.6). The first good one counts. */
  #useContentLength(fields: FieldFacts, bytes: Uint8Array, start: number, end: number): void {
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
      if (good && at - digits > 1 && bytes[digits] === 48) fields.note('content-length-leading-zeros');
      while (at < end && isSpace(bytes[at])) at += 1;
      if (!good || (at < end && bytes[at] !== 44)) {
        fields.note('bad-content-length');
        if (this.#contentLengths === 0) fields.badContentLength = true;
        return;
      }
      this.#contentLengths += 1;
      if (this.#contentLengths === 1) fields.contentLength = value;
      else
        fields.note(
          value === fields.contentLength ? 'duplicate-content-length' : 'conflicting-content-length',
        );
      if (at >= end) return;
      at += 1;
    }
  }

  #value(bytes: Uint8Array, start: number, end: number, folded: boolean): string {
    const text = this.#interner.text(bytes, start, end);
    return folded ? text.replace(/[ \t]*\r?\n[ \t]+/g, ' ') : text;
  }

  #finish(fields: FieldFacts): void {
    if (!fields.hasTransferEncoding) return;
    const codings = this.#transferCodings.split(',').map((coding) => coding.trim());
    const last = codings.pop();
    fields.chunked = last === 'chunked';
    if (!fields.chunked || !codings.every((coding) => COMPRESSIONS.has(coding)))
      fields.note('bad-transfer-encoding');
    if (this.#contentLengths > 0 || fields.badContentLength)
      fields.note('content-length-and-transfer-encoding');
  }
}

/** Transfer codings that may stand before chunked (RFC 9112 §7.2). */
const COMPRESSIONS = new Set(['gzip', 'x-gzip', 'deflate', 'compress', 'x-compress', 'identity']);

function noteOddLine(fields: FieldFacts, bytes: Uint8Array, start: number, end: number): void {
  fields.note('malformed-header');
  for (let at = start; at < end; at += 1) {
    if (bytes[at] === CR) fields.note('bare-cr');
  }
}

function hasNul(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at += 1) if (bytes[at] === 0) return true;
  return false;
}

function isSpace(byte: number): boolean {
  return byte === SP || byte === HTAB || byte === CR || byte === LF;
}

function findLineFeed(bytes: Uint8Array, start: number, end: number): number {
  for (let at = start; at < end; at += 1) if (bytes[at] === LF) return at;
  return -1;
}
