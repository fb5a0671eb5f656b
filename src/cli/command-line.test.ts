import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { pcapFile } from '../../fixtures/build/capture-file.ts';
import { conversation } from '../../fixtures/build/conversation.ts';
import { framesOf } from '../../fixtures/build/frames.ts';
import { EXIT } from '../model/errors.ts';

/** The command line as a user meets it: the compiled program in a process of its own. */

const root = fileURLToPath(new URL('../..', import.meta.url));
const fixture = (name: string): string => join(root, 'fixtures', name);
const SHOP = fixture('web-shop/capture.pcapng');
const UNANSWERED = fixture('unanswered/capture.pcap');
const directory = mkdtempSync(join(tmpdir(), 'wirelens-cli-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

interface Result {
  code: number | null;
  out: string;
  err: string;
}

interface Surroundings {
  input?: Buffer | string;
  env?: Record<string, string>;
  /** Leave standard output alone after so many bytes, as `head` does. */
  readBytes?: number;
}

function wirelens(args: string[], { input, env = {}, readBytes }: Surroundings = {}): Promise<Result> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(root, 'bin/wirelens.js'), ...args], {
      cwd: directory,
      env: { PATH: process.env.PATH, ...env },
    });
    const result: Result = { code: null, out: '', err: '' };
    child.stdout.on('data', (data: Buffer) => {
      result.out += data.toString('utf8');
      if (readBytes !== undefined && result.out.length >= readBytes) child.stdout.destroy();
    });
    child.stderr.on('data', (data: Buffer) => {
      result.err += data.toString('utf8');
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ ...result, code }));
    child.stdin.on('error', () => {});
    child.stdin.end(input ?? '');
  });
}

describe('wirelens analyze', () => {
  it('prints the summary on standard output and nothing else anywhere', async () => {
    const { code, out, err } = await wirelens(['analyze', SHOP]);
    expect([code, err]).toEqual([0, '']);
    for (const part of [
      '261 requests',
      'By server',
      'By route',
      'Slowest',
      'Failed and unanswered',
      'Ledger  balanced',
    ]) {
      expect(out).toContain(part);
    }
    expect(out).not.toContain('\x1b');
  });

  it('accepts what tcpdump users type', async () => {
    expect(await wirelens(['analyze', '-n', '-r', SHOP])).toEqual(await wirelens(['analyze', SHOP]));
    const { out } = await wirelens(['analyze', '-c', '100', '-r', SHOP]);
    expect(out).toMatch(/packets +100 read/);
  });

  it('writes JSON Lines and nothing else to standard output, one per exchange', async () => {
    const { code, out, err } = await wirelens(['analyze', SHOP, '--format', 'json']);
    const records = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(code).toBe(0);
    expect(records).toHaveLength(261);
    expect(new Set(records.map(({ v }) => v))).toEqual(new Set([1]));
    expect(err).toMatch(/^261 requests, 260 answered, 1 unanswered; 824 packets in [^\n]*\n$/);
    expect((await wirelens(['analyze', SHOP, '--format', 'json', '-q'])).err).toBe('');
    expect((await wirelens(['analyze', SHOP, '--format', 'json', '--summary'])).err).toContain('By route');
  });

  it('prints one row per exchange as a table, whole in a pipe and fitted to COLUMNS', async () => {
    const { out } = await wirelens(['analyze', UNANSWERED, '--format', 'table']);
    expect(out.trimEnd().split('\n')).toHaveLength(1 + 7);
    expect(out).toContain('reset by the server 101 ms after the request');
    const narrow = await wirelens(['analyze', UNANSWERED, '-f', 'table'], { env: { COLUMNS: '80' } });
    for (const line of narrow.out.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  });

  it('limits and chooses rows', async () => {
    const rows = async (...args: string[]): Promise<number> =>
      (await wirelens(['analyze', SHOP, '-q', ...args])).out.trimEnd().split('\n').length - 1;
    expect(await rows('-f', 'table', '--limit', '7')).toBe(7);
    expect(await rows('--slow')).toBe(20);
    expect(await rows('--slow', '--limit', '3')).toBe(3);
    const slow = await rows('--slow', '450ms');
    const records = (await wirelens(['analyze', '--slow', '450ms', SHOP, '-f', 'json'])).out
      .trimEnd()
      .split('\n');
    expect(records).toHaveLength(slow);
    for (const record of records.map((line) => JSON.parse(line))) {
      if (record.total_ms !== null) expect(record.total_ms).toBeGreaterThanOrEqual(450);
    }
    expect(await rows('--slow', '10h')).toBe(0);
  });

  it('restricts to ports', async () => {
    const { out } = await wirelens(['analyze', SHOP, '--port', '9090,1', '--port', '2']);
    expect(out).toContain('12 requests');
    expect(out).toContain('not selected');
  });

  it('reads standard input', async () => {
    const { code, out } = await wirelens(['analyze', '-'], { input: readFileSync(SHOP) });
    expect(code).toBe(0);
    expect(out).toMatch(/^standard input/);
    expect(out).toContain('261 requests');
  });

  it('has colours when asked for and never with NO_COLOR otherwise', async () => {
    expect((await wirelens(['analyze', SHOP, '--color', 'always'])).out).toContain('\x1b[1m');
    expect((await wirelens(['analyze', SHOP, '--color', 'never'])).out).not.toContain('\x1b');
    expect((await wirelens(['analyze', SHOP], { env: { NO_COLOR: '1' } })).out).not.toContain('\x1b');
  });

  it('shows nothing of hostile traffic that a terminal would act on', async () => {
    const file = join(directory, 'hostile.pcap');
    writeFileSync(
      file,
      pcapFile(
        framesOf(
          conversation()
            .handshake()
            .fromClient('GET /a HTTP/1.1\r\nHost: evil\x1b[31m\x07\x9b2J\xe2\x80\xae.test\r\n\r\n')
            .fromServer('HTTP/1.1 500 Oh\x1b[2Jno\r\nContent-Length: 0\r\n\r\n').segments,
        ),
      ),
    );
    for (const args of [[], ['-f', 'table'], ['-f', 'json'], ['--slow'], ['-f', 'table', '--summary']]) {
      const { code, out, err } = await wirelens(['analyze', file, ...args]);
      expect(code).toBe(0);
      expect(out + err).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/);
      expect(out).toMatch(/evil(\\x1b|\\u001b)/);
    }
  });

  it('is silent when its reader leaves', async () => {
    for (const format of ['json', 'table', 'summary']) {
      const result = await wirelens(['analyze', SHOP, '-q', '-f', format], { readBytes: 1 });
      expect([result.code, result.err]).toEqual([0, '']);
    }
  });
});

