import type { FieldRedactor } from './field-rules.ts';
import type { RedactionRules } from './rules.ts';
import type { TargetRedactor } from './targets.ts';

/** Reason phrases of RFC 9110 §15, RFC 6585 and common servers; any other one is masked. */
const REASONS = new Set(
  "continue|switching protocols|processing|early hints|ok|created|accepted|non-authoritative information|no content|reset content|partial content|multi-status|already reported|im used|multiple choices|moved permanently|found|moved temporarily|see other|not modified|use proxy|temporary redirect|permanent redirect|bad request|unauthorized|payment required|forbidden|not found|method not allowed|not acceptable|proxy authentication required|request timeout|request time-out|conflict|gone|length required|precondition failed|content too large|payload too large|request entity too large|uri too long|request-uri too long|request-uri too large|unsupported media type|range not satisfiable|requested range not satisfiable|expectation failed|i'm a teapot|misdirected request|unprocessable content|unprocessable entity|locked|failed dependency|too early|upgrade required|precondition required|too many requests|request header fields too large|unavailable for legal reasons|internal server error|not implemented|bad gateway|service unavailable|service temporarily unavailable|gateway timeout|gateway time-out|http version not supported|variant also negotiates|insufficient storage|loop detected|not extended|network authentication required|connection established".split(
    '|',
  ),
);
/** Methods are words (RFC 9110 §9.1); anything else may be anything. */
const METHOD = /^[A-Za-z]{2,16}(?:[-_][A-Za-z]{2,16}){0,2}$/;
const TOKEN_CHARACTER = /^[!#$%&'*+.^_`|~0-9A-Za-z-]$/;
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+/;
const VERSION = /^http\/[^ \t]*$/i;

/** What the redactor of bodies needs to know of a head. */
export interface HeadFacts {
  /** Content-Type as sent; empty: none. */
  readonly contentType: string;
  /** The last Transfer-Encoding is chunked. */
  readonly chunked: boolean;
  /** A content or transfer coding other than chunked and identity. */
  readonly encoded: boolean;
}

export interface RedactedHead {
  readonly text: string;
  readonly facts: HeadFacts;
}

/**
 * Redacts message heads, at equal length and so that every parser reads them as before: line ends, white space,
 * folding and whatever is malformed keep their shape.
 */
export class HeadRedactor {
  readonly #rules: RedactionRules;
  readonly #targets: TargetRedactor;
  readonly #fields: FieldRedactor;

  constructor(rules: RedactionRules, targets: TargetRedactor, fields: FieldRedactor) {
    this.#rules = rules;
    this.#targets = targets;
    this.#fields = fields;
  }

  /** A head from its first byte to its empty line, or as far as it goes. */
  head(text: string, isResponse: boolean): RedactedHead {
    const lineFeed = text.indexOf('\n');
    const startLine = lineFeed < 0 ? text : text.slice(0, lineFeed + 1);
    const [line, ending] = withoutEnding(startLine);
    const first = isResponse ? this.#statusLine(line) : this.#requestLine(line);
    const section = this.section(text.slice(startLine.length));
    return { text: `${first}${ending}${section.text}`, facts: section.facts };
  }

  /** Header or trailer fields, each line with its end. */
  section(text: string): RedactedHead {
    let contentType = '';
    let codings = '';
    let contentEncoding = '';
    // A line that begins with white space continues the one before it (RFC 9112 §5.2).
    const lines = text.match(/[^\n]*\n(?:[ \t][^\n]*\n)*|[^\n]+$/g) ?? [];
    let isFirst = true;
    const shown = lines.map((whole) => {
      // White space right after the start line continues nothing.
      if (isFirst && /^[ \t]/.test(whole)) return whole.replace(/[^\n]+/g, (line) => this.#oddLine(line));
      isFirst = false;
      const [line, ending] = withoutEnding(whole);
      if (line === '') return whole;
      const name = TOKEN.exec(line)?.[0] ?? '';
      const colon = skip(line, name.length, ' \t');
      if (name === '' || line[colon] !== ':') return `${this.#oddLine(line)}${ending}`;
      const start = skip(line, colon + 1, ' \t\r\n');
      const end = skipBack(line, start, ' \t\r\n');
      const value = line.slice(start, end);
      const lower = name.toLowerCase();
      const plain = unfolded(value).toLowerCase();
      if (lower === 'content-type' && contentType === '') contentType = value;
      if (lower === 'transfer-encoding') codings = codings === '' ? plain : `${codings},${plain}`;
      if (lower === 'content-encoding') contentEncoding = plain;
      const masked = this.#value(lower, value);
      return `${this.#rules.name(name)}${line.slice(name.length, start)}${masked}${line.slice(end)}${ending}`;
    });
    const list = codings.split(',').map((coding) => coding.trim());
    const chunked = list.at(-1) === 'chunked';
    const isCoded = (coding: string): boolean => !['', 'identity', 'chunked'].includes(coding);
    const encoded = list.some(isCoded) || contentEncoding.split(',').some((one) => isCoded(one.trim()));
    return { text: shown.join(''), facts: { contentType, chunked, encoded } };
  }

  /** The value of a folded field is redacted line by line, a NUL stays one. */
  #value(name: string, value: string): string {
    if (!/[\n\0]/.test(value)) return this.#fields.value(name, value);
    return value.replace(/[^\r\n\0 \t][^\r\n\0]*/g, (part) => {
      const end = part.trimEnd();
      return `${this.#fields.value(name, end)}${part.slice(end.length)}`;
    });
  }

  /** A method that is a word stays. */
  method(text: string): string {
    const isKnown = METHOD.test(text) && this.#rules.name(text) === text;
    return isKnown ? text : text.replace(/[A-Za-z0-9]/g, classOf);
  }

  /** A reason phrase that servers usually send stays. */
  reason(text: string): string {
    const plain = text.trim().toLowerCase();
    return plain === '' || REASONS.has(plain) ? text : this.#rules.free(text);
  }

  #requestLine(line: string): string {
    const method = TOKEN.exec(line)?.[0] ?? '';
    const start = skip(line, method.length, ' \t');
    const lineEnd = skipBack(line, start, ' \t');
    let end = lineEnd;
    while (end > start && line[end - 1] !== ' ' && line[end - 1] !== '\t') end -= 1;
    const version = line.slice(end, lineEnd);
    const targetEnd = VERSION.test(version) ? skipBack(line.slice(0, end), start, ' \t') : lineEnd;
    const shown = this.method(method);
    const target = this.#targets.target(line.slice(start, targetEnd));
    const rest = targetEnd === lineEnd ? '' : `${line.slice(targetEnd, end)}${versionOf(version)}`;
    return `${shown}${line.slice(method.length, start)}${target}${rest}${line.slice(lineEnd)}`;
  }

  #statusLine(line: string): string {
    let end = 0;
    while (end < line.length && line[end] !== ' ' && line[end] !== '\t') end += 1;
    const version = line.slice(0, end);
    const start = skip(line, end, ' \t');
    const status = /^\d{0,3}/.exec(line.slice(start, start + 3))?.[0] ?? '';
    const rest = line.slice(start + status.length);
    const shownVersion = /^(?:http\/|icy)/i.test(version) ? versionOf(version) : this.#rules.mask(version);
    return `${shownVersion}${line.slice(end, start)}${status}${this.reason(rest)}`;
  }

  /** A line that is no field: what makes it none stays, nothing else. */
  #oddLine(line: string): string {
    this.#rules.replaced.add('malformed header lines');
    return line.replace(/[\s\S]/g, (character) => {
      if (/[ \t:\r\n\0]/.test(character)) return character;
      if (/[A-Za-z0-9]/.test(character)) return classOf(character);
      return TOKEN_CHARACTER.test(character) ? '-' : '@';
    });
  }
}

