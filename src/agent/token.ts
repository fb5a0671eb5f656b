import { readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { readProblem } from '../model/read-problem.ts';

/** Longer than any token; a larger file is something else. */
const MOST_BYTES = 64 * 1024;
/** The file is looked at again no more often. */
const REST_MS = 1000;

/** A token that can be used: one word of visible ASCII. */
const TOKEN = /^[\x21-\x7e]{1,4096}$/;

export interface TokenSource {
  /** The token now; null: there is none, see `problem`. */
  readonly current: () => string | null;
  /** Why there is none; null: there is one, or none is wanted. Never holds the token. */
  problem(): string | null;
}

/** A token that does not change; null: none is sent. */
export function fixedToken(token: string | null): TokenSource {
  return { current: () => token, problem: () => null };
}

/**
 * A token in a file that may come later and change: its first line that is neither empty nor a
 * comment (#). It is read
 * again for every request, at most once a second.
 */
export function tokenFile(path: string, now: () => number = () => performance.now()): TokenSource {
  let token: string | null = null;
  let problem: string | null = null;
  let readMs = Number.NEGATIVE_INFINITY;
  const refresh = (): void => {
    if (now() - readMs < REST_MS) return;
    readMs = now();
    try {
      const bytes = readFileSync(path);
      const word = bytes.length > MOST_BYTES ? '' : firstLine(bytes.toString('latin1'));
      problem = TOKEN.test(word) ? null : `there is no token in ${path}`;
      token = problem === null ? word : null;
    } catch (error) {
      // Kept: a file is away for a moment while it is replaced.
      problem = token === null ? `the token in ${path} cannot be read: ${readProblem(error)}` : null;
    }
  };
  return {
    current: () => {
      refresh();
      return token;
    },
    problem: () => {
      refresh();
      return problem;
    },
  };
}

function firstLine(text: string): string {
  const lines = text.split('\n').map((line) => line.trim());
  return lines.find((line) => line !== '' && !line.startsWith('#')) ?? '';
}
