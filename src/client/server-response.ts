import { EXIT, type Excerpt, UserError } from '../model/errors.ts';

/** A complete answer. */
export interface ServerResponse {
  /** 200 to 599, but no redirect. */
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Uncompressed; belongs to the caller. */
  readonly body: Buffer;
}

/**
 * What became of a request.
 * - `ok`: done.
 * - `retry`: the same request may succeed later: the server is busy, or somebody else answers in its place.
 * - `denied`: the token is wrong or missing (401, 403). It may be put right later, so retried slowly by who must not lose.
 * - `refused`: the same request will never succeed.
 */
export type Verdict = 'ok' | 'retry' | 'denied' | 'refused';

/** Statuses of 4xx that say "not now". */
const LATER = new Set([408, 425, 429]);
/** Most of a text from a peer that an error repeats, in characters. */
const LONGEST_QUOTE = 300;
/** Longest that `Retry-After` can make anybody wait: an hour. */
const LONGEST_RETRY_AFTER_MS = 3_600_000;

/** The verdict that the status alone allows. Redirects count as `retry`: they are about the address, not the request. */
export function classify(status: number): Verdict {
  if (status >= 200 && status < 300) return 'ok';
  if (status === 401 || status === 403) return 'denied';
  if (status < 400 || status >= 500 || LATER.has(status)) return 'retry';
  return 'refused';
}

/**
 * The verdict of status and body. A 4xx that is not in the words of a Wirelens server comes from something in between
 * or from a wrong address, and says nothing about the request: `retry`. Only 413 is believed of anybody, because a
 * proxy that finds a body too large will find it so again.
 */
export function verdictOf(response: ServerResponse): Verdict {
  const byStatus = classify(response.status);
  if (byStatus !== 'refused' || response.status === 413) return byStatus;
  return errorOf(response) === null ? 'retry' : 'refused';
}

/** What a Wirelens server says in an answer that is an error. */
export interface ServerError {
  /** A sentence; from a peer, so to be sanitised before a terminal sees it. */
  readonly error: string;
  /** Kebab-case; null in answers to LightObs records. */
  readonly code: string | null;
  readonly hint: string | null;
  /** The part of the text that the caller sent which is wrong; null: it is not about a text. */
  readonly excerpt: Excerpt | null;
}

/** Reads `{"error": …, "code": …}`; null: the answer is not in the words of a Wirelens server. */
export function errorOf({ body }: ServerResponse): ServerError | null {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body.toString('utf8'));
  } catch {
    return null;
  }
  if (typeof parsed !== 'object' || parsed === null) return null;
  const { error, code, hint, excerpt } = parsed as Record<string, unknown>;
  if (typeof error !== 'string') return null;
  return {
    error: error.slice(0, LONGEST_QUOTE),
    code: typeof code === 'string' && /^[a-z0-9-]{1,64}$/.test(code) ? code : null,
    hint: typeof hint === 'string' ? hint.slice(0, LONGEST_QUOTE) : null,
    excerpt: excerptOf(excerpt),
  };
}

function excerptOf(value: unknown): Excerpt | null {
  if (typeof value !== 'object' || value === null) return null;
  const { text, start, end } = value as Record<string, unknown>;
  if (typeof text !== 'string' || !Number.isSafeInteger(start) || !Number.isSafeInteger(end)) return null;
  const [from, to] = [start as number, end as number];
  return from >= 0 && from <= to && to <= text.length ? { text, start: from, end: to } : null;
}

/** The wait that the server asks for in `Retry-After`, in ms; null: none, or not readable. RFC 9110 §10.2.3. */
export function retryAfterMs({ headers }: ServerResponse, nowMs = Date.now()): number | null {
  const value = headers['retry-after'];
  if (typeof value !== 'string') return null;
  const seconds = /^\d{1,9}$/.test(value) ? Number(value) * 1000 : Date.parse(value) - nowMs;
  if (!Number.isFinite(seconds)) return null;
  return Math.min(LONGEST_RETRY_AFTER_MS, Math.max(0, seconds));
}

/**
 * An answer that is no success, as an error for people: what was answered, by whom, and what to do. `url`: the
 * server's address as it may be shown.
 */
export function failureOf(response: ServerResponse, url: string): UserError {
  const { status } = response;
  const said = errorOf(response);
  if (status === 401) {
    return new UserError('unauthorised', `${url} does not accept the token${quoted(said)}`, {
      hint: 'give the right one with --token-file or in WIRELENS_TOKEN',
    });
  }
  if (status === 403) {
    return new UserError('forbidden', `${url} does not allow this with the token given${quoted(said)}`, {
      hint: 'agents and readers have tokens of their own',
    });
  }
  if (said === null) {
    if (status === 404 || status === 405 || status === 400) {
      return new UserError('no-wirelens-server', `what answers at ${url} is no Wirelens server (${status})`, {
        hint: 'check address and port',
      });
    }
    return new UserError('server-failed', `${url} answered ${status}`, {
      hint: status >= 500 ? 'its log says why' : 'something between here and the server may have answered',
    });
  }
  const hint = {
    ...(said.hint === null ? {} : { hint: said.hint }),
    ...(said.excerpt === null ? {} : { excerpt: said.excerpt }),
  };
  if (status >= 500)
    return new UserError(said.code ?? 'server-failed', `${url} cannot answer now: ${said.error}`, hint);
  const exitCode = status === 400 || status === 422 ? EXIT.usage : EXIT.failed;
  return new UserError(said.code ?? 'refused', `the server says: ${said.error}`, { ...hint, exitCode });
}

function quoted(said: ServerError | null): string {
  return said === null ? '' : ` (${said.error})`;
}
