import * as errors from '../../model/sent-error.ts';
import { StoreUnavailable } from '../exchange-store.ts';
import type { SentStoreError } from './messages.ts';

/** The store's own errors on their way between threads, beside those that everybody has. */

export function packError(error: unknown): SentStoreError {
  if (!(error instanceof StoreUnavailable)) return errors.packError(error);
  const { code, message, retry } = error;
  return { kind: 'unavailable', code, message, retry };
}

export function unpackError(sent: SentStoreError): Error {
  return sent.kind === 'unavailable'
    ? new StoreUnavailable(sent.code, sent.message, sent.retry)
    : errors.unpackError(sent);
}