describe('a signal', () => {
  const ROWS_BEFORE = 100;

  /** A capture that never ends: standard input stays open. */
  const interrupted = (args: string[]): Promise<Result> =>
    new Promise((resolve, reject) => {
      const child = spawn(process.execPath, [join(root, 'bin/wirelens.js'), 'analyze', '-', ...args], {
        cwd: directory,
      });
      const result: Result = { code: null, out: '', err: '' };
      let told = false;
      // Rows come while the capture is still being written; after so many of them it is interrupted.
      child.stdout.on('data', (data: Buffer) => {
        result.out += data.toString('utf8');
        if (!told && result.out.split('\n').length > ROWS_BEFORE) told = child.kill('SIGINT');
      });
      child.stderr.on('data', (data: Buffer) => {
        result.err += data.toString('utf8');
      });
      child.on('error', reject);
      child.on('close', (code) => resolve({ ...result, code }));
      child.stdin.write(readFileSync(SHOP));
    });

  it('ends reading; what was read is reported and the file is whole', async () => {
    const file = join(directory, 'interrupted.sqlite');
    const { code, out, err } = await interrupted(['-f', 'json', '-o', file]);
    expect(code).toBe(0);
    const rows = out.trimEnd().split('\n').length;
    expect(rows).toBeGreaterThanOrEqual(ROWS_BEFORE);
    expect(err).toContain('stopped early');
    const counted = await wirelens(['sql', file, '-f', 'json', 'SELECT count(*) AS n FROM exchanges']);
    expect(JSON.parse(counted.out)).toEqual({ n: rows });
  });
});

