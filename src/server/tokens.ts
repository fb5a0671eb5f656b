import { createHash, timingSafeEqual } from 'node:crypto';
import { EXIT, UserError } from '../model/errors.ts';

/** Characters of RFC 6750 §2.1 (b64token). */
const TOKEN = /^[A-Za-z0-9._~+/-]+=*$/;
export const SHORTEST_TOKEN = 8;
export const LONGEST_TOKEN = 1024;

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/**
 * The tokens of one kind. Holds their digests only. `has` takes as long for a wrong token as for a right one, and does
 * not tell how much of it was right.
 */
export class TokenSet {
  readonly #digests: readonly Buffer[];

  private constructor(digests: readonly Buffer[]) {
    this.#digests = digests;
  }

  /**
   * One token a line; empty lines and lines that begin with `#` are skipped. Several tokens are valid at once, so that
   * they can be changed one after the other. `source`: the file or the variable, for errors; no token is ever in one.
   *
   * @throws UserError `token`, exit code 2: there is none, or one is too short or holds other characters
   */
  static parse(text: string, source: string): TokenSet {
    const tokens: string[] = [];
    for (const [index, line] of text.split('\n').entries()) {
      const token = line.trim();
      if (token === '' || token.startsWith('#')) continue;
      const problem = problemOf(token);
      if (problem !== null) throw tokenError(`${source}, line ${index + 1}: ${problem}`);
      tokens.push(token);
    }
    if (tokens.length === 0) throw tokenError(`${source} holds no token`);
    return new TokenSet(tokens.map(digest));
  }

  get size(): number {
    return this.#digests.length;
  }

  has(token: string): boolean {
    const wanted = digest(token);
    let found = false;
    for (const known of this.#digests) found = timingSafeEqual(known, wanted) || found;
    return found;
  }

  /** True when some token is in both. */
  overlaps(other: TokenSet): boolean {
    return this.#digests.some((one) => other.#digests.some((two) => timingSafeEqual(one, two)));
  }
}

function problemOf(token: string): string | null {
  if (token.length < SHORTEST_TOKEN) return `a token must have ${SHORTEST_TOKEN} characters or more`;
  if (token.length > LONGEST_TOKEN) return `a token must have no more than ${LONGEST_TOKEN} characters`;
  if (!TOKEN.test(token)) return 'a token may hold only letters, digits and . _ ~ + / - =';
  return null;
}

function tokenError(message: string): UserError {
  return new UserError('token', message, {
    hint: 'write one token a line, as `openssl rand -hex 24` makes them',
    exitCode: EXIT.usage,
  });
}
