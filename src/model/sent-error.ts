import { type Excerpt, UserError } from './errors.ts';

/** An error in a form that can be sent between threads, where errors keep neither class nor own fields. */
export type SentError =
  | {
      readonly kind: 'user';
      readonly code: string;
      readonly message: string;
      readonly hint: string | null;
      readonly exitCode: number;
      readonly file: string | null;
      readonly excerpt: Excerpt | null;
    }
  | { readonly kind: 'other'; readonly message: string; readonly stack: string };

export function packError(error: unknown): SentError {
  if (error instanceof UserError) {
    const { code, message, hint, exitCode, place, excerpt } = error;
    return { kind: 'user', code, message, hint, exitCode, file: place.file ?? null, excerpt };
  }
  if (error instanceof Error) return { kind: 'other', message: error.message, stack: error.stack ?? '' };
  return { kind: 'other', message: String(error), stack: '' };
}

export function unpackError(sent: SentError): Error {
  if (sent.kind === 'user') {
    return new UserError(sent.code, sent.message, {
      exitCode: sent.exitCode,
      ...(sent.hint === null ? {} : { hint: sent.hint }),
      ...(sent.excerpt === null ? {} : { excerpt: sent.excerpt }),
      ...(sent.file === null ? {} : { place: { file: sent.file } }),
    });
  }
  const error = new Error(sent.message);
  if (sent.stack !== '') error.stack = sent.stack;
  return error;
}
