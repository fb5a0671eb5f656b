import { UserError } from '../../model/errors.ts';
import { type ListQuery, SORTS, type Sort } from '../exchange-store.ts';

/** Where a page ended: the sort key of its last row (null: it has none) and its id. */
export interface Position {
  readonly key: number | null;
  readonly id: number;
}

export function encodeCursor(sort: Sort, descending: boolean, { key, id }: Position): string {
  return Buffer.from(JSON.stringify([SORTS.indexOf(sort), descending ? 1 : 0, key, id])).toString(
    'base64url',
  );
}

const CURSOR_CHARACTERS = 200;

/** Throws UserError `cursor` when the text is none, or is of another order. */
export function decodeCursor(
  text: string,
  { sort, descending }: Pick<ListQuery, 'sort' | 'descending'>,
): Position {
  let parts: unknown;
  try {
    parts =
      text.length > CURSOR_CHARACTERS ? null : JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
  } catch {
    parts = null;
  }
  if (!Array.isArray(parts) || parts.length !== 4) throw bad('this is no cursor that a page gave');
  const [sortNumber, order, key, id] = parts as unknown[];
  if (!Number.isSafeInteger(id) || !(key === null || (typeof key === 'number' && Number.isFinite(key))))
    throw bad('this is no cursor that a page gave');
  if (SORTS[sortNumber as number] !== sort || order !== (descending ? 1 : 0))
    throw bad('this cursor is of a page in another order');
  return { key: key as number | null, id: id as number };
}

function bad(message: string): UserError {
  return new UserError('cursor', message, {
    hint: 'ask for the first page again, with the same sort and order',
  });
}