describe('files written by wirelens analyze', () => {
  it('are queried by wirelens sql, never overwritten without --force, and whole also when nobody reads the rows', async () => {
    const file = join(directory, 'shop.sqlite');
    const first = await wirelens(['analyze', SHOP, '-o', file, '--format', 'json'], { readBytes: 1 });
    expect(first.code).toBe(0);
    expect(first.err).toContain(`wrote ${file}: 261 exchanges`);
    const count = ['SELECT count(*) AS n, max(status) AS top FROM exchanges'];
    expect((await wirelens(['sql', file, ...count, '--format', 'json'])).out).toBe('{"n":261,"top":503}\n');
    expect((await wirelens(['sql', file, '-', '--format', 'csv'], { input: count[0] })).out).toBe(
      'n,top\r\n261,503\r\n',
    );
    expect((await wirelens(['sql', file, ...count])).out).toBe('  n  top\n261  503\n');
    const again = await wirelens(['analyze', SHOP, '-o', file]);
    expect(again.code).toBe(1);
    expect(again.err).toContain('--force');
    expect((await wirelens(['analyze', SHOP, '-o', file, '--force', '-q'])).code).toBe(0);
  });

  it('never replace the capture itself', async () => {
    const file = join(directory, 'copy.pcapng');
    writeFileSync(file, readFileSync(SHOP));
    const { code, err } = await wirelens(['analyze', file, '-o', file, '--force']);
    expect(code).toBe(2);
    expect(err).toContain('is a capture that is read');
    expect(readFileSync(file).equals(readFileSync(SHOP))).toBe(true);
  });

  it('tell wrong SQL in one line', async () => {
    const file = join(directory, 'sql.sqlite');
    await wirelens(['analyze', UNANSWERED, '-o', file]);
    const { code, out, err } = await wirelens(['sql', file, 'SELECT x FROM nowhere']);
    expect([code, out]).toEqual([1, '']);
    expect(err).toMatch(/^wirelens: [^\n]*no such table[^\n]*\n$/);
  });
});

describe('what is wrong is said in one line, with its own exit code', () => {
  const oneLine = /^wirelens: [^\n]+\n$/;

  it.each([
    ['no such file', ['analyze', 'missing.pcap'], 1, /missing\.pcap/],
    ['a directory', ['analyze', '.'], 1, /director/],
    ['not a capture', ['analyze', join(root, 'package.json')], 1, /package\.json/],
    ['no file', ['analyze'], 2, /no file is named/],
    ['standard input twice', ['analyze', '-', '-'], 2, /once/],
    ['--force without a file', ['analyze', SHOP, '--force'], 2, /-o FILE/],
    ['no database', ['sql', SHOP, 'SELECT 1'], 1, /not a SQLite file/],
  ])('%s', async (_, args, exitCode, message) => {
    const { code, out, err } = await wirelens(args);
    expect([code, out]).toEqual([exitCode, '']);
    expect(err).toMatch(oneLine);
    expect(err).toMatch(message);
  });

  it.each([
    ['an unknown option', ['analyze', SHOP, '--formt', 'json'], /unknown option '--formt'[\s\S]*--format/],
    ['an unknown command', ['analyse', SHOP], /unknown command 'analyse'[\s\S]*analyze/],
    ['a file for a command', [SHOP], /wirelens analyze /],
    ['a wrong choice', ['analyze', SHOP, '--format', 'xml'], /summary, table, json/],
    ['a wrong number', ['analyze', SHOP, '--limit', 'few'], /whole number/],
    ['a missing argument', ['sql', SHOP], /missing required argument 'query'/],
    ['an unknown shell', ['completion', 'tcsh'], /bash, zsh, fish/],
  ])('%s', async (_, args, message) => {
    const { code, out, err } = await wirelens(args);
    expect([code, out]).toEqual([2, '']);
    expect(err).toMatch(/^wirelens: /);
    expect(err).toMatch(message);
    expect(err).not.toMatch(/\n {4}at /);
  });

  it('gives usage for no arguments at all', async () => {
    const { code, out, err } = await wirelens([]);
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain('Usage: wirelens');
  });

  it('salvages what stands before the damage, with a warning and exit code 3', async () => {
    const file = join(directory, 'cut.pcapng');
    writeFileSync(file, readFileSync(SHOP).subarray(0, 200_001));
    const { code, out, err } = await wirelens(['analyze', file, '-f', 'json']);
    expect(code).toBe(3);
    expect(err).toMatch(/cut\.pcapng, packet \d+, byte \d+: /);
    const whole = (await wirelens(['analyze', SHOP, '-f', 'json'])).out.split('\n').length;
    expect(out.split('\n').length).toBeGreaterThan(10);
    expect(out.split('\n').length).toBeLessThan(whole);
  });

  it('--strict turns loss into exit code 4 and says what was lost', async () => {
    const lossy = fixture('gap-in-body/capture.pcap');
    expect(existsSync(lossy)).toBe(true);
    expect((await wirelens(['analyze', lossy])).code).toBe(0);
    const { code, err } = await wirelens(['analyze', lossy, '--strict', '-q']);
    expect(code).toBe(4);
    expect(err).toMatch(/^wirelens: --strict: \d+ bytes missing/);
    expect((await wirelens(['analyze', SHOP, '--strict'])).code).toBe(0);
  });

  it('documents every exit code', async () => {
    const page = readFileSync(join(root, 'docs/exit-codes.md'), 'utf8');
    const { out } = await wirelens(['--help']);
    for (const code of Object.values(EXIT)) {
      expect(page).toContain(`| ${code} |`);
      expect(out).toMatch(new RegExp(`^ +${code}  `, 'm'));
    }
  });
});

