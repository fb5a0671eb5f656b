import { EXIT, UserError } from '../model/errors.ts';

/** Where in the expression something is wrong: `[start, end)` in UTF-16 units. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** A mistake in an expression: a UserError that shows the place. `hint` says what to write instead. */
export function mistake(text: string, { start, end }: Span, message: string, hint?: string): UserError {
  return new UserError('filter', `filter: ${message}`, {
    exitCode: EXIT.usage,
    excerpt: { text, start, end },
    ...(hint === undefined ? {} : { hint }),
  });
}

/** Characters of a word that messages repeat. */
const SHOWN_CHARACTERS = 40;

/** A word for a message: the excerpt shows all of it. */
export function shortened(word: string): string {
  return word.length <= SHOWN_CHARACTERS ? word : `${word.slice(0, SHOWN_CHARACTERS)}…`;
}
