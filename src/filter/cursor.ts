import { type Token, tokenize } from './lexer.ts';
import { mistake, type Span } from './mistake.ts';

/** A place in the tokens of an expression. Never moves beyond the token `end`. */
export class Cursor {
  readonly #text: string;
  readonly #tokens: readonly Token[];
  #at = 0;

  /** Throws UserError for what is no token. */
  constructor(text: string) {
    this.#text = text;
    this.#tokens = tokenize(text);
  }

  /** The token here, or one further on. */
  peek(ahead = 0): Token {
    return this.#tokens[Math.min(this.#at + ahead, this.#tokens.length - 1)];
  }

  next(): Token {
    const token = this.peek();
    this.#at += 1;
    return token;
  }

  isSign(sign: string, ahead = 0): boolean {
    const token = this.peek(ahead);
    return token.kind === 'sign' && token.value === sign;
  }

  /** Case does not matter. */
  isWord(word: string, ahead = 0): boolean {
    const token = this.peek(ahead);
    return token.kind === 'word' && token.value.toLowerCase() === word;
  }

  /** Steps over the sign or the word, if it is here. */
  accept(sign: string, word?: string): boolean {
    const found = this.isSign(sign) || (word !== undefined && this.isWord(word));
    if (found) this.#at += 1;
    return found;
  }

  mistake(span: Span, message: string, hint?: string): Error {
    return mistake(this.#text, span, message, hint);
  }
}
