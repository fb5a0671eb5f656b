import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { pcapFile } from '../../fixtures/build/capture-file.ts';
import { conversation } from '../../fixtures/build/conversation.ts';
import { framesOf } from '../../fixtures/build/frames.ts';

const WIRELENS = path.resolve(import.meta.dirname, '../../bin/wirelens.js');
const HEADER_BYTES = 24;

let folder = '';
const running = new Set<ChildProcessWithoutNullStreams>();
beforeEach(() => {
  folder = fs.mkdtempSync(path.join(tmpdir(), 'wirelens-tail-'));
});
afterEach(() => {
  for (const child of running) child.kill('SIGKILL');
  running.clear();
  fs.rmSync(folder, { recursive: true, force: true });
});

const place = (name: string): string => path.join(folder, name);

/** A request, its answer, and a request that nobody answers, as records of a capture. */
const script = conversation()
  .handshake()
  .fromClient('GET /first HTTP/1.1\r\nHost: tail.test\r\n\r\n')
  .fromServer('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi')
  .fromClient('GET /second?token=geheim HTTP/1.1\r\nHost: tail.test\r\n\r\n');
const frames = framesOf(script.segments, 'ethernet');
const REQUEST_ENDS = 4;
const before = pcapFile(frames.slice(0, REQUEST_ENDS));
const after = pcapFile(frames.slice(REQUEST_ENDS));

interface Tail {
  stdout: string;
  stderr: string;
  /** Resolves when `holds`; the test's own time limit ends a wait that is in vain. */
  until(holds: (tail: Tail) => boolean): Promise<void>;
  signal(signal: NodeJS.Signals): void;
  readonly code: Promise<number | null>;
}

function tail(...args: string[]): Tail {
  const child = spawn(process.execPath, [WIRELENS, 'tail', ...args]);
  running.add(child);
  let check = (): void => {};
  const result: Tail = {
    stdout: '',
    stderr: '',
    until: (holds) =>
      new Promise((resolve, reject) => {
        check = () => holds(result) && resolve();
        child.once('close', () => {
          if (holds(result)) resolve();
          else reject(new Error(`it ended: ${result.stderr}`));
        });
        check();
      }),
    signal: (signal) => child.kill(signal),
    code: new Promise((resolve) => {
      child.on('close', (code) => {
        running.delete(child);
        resolve(code);
      });
    }),
  };
  child.stdout.on('data', (bytes) => {
    result.stdout += bytes;
    check();
  });
  child.stderr.on('data', (bytes) => {
    result.stderr += bytes;
    check();
  });
  return result;
}

const records = (text: string) =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));

describe('wirelens tail', () => {
  it('prints an exchange whose answer is in the next file, and at Ctrl-C the one without', async () => {
    const run = tail(place('trace*'), '--format', 'json');
    await run.until(({ stderr }) => stderr.includes('nothing to read yet'));
    fs.writeFileSync(place('trace'), before.subarray(0, 100));
    fs.appendFileSync(place('trace'), before.subarray(100));
    fs.writeFileSync(place('trace1'), after);
    await run.until(({ stdout }) => stdout.includes('/first'));
    run.signal('SIGINT');
    expect(await run.code).toBe(0);
    const [first, second, ...more] = records(run.stdout);
    expect(more).toEqual([]);
    expect(first).toMatchObject({ target: '/first', status: 200, outcome: 'complete', pairing: 'exact' });
    expect([first.request.capture, first.response.capture]).toEqual([0, 1]);
    expect(second).toMatchObject({ status: null, outcome: 'no-response', ending: 'capture-ended' });
    expect(second.target).not.toContain('geheim');
    expect(run.stderr).toContain('2 requests, 1 answered, 1 unanswered; 6 packets');
    expect(run.stderr).toContain('2 files');
  });

  it('tells of requests that wait, selects, and ends when nothing comes', async () => {
    fs.writeFileSync(place('trace'), before);
    fs.appendFileSync(place('trace'), after.subarray(HEADER_BYTES));
    const run = tail(
      place('trace'),
      ...['--pending', '100ms', '--where', 'status == 200', '--exit-on-idle', '1500ms', '--color', 'never'],
    );
    expect(await run.code).toBe(0);
    const lines = run.stdout.trimEnd().split('\n');
    expect(lines).toHaveLength(2);
    expect(lines[0]).toMatch(/^ +id +time \(UTC\) +client/);
    expect(lines[1]).toMatch(/200 .* GET tail\.test\/first +ok$/);
    expect(run.stderr).toMatch(
      /waiting for .*: GET tail\.test\/second\?token=\S+, 10\.0\.0\.1:40000 to 10\.0\.0\.2:80/,
    );
    expect(run.stderr).not.toContain('geheim');
  });

  it('writes CSV and a SQLite file, and stops after --limit', async () => {
    fs.writeFileSync(place('trace'), before);
    fs.appendFileSync(place('trace'), after.subarray(HEADER_BYTES));
    const csv = tail(place('trace'), '--format', 'csv', '--limit', '1');
    expect(await csv.code).toBe(0);
    expect(csv.stdout.trimEnd().split('\r\n')).toHaveLength(2);
    const store = tail(place('trace'), '-o', place('out.sqlite'), '--exit-on-idle', '500ms', '-q');
    expect(await store.code).toBe(0);
    expect(fs.readFileSync(place('out.sqlite')).subarray(0, 15).toString()).toBe('SQLite format 3');
    expect(store.stderr).toBe('');
  });

  it('ends with 3 when a capture was damaged, and says so when it happens', async () => {
    const broken = before.slice();
    broken.fill(0xff, HEADER_BYTES + 16 + 54);
    fs.writeFileSync(place('trace'), broken);
    const run = tail(folder, '--exit-on-idle', '500ms');
    expect(await run.code).toBe(3);
    expect(run.stderr).toContain('trace: packet 2 claims to have');
  });

  it.each([
    [[], 2, /no file is named/],
    [['-'], 2, /standard input cannot be followed/],
    [['nowhere-*', '--exit-on-idle', '100ms'], 1, /no capture came; check the names, and quote patterns/],
    [[import.meta.filename], 1, /is text, not a capture/],
    [['x', '--force'], 2, /--force is about the file of --output/],
    [['x', '--where', 'statsu == 1'], 2, /statsu/],
  ])('refuses %j', async (args, code, message) => {
    const run = tail(...args);
    expect(await run.code).toBe(code);
    expect(run.stderr).toMatch(message);
    expect(run.stdout).toBe('');
  });
});
