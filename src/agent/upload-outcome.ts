import { retryAfterMs, type ServerResponse, verdictOf } from '../client/server-response.ts';
import { ServerUnreachable } from '../client/server-unreachable.ts';
import { UserError } from '../model/errors.ts';

/**
 * What becomes of a batch after a request.
 * - `stored`: the server has it, now or since an earlier request.
 * - `later`: try again after the usual back-off, and not before `afterMs`.
 * - `slowly`: somebody must put something right first (token, address, version); try now and then.
 * - `never`: the server looked at it and will not take it.
 */
export type UploadOutcome =
  | { readonly kind: 'stored'; readonly repeated: boolean }
  | { readonly kind: 'later'; readonly problem: string; readonly reason: string; readonly afterMs: number }
  | { readonly kind: 'slowly'; readonly problem: string; readonly reason: string }
  | { readonly kind: 'never'; readonly problem: string; readonly reason: string };

/** 4xx that say "not now" (RFC 9110, RFC 6585, RFC 8470). */
const NOT_NOW = new Set([408, 425, 429]);
/** Refusals that are about the batch itself. All others are about who asks, where, or the server's version. */
const ABOUT_THE_BATCH = new Set([400, 413, 422]);

/** `told`: the answer as an error for people, see ServerClient.failureOf. */
export function outcomeOfAnswer(
  response: ServerResponse,
  told: (response: ServerResponse) => UserError,
): UploadOutcome {
  const verdict = verdictOf(response);
  if (verdict === 'ok') return storedOf(response);
  const error = told(response);
  const problem = error.message;
  const reason = `http-${response.status}`;
  if (verdict === 'retry' && (response.status >= 500 || NOT_NOW.has(response.status)))
    return { kind: 'later', problem, reason, afterMs: retryAfterMs(response) ?? 0 };
  if (verdict === 'refused' && ABOUT_THE_BATCH.has(response.status))
    return { kind: 'never', problem, reason };
  return { kind: 'slowly', problem, reason };
}

/** Only the words of a Wirelens server count: a captive portal says 200 to everything. */
function storedOf(response: ServerResponse): UploadOutcome {
  try {
    const answer = JSON.parse(response.body.toString('utf8')) as Record<string, unknown> | null;
    const { stored, joined, repeated } = answer ?? {};
    if (isCount(stored) && isCount(joined) && typeof repeated === 'boolean')
      return { kind: 'stored', repeated };
  } catch {
    // Told below.
  }
  return {
    kind: 'slowly',
    problem: `what answers with ${response.status} is no Wirelens server; check the address`,
    reason: 'not-wirelens',
  };
}

const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;

/** What an error of the request means. */
export function outcomeOfError(error: unknown): UploadOutcome {
  if (error instanceof ServerUnreachable) {
    const problem = error.hint === null ? error.message : `${error.message}; ${error.hint}`;
    return { kind: 'later', problem, reason: error.code, afterMs: 0 };
  }
  if (error instanceof UserError) return { kind: 'slowly', problem: error.message, reason: error.code };
  // Our own mistake: the capture goes on, and people see it.
  return { kind: 'slowly', problem: `internal error: ${String(error)}`, reason: 'internal' };
}
