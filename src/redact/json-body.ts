import type { RedactionRules } from './rules.ts';
import { isSecretName } from './words.ts';

/** Deeper nesting is masked without structure. */
const DEEPEST = 256;
/** Longer strings get filler instead of a pseudonym. */
const LONGEST_PSEUDONYM = 256;
/** Stands in place of every byte that is not understood. */
export const BODY_FILLER = '?';

/**
 * Masks a JSON text (RFC 8259), or JSON texts after each other, at equal length: punctuation, white space,
 * `true`, `false`, `null` and names that look like names stay. From the first thing that is no JSON on, and behind
 * the place where it was cut, only filler remains.
 */
export function maskJson(text: string, rules: RedactionRules): string {
  return new JsonMasker(text, rules).mask();
}

class JsonMasker {
  readonly #text: string;
  readonly #rules: RedactionRules;
  readonly #parts: string[] = [];
  /** `{` or `[` of what is open, outermost first. */
  readonly #open: string[] = [];
  #at = 0;
  /** A name has to come next, as far as a string may be one. */
  #nameNext = false;
  #name = '';

  constructor(text: string, rules: RedactionRules) {
    this.#text = text;
    this.#rules = rules;
  }

  mask(): string {
    while (this.#at < this.#text.length && this.#step()) {
      // Everything happens in the steps.
    }
    return this.#parts.join('') + BODY_FILLER.repeat(this.#text.length - this.#at);
  }

  /** Takes one token; false: it is none. */
  #step(): boolean {
    const character = this.#text[this.#at]!;
    switch (character) {
      case ' ':
      case '\t':
      case '\r':
      case '\n':
      case ':':
        return this.#take(character);
      case ',':
        this.#nameNext = this.#open.at(-1) === '{';
        return this.#take(character);
      case '{':
      case '[':
        if (this.#open.length >= DEEPEST) return false;
        this.#open.push(character);
        this.#nameNext = character === '{';
        return this.#take(character);
      case '}':
      case ']':
        if (this.#open.pop() !== (character === '}' ? '{' : '[')) return false;
        this.#nameNext = false;
        return this.#take(character);
      case '"':
        return this.#string();
      default:
        return this.#literal();
    }
  }

  #take(shown: string): boolean {
    this.#parts.push(shown);
    this.#at += shown.length;
    return true;
  }

  #string(): boolean {
    let end = this.#at + 1;
    while (end < this.#text.length && this.#text[end] !== '"') end += this.#text[end] === '\\' ? 2 : 1;
    if (end >= this.#text.length) return false;
    const content = this.#text.slice(this.#at + 1, end);
    if (this.#nameNext) {
      this.#nameNext = false;
      this.#name = content;
      const shown = this.#rules.name(content);
      if (shown !== content) this.#rules.replaced.add('JSON names');
      return this.#take(`"${plain(shown)}"`);
    }
    this.#rules.replaced.add('JSON values', this.#name);
    return this.#take(`"${this.#value(content)}"`);
  }

  #value(content: string): string {
    const isSecret = isSecretName(this.#name);
    if (isSecret) this.#rules.secrets.note(content);
    if (content.length > LONGEST_PSEUDONYM || /[\\\u0000-\u001f]/.test(content))
      return 'x'.repeat(content.length);
    return plain(this.#rules.mask(content));
  }

  #literal(): boolean {
    const rest = this.#text.slice(this.#at, this.#at + 64);
    const word = /^(?:true|false|null)(?![A-Za-z0-9_])/.exec(rest)?.[0];
    if (word !== undefined) return this.#take(word);
    const number = /^-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.+-])/.exec(rest)?.[0];
    if (number === undefined || number.length === 64) return false;
    this.#rules.replaced.add('JSON values', this.#name);
    const digits = number.replace(/\D/g, '');
    if (isSecretName(this.#name)) this.#rules.secrets.note(digits);
    const masked = this.#rules.mask(digits);
    let index = 0;
    return this.#take(number.replace(/\d/g, () => masked[index++]!));
  }
}

/** Without what would end or spoil a string. */
function plain(text: string): string {
  return text.replace(/["\\\u0000-\u001f]/g, '*');
}
