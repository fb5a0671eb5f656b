import { type Excerpt, UserError } from '../../model/errors.ts';

const MESSAGE_CHARACTERS = 1000;
/** `Binder Error: what is wrong` and, under it, the line with a caret as DuckDB draws them. */
const DRAWN = /\n+LINE (\d+): ([^\n]*)\n( *)\^\s*$/;
const KIND = /^(?:Binder|Parser|Catalog|Conversion|Invalid Input|Invalid type|Syntax) Error: /i;
/** What is marked: the word that begins at the caret. */
const WORD = /^(?:"[^"]*"|'[^']*'|[\p{L}\p{N}_]+|.)/u;

/** SQL of people that DuckDB does not take: UserError `sql-wrong`. `hidden` (the data directory) is left out of its message. */
export function sqlMistake(message: string, hidden: string, cause: unknown): UserError {
  const shown = message.replaceAll(hidden, '…');
  const drawn = DRAWN.exec(shown);
  if (drawn === null) return mistake(shown, null, cause);
  const [, number, text, spaces] = drawn;
  const start = Math.max(0, spaces.length - `LINE ${number}: `.length);
  return mistake(shown.slice(0, drawn.index), excerptAt(text, start), cause);
}

/** The same for what only the parser has seen; `position`: in code points of `sql`, null: not known. */
export function syntaxMistake(message: string, sql: string, position: number | null): UserError {
  if (position === null) return mistake(message, null, undefined);
  const before = Array.from(sql).slice(0, position).join('');
  const lineStart = before.lastIndexOf('\n') + 1;
  const line = sql.slice(lineStart).split('\n', 1)[0];
  return mistake(message, excerptAt(line, before.length - lineStart), undefined);
}

function excerptAt(text: string, start: number): Excerpt {
  const word = WORD.exec(text.slice(start))?.[0] ?? '';
  return { text, start, end: start + Math.max(1, word.length) };
}

function mistake(message: string, excerpt: Excerpt | null, cause: unknown): UserError {
  const sentence = message.replace(KIND, '').replace(/\s+/g, ' ').trim().slice(0, MESSAGE_CHARACTERS);
  return new UserError('sql-wrong', sentence, {
    ...(excerpt === null ? {} : { excerpt }),
    ...(cause === undefined ? {} : { cause }),
  });
}
