import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { pcapFile } from '../../fixtures/build/capture-file.ts';
import { conversation } from '../../fixtures/build/conversation.ts';
import { framesOf } from '../../fixtures/build/frames.ts';

/* `wirelens capture -`: the command without a network, and without rights. */

const WIRELENS = path.resolve(import.meta.dirname, '../../bin/wirelens.js');

let folder = '';
const running = new Set<ChildProcessWithoutNullStreams>();
beforeEach(() => {
  folder = fs.mkdtempSync(path.join(tmpdir(), 'wirelens-capture-'));
});
afterEach(() => {
  for (const child of running) child.kill('SIGKILL');
  running.clear();
  fs.rmSync(folder, { recursive: true, force: true });
});

const place = (name: string): string => path.join(folder, name);

/** A request, its answer, and a request that nobody answers. */
const script = conversation()
  .handshake()
  .fromClient('GET /first HTTP/1.1\r\nHost: capture.test\r\n\r\n')
  .fromServer('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi')
  .fromClient('GET /second?token=geheim HTTP/1.1\r\nHost: capture.test\r\n\r\n');
const file = pcapFile(framesOf(script.segments, 'ethernet'));
const PACKETS = script.segments.length;

interface Run {
  stdout: string;
  stderr: string;
  readonly child: ChildProcessWithoutNullStreams;
  until(holds: (run: Run) => boolean): Promise<void>;
  readonly code: Promise<number | null>;
}

function capture(...args: string[]): Run {
  const child = spawn(process.execPath, [WIRELENS, 'capture', ...args]);
  running.add(child);
  // A command that refuses its options does not read what it is given.
  child.stdin.on('error', () => {});
  let check = (): void => {};
  const run: Run = {
    stdout: '',
    stderr: '',
    child,
    until: (holds) =>
      new Promise((resolve, reject) => {
        check = () => holds(run) && resolve();
        child.once('close', () => {
          if (holds(run)) resolve();
          else reject(new Error(`it ended: ${run.stderr}`));
        });
        check();
      }),
    code: new Promise((resolve) => {
      child.on('close', (code) => {
        running.delete(child);
        resolve(code);
      });
    }),
  };
  child.stdout.on('data', (bytes) => {
    run.stdout += bytes;
    check();
  });
  child.stderr.on('data', (bytes) => {
    run.stderr += bytes;
    check();
  });
  return run;
}

function fed(...args: string[]): Run {
  const run = capture('-', ...args);
  run.child.stdin.end(file);
  return run;
}

const records = (text: string) =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));

