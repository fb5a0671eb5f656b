import { UserError } from '../../model/errors.ts';
import { StoreUnavailable } from '../exchange-store.ts';
import type { SentError } from './messages.ts';

/** Errors on their way between threads, which keep neither class nor own fields. */

export function packError(error: unknown): SentError {
  if (error instanceof UserError) {
    const { code, message, hint, exitCode, place, excerpt } = error;
    return { kind: 'user', code, message, hint, exitCode, file: place.file ?? null, excerpt };
  }
  if (error instanceof StoreUnavailable) {
    const { code, message, retry } = error;
    return { kind: 'unavailable', code, message, retry };
  }
  if (error instanceof Error) return { kind: 'other', message: error.message, stack: error.stack ?? '' };
  return { kind: 'other', message: String(error), stack: '' };
}

export function unpackError(sent: SentError): Error {
  switch (sent.kind) {
    case 'user':
      return new UserError(sent.code, sent.message, {
        exitCode: sent.exitCode,
        ...(sent.hint === null ? {} : { hint: sent.hint }),
        ...(sent.excerpt === null ? {} : { excerpt: sent.excerpt }),
        ...(sent.file === null ? {} : { place: { file: sent.file } }),
      });
    case 'unavailable':
      return new StoreUnavailable(sent.code, sent.message, sent.retry);
    case 'other': {
      const error = new Error(sent.message);
      if (sent.stack !== '') error.stack = sent.stack;
      return error;
    }
  }
}
