import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { pcapFile } from '../../fixtures/build/capture-file.ts';
import { conversation } from '../../fixtures/build/conversation.ts';
import { framesOf } from '../../fixtures/build/frames.ts';
import { Database } from '../store/database.ts';
import { loadEngine } from '../store/engine.ts';
import { runProgram } from './program.ts';

/** What strangers put into packets must not act on the terminal that any of our outputs is shown on. */

const directory = mkdtempSync(join(tmpdir(), 'wirelens-hostile-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Sets the title, paints, paints with the one-byte CSI of C1, turns the reading direction round, breaks the line. */
const HOSTILE = '\x1b]0;title\x07\x1b[31m\u009b31m\u0085\u202e\u2066\u200f\u2028\x7f';
/** Every character that acts rather than shows, but tabs, which stand between the columns of Zeek. */
const ACTING = /(?!\t)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;

const CAPTURE = join(directory, 'hostile.pcap');
writeFileSync(
  CAPTURE,
  pcapFile(
    framesOf(
      conversation()
        .fromClient(
          `GET /\u009b31m/a${HOSTILE}?q=${HOSTILE} HTTP/1.1\r\nHost: h${HOSTILE}\r\nUser-Agent: u${HOSTILE}\r\n\r\n`,
        )
        .fromServer(
          `HTTP/1.1 500 r${HOSTILE}\r\nContent-Type: text/plain; x=${HOSTILE}\r\nServer: s${HOSTILE}\r\nContent-Length: ${Buffer.byteLength(HOSTILE)}\r\n\r\n${HOSTILE}`,
        ).segments,
    ),
  ),
);

let printed = '';
const wasTerminal = process.stdout.isTTY;

beforeEach(() => {
  printed = '';
  const take = (text: string | Uint8Array, ...rest: unknown[]): boolean => {
    printed += typeof text === 'string' ? text : Buffer.from(text).toString('utf8');
    for (const one of rest) if (typeof one === 'function') one();
    return true;
  };
  vi.spyOn(process.stdout, 'write').mockImplementation(take);
  vi.spyOn(process.stderr, 'write').mockImplementation(take);
  process.stdout.isTTY = true;
});
afterEach(() => {
  vi.restoreAllMocks();
  process.stdout.isTTY = wasTerminal;
});

/** What the command prints on both outputs, on a terminal; its lines without their ends. */
async function shown(...args: string[]): Promise<string[]> {
  await runProgram(args, '0.0.0');
  return printed.split(/\r?\n/);
}

describe('on a terminal', () => {
  const whole = ['--color', 'never', '--no-progress'];
  it.each([
    ['the summary', ['analyze', CAPTURE, ...whole]],
    ['rows', ['analyze', CAPTURE, '-f', 'table', ...whole]],
    ['JSON Lines', ['analyze', CAPTURE, '-f', 'json', ...whole]],
    ['CSV', ['analyze', CAPTURE, '-f', 'csv', ...whole]],
    ['HAR', ['analyze', CAPTURE, '-f', 'har', ...whole]],
    ['a log of Zeek', ['analyze', CAPTURE, '-f', 'zeek', ...whole]],
    ['an exchange', ['show', CAPTURE, '1', '--body', ...whole]],
    ['an exchange as JSON', ['show', CAPTURE, '1', '--body', '-f', 'json', ...whole]],
    ['a curl command', ['show', CAPTURE, '1', '--curl', ...whole]],
    ['groups', ['stat', CAPTURE, '--by', 'host,target,user_agent', ...whole]],
    ['groups as CSV', ['stat', CAPTURE, '--by', 'host,target,user_agent', '-f', 'csv', ...whole]],
    ['groups as JSON', ['stat', CAPTURE, '--by', 'host,target,user_agent', '-f', 'json', ...whole]],
    ['routes', ['stat', CAPTURE, '--routes', ...whole]],
    ['routes as CSV', ['stat', CAPTURE, '--routes', '-f', 'csv', ...whole]],
    ['routes as JSON', ['stat', CAPTURE, '--routes', '-f', 'json', ...whole]],
    ['a comparison', ['diff', CAPTURE, CAPTURE, '--by', 'host,target', ...whole]],
    ['a comparison as JSON', ['diff', CAPTURE, CAPTURE, '--by', 'host,target', '-f', 'json', ...whole]],
  ])('%s holds nothing of what packets hold that acts on it', async (_name, args) => {
    const lines = await shown(...args);
    expect(printed.length).toBeGreaterThan(100);
    expect(lines.filter((line) => ACTING.test(line))).toEqual([]);
  });

  it('rows of SQL are safe in every form', async () => {
    const file = join(directory, 'other.sqlite');
    await writeDatabase(file);
    for (const format of ['table', 'csv', 'json']) {
      printed = '';
      const lines = await shown('sql', file, 'SELECT * FROM t', '-f', format, '--color', 'never');
      expect(lines[format === 'json' ? 0 : 1]).toMatch(/x\\(x1b|u001b)/);
      expect(lines.filter((line) => ACTING.test(line))).toEqual([]);
    }
  });

  it('names that the shell took from a directory are safe in messages about wrong usage', async () => {
    for (const args of [[`x${HOSTILE}`], ['analyze', `--x${HOSTILE}`], ['analyze', '-f', `x${HOSTILE}`]]) {
      printed = '';
      const lines = await shown(...args);
      expect(lines[0]).toContain('\\x1b]0;title');
      expect(lines.filter((line) => ACTING.test(line))).toEqual([]);
    }
  });
});

it('to a file or a pipe, CSV of SQL and of groups holds what was there', async () => {
  process.stdout.isTTY = false;
  const file = join(directory, 'plain.sqlite');
  await writeDatabase(file);
  await shown('sql', file, 'SELECT * FROM t', '-f', 'csv');
  expect(printed).toContain(HOSTILE);
  printed = '';
  await shown('stat', CAPTURE, '--by', 'host', '-f', 'csv');
  expect(printed).toContain(`h${HOSTILE}`);
});

async function writeDatabase(file: string): Promise<void> {
  const database = new Database(await loadEngine());
  database.run(`CREATE TABLE t ("name${HOSTILE}" TEXT)`);
  database.run(`INSERT INTO t VALUES ('x${HOSTILE}')`);
  writeFileSync(file, database.export());
  database.close();
}
