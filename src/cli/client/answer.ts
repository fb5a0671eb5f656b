import { UserError } from '../../model/errors.ts';

/** A JSON object that a server sent: nothing about it is certain. */
export type AnswerObject = Readonly<Record<string, unknown>>;
/** An object whose values are texts, numbers and nulls: a row of a table. */
export type AnswerRow = Readonly<Record<string, string | number | null>>;

function strange(what: string): UserError {
  return new UserError('strange-answer', `the server's answer is not understood: ${what}`, {
    hint: 'is it a Wirelens server, and not a newer one than this program knows?',
  });
}

/** @throws UserError when it is no object */
export function answerObject(value: unknown, what = 'it is no object'): AnswerObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw strange(what);
  return value as AnswerObject;
}

/** The list under `key`. @throws UserError when it is none */
export function answerList(value: unknown, key: string): readonly unknown[] {
  const list = answerObject(value)[key];
  if (!Array.isArray(list)) throw strange(`there is no list '${key}'`);
  return list as unknown[];
}

/** A flat object as a row: booleans become text, objects and lists JSON. @throws UserError when it is no object */
export function answerRow(value: unknown): AnswerRow {
  const row: Record<string, string | number | null> = Object.create(null);
  for (const [name, one] of Object.entries(answerObject(value, 'a row is no object'))) {
    row[name] =
      one === null || typeof one === 'string' || typeof one === 'number' ? one : JSON.stringify(one);
  }
  return row;
}

export function answerRows(value: unknown, key: string): AnswerRow[] {
  return answerList(value, key).map(answerRow);
}

/** A number; null: there is none. */
export function numberOf(row: AnswerObject, name: string): number | null {
  const value = row[name];
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

/** A text, as the server sent it: not safe for a terminal. null: there is none. */
export function textOf(row: AnswerObject, name: string): string | null {
  const value = row[name];
  return typeof value === 'string' ? value : null;
}