/** The place of the first character from `at` on that is none of `characters`. */
function skip(text: string, at: number, characters: string): number {
  while (at < text.length && characters.includes(text[at]!)) at += 1;
  return at;
}

/** One past the last character from `start` on that is none of `characters`. */
function skipBack(text: string, start: number, characters: string): number {
  let end = text.length;
  while (end > start && characters.includes(text[end - 1]!)) end -= 1;
  return end;
}

/** A folded value on one line. */
function unfolded(value: string): string {
  if (!value.includes('\n')) return value;
  return value
    .split('\n')
    .map((line) => line.trim())
    .join(' ');
}

/** The line without its line end, and that. */
function withoutEnding(line: string): [string, string] {
  const length = line.endsWith('\r\n') ? 2 : line.endsWith('\n') ? 1 : 0;
  return [line.slice(0, line.length - length), line.slice(line.length - length)];
}

function classOf(character: string): string {
  if (character >= '0' && character <= '9') return '0';
  return character >= 'a' ? 'x' : 'X';
}

/** `HTTP/1.1` stays; of an odd version only its shape does. */
function versionOf(text: string): string {
  const number = text.slice(5);
  if (!/^http\//i.test(text))
    return text.replace(/[A-Za-z0-9]/g, (character, at: number) => (at < 3 ? character : classOf(character)));
  if (/^\d{0,2}(?:\.\d{0,2})?$/.test(number)) return text;
  return `${text.slice(0, 5)}${number.replace(/[A-Za-z0-9]/g, classOf).replace(/[^A-Za-z0-9.]/g, '-')}`;
}