describe('help, version and completion', () => {
  it('print to standard output', async () => {
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    expect(await wirelens(['--version'])).toEqual({ code: 0, out: `${version}\n`, err: '' });
    for (const command of ['analyze', 'sql', 'completion']) {
      const { code, out } = await wirelens([command, '--help']);
      expect(code).toBe(0);
      expect(out.match(/^ {2}(\w.*\| )?(source <\()?wirelens /gm)?.length, command).toBeGreaterThanOrEqual(2);
    }
  });

  it('name every command and every option', async () => {
    const help = (await wirelens(['analyze', '--help'])).out;
    const options = [...help.matchAll(/^ {2,}(?:-\w, )?--([a-z-]+)/gm)].map((match) => match[1]);
    expect(options.length).toBeGreaterThan(15);
    for (const shell of ['bash', 'zsh', 'fish']) {
      const { code, out } = await wirelens(['completion', shell]);
      expect(code).toBe(0);
      for (const command of ['analyze', 'sql', 'completion']) expect(out).toContain(command);
      for (const option of options) expect(out, `${shell} --${option}`).toContain(option);
    }
  });
});

describe('SQLite files as input', () => {
  const stored = join(directory, 'stored.sqlite');

  it('give the same rows and summary as the captures they were made from', async () => {
    expect((await wirelens(['analyze', SHOP, '-o', stored, '-q'])).code).toBe(0);
    for (const form of [
      ['--format', 'json'],
      ['--format', 'csv'],
      ['--limit', '3'],
    ]) {
      const fromCapture = await wirelens(['analyze', SHOP, ...form, '-q']);
      const fromStore = await wirelens(['analyze', stored, ...form, '-q']);
      expect(fromStore).toEqual(fromCapture);
      expect(fromStore.out.length).toBeGreaterThan(500);
    }
  });

  it('select with the same words', async () => {
    const where = ['--where', 'status >= 500 && wait > 100ms', '--format', 'json', '-q'];
    const fromStore = await wirelens(['analyze', stored, ...where]);
    expect(fromStore).toEqual(await wirelens(['analyze', SHOP, ...where]));
    const rows = fromStore.out.trim().split('\n');
    expect(rows.length).toBeGreaterThan(2);
    for (const row of rows)
      expect(JSON.parse(row)).toMatchObject({ status: expect.toSatisfy((one) => one >= 500) });
  });

  it('refuse what only packets can answer', async () => {
    const { code, err } = await wirelens(['analyze', stored, '--packets', '3']);
    expect([code, err]).toEqual([2, expect.stringContaining('--packets is about captures')]);
    const mixed = await wirelens(['analyze', stored, SHOP]);
    expect([mixed.code, mixed.err]).toEqual([2, expect.stringContaining('cannot be read together')]);
    const header = await wirelens(['analyze', stored, '--where', 'header["x-tenant"] == "blue"']);
    expect([header.code, header.err]).toEqual([1, expect.stringContaining('--keep-header x-tenant')]);
  });
});

describe('--slow', () => {
  it('counts how long an unanswered request was seen waiting, to the last packet', async () => {
    const { out } = await wirelens(['analyze', SHOP, '--slow', '1s', '-q']);
    const rows = out.trim().split('\n').slice(1);
    expect(rows).toEqual([expect.stringContaining('/api/stock/watch?product=8')]);
  });
});

describe('--keep-header', () => {
  it('keeps what is named, masks credentials, and refuses what is no name', async () => {
    const next = fixture('web-shop-next/capture.pcapng');
    const kept = ['--keep-header', 'connection,Cookie', '--format', 'json', '--limit', '1', '-q'];
    const { out } = await wirelens(['analyze', next, '--where', 'client == 10.20.1.11', ...kept]);
    const { request } = JSON.parse(out) as { request: { headers: { name: string; value: string }[] } };
    expect(request.headers).toContainEqual({ name: 'cookie', value: 'REDACTED' });
    expect(request.headers).toContainEqual({ name: 'connection', value: 'keep-alive' });
    expect((await wirelens(['analyze', next, '--keep-header', 'a b'])).code).toBe(2);
  });
});
