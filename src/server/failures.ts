import { describeError, UserError } from '../model/errors.ts';
import { StoreUnavailable } from '../store/exchange-store.ts';
import { AnswerError } from './answer-error.ts';
import { type ValidationFailure, validationSentence } from './validation.ts';

/** The body of every answer that is no success. */
export interface ErrorAnswer {
  readonly error: string;
  readonly code: string;
  readonly hint?: string;
  readonly excerpt?: { readonly text: string; readonly start: number; readonly end: number };
  /** Of an upload: row from 1, and name of the column. */
  readonly row?: number;
  readonly column?: string;
}

export interface Failure {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: ErrorAnswer;
  /** Our own mistake, or the machine's: somebody should look at it. */
  readonly unexpected: boolean;
}

/** Codes of UserError that are not 400. */
const STATUS: Readonly<Record<string, number>> = { 'too-large': 413, 'not-found': 404, 'sql-off': 403 };
/** Seconds after which it is worth trying again. */
const RETRY_AFTER_S: Readonly<Record<string, number>> = { busy: 1, 'disk-full': 10 };
const RETRY_AFTER_OTHERWISE_S = 5;

interface FrameworkError {
  readonly statusCode?: number;
  readonly code?: string;
  readonly message?: string;
  readonly validation?: readonly ValidationFailure[];
  readonly validationContext?: string;
}

/** What the framework says, in our words; it never comes from handlers. */
const FRAMEWORK: Readonly<Record<string, readonly [status: number, code: string, message: string]>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: [413, 'too-large', 'the body is too large'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: [
    415,
    'unsupported-content-type',
    'bodies of this type are not understood here',
  ],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: [
    400,
    'cut-body',
    'the body is shorter or longer than Content-Length says',
  ],
  FST_ERR_BAD_URL: [400, 'invalid-path', 'the path is not well formed'],
  FST_ERR_MAX_PARAM_LENGTH: [414, 'path-too-long', 'a part of the path is too long'],
};

/** Turns whatever was thrown while a request was served into its answer. Never throws, never tells of our insides. */
export function failureOf(error: unknown): Failure {
  if (error instanceof AnswerError) {
    const { status, code, message, hint, headers } = error;
    return failure(status, { error: message, code, ...(hint === null ? {} : { hint }) }, headers);
  }
  if (error instanceof UserError) return userFailure(error);
  if (error instanceof StoreUnavailable) {
    const seconds = RETRY_AFTER_S[error.code] ?? RETRY_AFTER_OTHERWISE_S;
    const body = { error: error.message, code: error.code };
    const headers = error.retry ? { 'retry-after': String(seconds) } : {};
    return { status: 503, headers, body, unexpected: error.code === 'failed' };
  }
  return frameworkFailure((error ?? {}) as FrameworkError);
}

function userFailure(error: UserError): Failure {
  const { code, hint, excerpt } = error;
  const { row, column } = error.place;
  const whole = describeError(error);
  return failure(STATUS[code] ?? 400, {
    // With the place, and without the hint, which has a field of its own.
    error: hint === null ? whole : whole.slice(0, -(hint.length + 2)),
    code,
    ...(hint === null ? {} : { hint }),
    ...(row === undefined ? {} : { row }),
    ...(column === undefined ? {} : { column }),
    ...(excerpt === null ? {} : { excerpt: { text: excerpt.text, start: excerpt.start, end: excerpt.end } }),
  });
}

function frameworkFailure(error: FrameworkError): Failure {
  if (error.validation !== undefined) {
    const { message, hint } = validationSentence(error.validation, error.validationContext ?? 'request');
    return failure(400, { error: message, code: 'invalid-request', ...(hint === null ? {} : { hint }) });
  }
  const known = FRAMEWORK[error.code ?? ''];
  if (known !== undefined) return failure(known[0], { error: known[2], code: known[1] });
  const { statusCode = 500 } = error;
  if (statusCode >= 400 && statusCode < 500)
    return failure(statusCode, {
      error: error.message ?? 'the request cannot be served',
      code: 'invalid-request',
    });
  return {
    status: 500,
    headers: {},
    body: { error: 'the server failed; its log says more', code: 'internal' },
    unexpected: true,
  };
}

function failure(status: number, body: ErrorAnswer, headers: Readonly<Record<string, string>> = {}): Failure {
  return { status, headers, body, unexpected: false };
}
