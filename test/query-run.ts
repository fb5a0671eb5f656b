import { spawn } from 'node:child_process';
import path from 'node:path';
import { afterEach, beforeEach } from 'vitest';
import { StubServer } from './stub-server.ts';

/** `wirelens query` in a process of its own, against a stub of the server. */

const WIRELENS = path.resolve(import.meta.dirname, '../bin/wirelens.js');

/** How a command ended, and what it wrote. */
export interface QueryRun {
  /** null: a signal ended it. */
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** What is around a command beside its words. */
export interface Surroundings {
  readonly env?: Record<string, string>;
  /** Called with what came out until now; true ends it by SIGINT. */
  readonly until?: (out: string, err: string) => boolean;
  /** Standard output is closed when so many characters have come. */
  readonly readBytes?: number;
}

/** Runs `wirelens query` with these words after it. */
export type Query = (args: readonly string[], surroundings?: Surroundings) => Promise<QueryRun>;

/**
 * A server for each test of the calling file, handed to `begun` before the test and stopped after it. What is given
 * asks that server, with a token that it accepts.
 */
export function queryPerTest(begun: (stub: StubServer) => void): Query {
  let stub: StubServer;
  beforeEach(async () => {
    stub = await StubServer.start({ token: 'sesam' });
    begun(stub);
  });
  afterEach(() => stub.stop());
  return (args, surroundings = {}) => runQuery(stub.url, args, surroundings);
}

function runQuery(
  url: string,
  args: readonly string[],
  { env = {}, until, readBytes }: Surroundings,
): Promise<QueryRun> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [WIRELENS, 'query', ...args], {
      env: { PATH: process.env.PATH, WIRELENS_SERVER: url, WIRELENS_TOKEN: 'sesam', ...env },
    });
    let out = '';
    let err = '';
    const look = (): void => {
      if (until?.(out, err)) child.kill('SIGINT');
    };
    child.stdout.on('data', (data: Buffer) => {
      out += data;
      if (readBytes !== undefined && out.length >= readBytes) child.stdout.destroy();
      look();
    });
    child.stderr.on('data', (data: Buffer) => {
      err += data;
      look();
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, out, err }));
    child.stdin.end();
  });
}

/** The lines of a text, empty ones left out. */
export function linesOf(text: string): string[] {
  return text.split('\n').filter((line) => line !== '');
}

/** Cells of a line of a table: columns are two spaces or more apart. */
export function cellsOf(line: string): string[] {
  return line.trim().split(/ {2,}/);
}
