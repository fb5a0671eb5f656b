import { FILTER_LIMITS } from './limits.ts';
import { mistake, type Span } from './mistake.ts';

/**
 * Tokens of an expression. A word is anything that may be a name or a value without quotes: its type decides
 * later what it means (`200ms`, `10.0.0.0/8`, `fe80::1`, `2026-11-21T10:00:00Z`, `no-response`, `user_agent`).
 */
export interface Token extends Span {
  readonly kind: 'word' | 'text' | 'sign' | 'end';
  /** Words and signs as written; texts without quotes, escapes resolved. */
  readonly value: string;
}

/** Longest first. */
const SIGNS = ['!~*', '==', '!=', '<=', '>=', '&&', '||', '!~', '~*', '..', '<', '>', '~', '!', '(', ')', '{', '}', '[', ']', ',']; // biome-ignore format: a list
/** What people write in other languages, and what it is here. */
const FOREIGN: readonly (readonly [sign: string, instead: string])[] = [
  ['===', '=='],
  ['!==', '!='],
  ['=~', '~'],
  ['<>', '!='],
  ['=<', '<='],
  ['=>', '>='],
];
const WORD_CHARACTER = /[\p{L}\p{N}_.:/+\-%µ]/u;
const SPACE = /\s/;

/** All tokens of the expression, the last of kind `end`. Throws UserError. Cost: linear. */
export function tokenize(text: string): readonly Token[] {
  if (text.length > FILTER_LIMITS.characters) {
    throw mistake(
      text,
      { start: FILTER_LIMITS.characters, end: FILTER_LIMITS.characters + 1 },
      `the expression is longer than ${FILTER_LIMITS.characters} characters`,
    );
  }
  const tokens: Token[] = [];
  let at = 0;
  while (at < text.length) {
    if (SPACE.test(text[at])) {
      at += 1;
      continue;
    }
    const token = tokenAt(text, at);
    tokens.push(token);
    at = token.end;
  }
  tokens.push({ kind: 'end', value: '', start: text.length, end: text.length + 1 });
  return tokens;
}

function tokenAt(text: string, start: number): Token {
  const first = text[start];
  if (first === '"' || first === "'") return textAt(text, start);
  const end = wordEnd(text, start);
  if (end > start) return { kind: 'word', value: text.slice(start, end), start, end };
  for (const [sign, instead] of FOREIGN) {
    if (!text.startsWith(sign, start)) continue;
    throw mistake(text, { start, end: start + sign.length }, `there is no ${sign}`, `use ${instead}`);
  }
  for (const sign of SIGNS) {
    if (text.startsWith(sign, start)) return { kind: 'sign', value: sign, start, end: start + sign.length };
  }
  throw unexpected(text, start);
}

function unexpected(text: string, start: number): Error {
  const character = String.fromCodePoint(text.codePointAt(start) ?? 0);
  const hints: Readonly<Record<string, string>> = {
    '=': 'use == to compare',
    '&': 'use && or the word and',
    '|': 'use || or the word or',
    '*': 'patterns are regular expressions in quotes, as host ~ "^api"',
    '“': 'use plain quotes, "…"',
    '”': 'use plain quotes, "…"',
    '‘': "use plain quotes, '…'",
    '’': "use plain quotes, '…'",
    '`': 'use plain quotes, "…"',
  };
  return mistake(
    text,
    { start, end: start + character.length },
    `unexpected ${character}`,
    hints[character] ?? 'texts stand in quotes, "…"',
  );
}

/** A word ends before `..`, which makes a range of two. */
function wordEnd(text: string, start: number): number {
  let at = start;
  while (at < text.length) {
    const character = String.fromCodePoint(text.codePointAt(at) ?? 0);
    if (!WORD_CHARACTER.test(character)) break;
    if (character === '.' && text[at + 1] === '.') break;
    at += character.length;
  }
  return at;
}

const ESCAPES: Readonly<Record<string, string>> = {
  '\\': '\\',
  '"': '"',
  "'": "'",
  n: '\n',
  r: '\r',
  t: '\t',
};
const CODE_POINT = /u\{([0-9a-fA-F]{1,6})\}/y;

/**
 * A quoted text. A backslash before anything that is no escape stays, so that `"\d+\.html"` is the regular
 * expression that it looks like.
 */
function textAt(text: string, start: number): Token {
  const quote = text[start];
  let value = '';
  let at = start + 1;
  while (at < text.length && text[at] !== quote) {
    if (text[at] !== '\\') {
      value += text[at];
      at += 1;
      continue;
    }
    const next = text[at + 1] ?? '';
    const known = ESCAPES[next];
    if (known !== undefined) {
      value += known;
      at += 2;
      continue;
    }
    CODE_POINT.lastIndex = at + 1;
    const point = CODE_POINT.exec(text);
    if (point === null) {
      value += '\\';
      at += 1;
      continue;
    }
    const end = at + 1 + point[0].length;
    const code = Number.parseInt(point[1], 16);
    if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
      throw mistake(text, { start: at, end }, `\\${point[0]} is no character`);
    value += String.fromCodePoint(code);
    at = end;
  }
  if (at >= text.length) {
    throw mistake(
      text,
      { start, end: start + 1 },
      'the text that begins here has no end',
      `close it with ${quote}`,
    );
  }
  return { kind: 'text', value, start, end: at + 1 };
}

const QUOTED: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  '"': '\\"',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
};

/** A text as the language reads it back. */
export function quoted(text: string): string {
  return `"${text.replace(
    /[\\"\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
    (one) => QUOTED[one] ?? `\\u{${(one.codePointAt(0) ?? 0).toString(16)}}`,
  )}"`;
}