describe('wirelens capture -', () => {
  it('shows an exchange while the writer goes on, and at Ctrl-C what is open', async () => {
    const run = capture('-', '--format', 'json', '-w', place('copy.pcapng'), '-o', place('out.sqlite'));
    run.child.stdin.write(file);
    await run.until(({ stdout }) => stdout.includes('/first'));
    run.child.kill('SIGINT');
    expect(await run.code).toBe(0);
    const [first, second, ...more] = records(run.stdout);
    expect(more).toEqual([]);
    expect(first).toMatchObject({ target: '/first', status: 200, outcome: 'complete' });
    expect(second).toMatchObject({ outcome: 'no-response', ending: 'capture-ended' });
    expect(run.stderr + run.stdout).not.toContain('geheim');
    expect(run.stderr).toContain('reading packets from standard input');
    expect(run.stderr).toContain(`${PACKETS} packets captured\n`);
    expect(run.stderr).toContain('packets dropped by kernel: only the program that captures can tell');
    expect(run.stderr).toContain(`recorded ${PACKETS} packets in ${place('copy.pcapng')}`);
    expect(fs.readFileSync(place('out.sqlite')).subarray(0, 15).toString()).toBe('SQLite format 3');
    expect(fs.readdirSync(folder).toSorted()).toEqual(['copy.pcapng', 'out.sqlite']);
  });

  it('ends with its input, prints rows, and nothing else with --quiet', async () => {
    const run = fed('-q');
    expect(await run.code).toBe(0);
    expect(run.stderr).toBe('');
    expect(run.stdout.trimEnd().split('\n')).toHaveLength(3);
    expect(run.stdout).toMatch(/200 .* GET capture\.test\/first +ok/);
  });

  it('stops after -c packets, after --limit exchanges, and selects with --where and --slow', async () => {
    const few = fed('-c', '4', '--format', 'json');
    expect(await few.code).toBe(0);
    expect(few.stderr).toContain('4 packets captured\n');
    expect(records(few.stdout)).toMatchObject([{ target: '/first', outcome: 'no-response' }]);
    const limited = fed('--limit', '1', '--format', 'csv', '--where', 'status == 200');
    expect(await limited.code).toBe(0);
    expect(limited.stdout.trimEnd().split('\r\n')).toHaveLength(2);
    const slow = fed('--slow', '1h', '--format', 'json');
    expect(await slow.code).toBe(0);
    expect(slow.stdout).toBe('');
  });

  it('ends after --duration although its input goes on', async () => {
    const run = capture('-', '--duration', '700ms');
    run.child.stdin.write(file);
    expect(await run.code).toBe(0);
    expect(run.stdout).toContain('/first');
  });

  it('tells of requests that wait, while nothing comes', async () => {
    const run = capture('-', '--pending', '100ms');
    run.child.stdin.write(file);
    await run.until(({ stderr }) => stderr.includes('waiting for'));
    expect(run.stderr).toMatch(/waiting for .*: GET capture\.test\/second\?token=\S+, 10\.0\.0\.1:40000/);
    run.child.kill('SIGTERM');
    expect(await run.code).toBe(0);
  });

  it('writes the packets to standard output in place of rows with -w -', async () => {
    const run = fed('-w', '-');
    const bytes: Buffer[] = [];
    run.child.stdout.on('data', (piece) => bytes.push(piece));
    expect(await run.code).toBe(0);
    expect(Buffer.concat(bytes).readUInt32LE(0)).toBe(0x0a0d0d0a);
    expect(run.stderr).toContain('on standard output');
  });

  it('ends with 3 when its input breaks, and with what came before', async () => {
    const run = capture('-', '--format', 'json');
    run.child.stdin.end(Buffer.concat([file, Buffer.alloc(40, 0xff)]));
    expect(await run.code).toBe(3);
    expect(run.stdout).toContain('/first');
    expect(run.stderr).toMatch(/standard input, packet \d+/);
  });

  it.each([
    [['-', '-C', '100'], /-C is about the files of -w; add -w FILE/],
    [['-', '-W', '2'], /-W is about the files of -w/],
    [['-', '--rotate', '1h'], /--rotate is about the file of --output/],
    [['-', '--force'], /--force is about the files of -w and -o/],
    [['-', '-o', '-'], /A SQLite file cannot be written to standard output/],
    [['-', '-w', '-', '--format', 'json'], /-w - puts packets on standard output/],
    [['-', '-i', 'eth0'], /--interface is about an interface, and standard input is read/],
    [['-', '--buffer', '1MiB'], /--buffer is about an interface/],
    [['-', '--workers', '2'], /--workers is about an interface/],
    [['--workers', '2', '-w', 'x.pcapng'], /-w needs all packets in one thread/],
    [['--workers', '2', '--pending', '5s'], /--pending needs all packets/],
    [['--workers', '2', '-c', '5'], /--packets counts the packets of one thread/],
    [['-', '--watch'], /--watch needs a terminal/],
    [['-', '--watch', '--format', 'csv'], /--watch is a table/],
    [['-', '--where', 'statsu == 1'], /statsu/],
    [['-d'], /there is none/],
    [['--rotate', '60'], /It must say its unit/],
    [['-s', '999999999'], /from 1 to 262144/],
    [['--host', 'example.org'], /names are never looked up/],
    [[import.meta.filename], /is a file, and capture listens to interfaces; wirelens analyze reads captures/],
  ])('refuses %j', async (args, message) => {
    const run = capture(...args);
    run.child.stdin.end(file);
    expect(await run.code).toBe(2);
    expect(run.stderr).toMatch(message);
    expect(run.stdout).toBe('');
  });
});

describe('wirelens capture without rights', () => {
  it("prints the kernel's program for a filter", async (context) => {
    if (process.platform !== 'linux') context.skip('AF_PACKET is on Linux only');
    const run = capture('-i', 'lo', '-d', '--port', '8080', '-s', '96');
    run.child.stdin.end();
    expect(await run.code).toBe(0);
    const lines = run.stdout.trimEnd().split('\n');
    expect(lines.map((line) => line.slice(0, 6))).toEqual(
      lines.map((_, at) => `(${String(at).padStart(3, '0')}) `),
    );
    expect(run.stdout).toMatch(/jeq +#0x1f90 /);
    expect(run.stdout).toMatch(/ret +#96\n/);
    expect(run.stdout).toMatch(/ret +#0\n/);
  });

  it('names the capability and how to get it', async (context) => {
    if (process.platform !== 'linux') context.skip('AF_PACKET is on Linux only');
    const args = [WIRELENS, 'capture', '-i', 'lo'];
    const asNobody = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
    const child = spawn(process.execPath, args, { ...asNobody, env: { ...process.env, HOME: '/' } });
    let stderr = '';
    child.stderr.on('data', (bytes) => {
      stderr += bytes;
    });
    child.stdin.end();
    expect(await new Promise((resolve) => child.on('close', resolve))).toBe(1);
    expect(stderr).toMatch(/^wirelens: .*CAP_NET_RAW.*\n$/);
  });
});
