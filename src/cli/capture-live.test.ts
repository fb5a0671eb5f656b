import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, type TestContext } from 'vitest';

/* `wirelens capture` on a real wire: two namespaces, a veth pair, a server that logs what it answered, and curl. */

const WIRELENS = path.resolve(import.meta.dirname, '../../bin/wirelens.js');
const SERVER = `wl-command-s${process.pid}`;
const CLIENT = `wl-command-c${process.pid}`;
const ADDRESS = '10.77.0.1';
const PORT = 8080;

/** Says on standard output what it answered: a line for each, as an access log. */
const SERVER_SCRIPT = `
  const http = require('node:http');
  http.createServer((request, response) => {
    const { searchParams } = new URL(request.url, 'http://x');
    request.resume().on('end', () => setTimeout(() => {
      response.statusCode = Number(searchParams.get('status') ?? 200);
      response.on('finish', () => console.log(JSON.stringify([request.method, request.url, response.statusCode])));
      response.end(request.method === 'HEAD' ? undefined : 'x'.repeat(Number(searchParams.get('bytes') ?? 2)));
    }, Number(searchParams.get('ms') ?? 0)));
  }).listen(${PORT}, '${ADDRESS}', () => console.log('ready'));`;

let whyNot: string | null = null;
let folder = '';
const children = new Set<ChildProcess>();
const log: string[] = [];

const ip = (...args: string[]): void => {
  execFileSync('ip', args, { stdio: 'pipe' });
};

beforeAll(async () => {
  if (process.platform !== 'linux' || process.getuid?.() !== 0)
    whyNot = 'needs root to make network namespaces';
  for (const [tool, flag] of [
    ['ip', '-V'],
    ['curl', '--version'],
  ] as const) {
    if (whyNot !== null) return;
    try {
      execFileSync(tool, [flag], { stdio: 'pipe' });
    } catch {
      whyNot = `needs ${tool}`;
    }
  }
  if (whyNot !== null) return;
  folder = fs.mkdtempSync(path.join(tmpdir(), 'wirelens-capture-'));
  try {
    ip('netns', 'add', SERVER);
    ip('netns', 'add', CLIENT);
    ip('link', 'add', 'wls0', 'netns', SERVER, 'type', 'veth', 'peer', 'name', 'wlc0', 'netns', CLIENT);
  } catch (error) {
    whyNot = `needs the right to make network namespaces and veth pairs: ${(error as Error).message.split('\n')[1] ?? ''}`;
    return;
  }
  ip('-n', SERVER, 'addr', 'add', `${ADDRESS}/24`, 'dev', 'wls0');
  ip('-n', CLIENT, 'addr', 'add', '10.77.0.2/24', 'dev', 'wlc0');
  for (const [namespace, name] of [
    [SERVER, 'wls0'],
    [SERVER, 'lo'],
    [CLIENT, 'wlc0'],
  ] as const)
    ip('-n', namespace, 'link', 'set', name, 'up');
  const server = start(SERVER, process.execPath, ['-e', SERVER_SCRIPT]);
  await server.until(({ stdout }) => stdout.includes('ready\n'));
  server.onLine = (line) => log.push(line);
});

afterEach(() => {
  log.length = 0;
});

afterAll(() => {
  for (const child of children) child.kill('SIGKILL');
  for (const namespace of [SERVER, CLIENT]) {
    try {
      ip('netns', 'del', namespace);
    } catch {}
  }
  if (folder !== '') fs.rmSync(folder, { recursive: true, force: true });
});

interface Started {
  stdout: string;
  stderr: string;
  onLine: ((line: string) => void) | null;
  /** Resolves when `holds`; the test's own time limit ends a wait that is in vain. */
  until(holds: (started: Started) => boolean): Promise<void>;
  signal(signal: NodeJS.Signals): void;
  readonly code: Promise<number | null>;
}

function start(namespace: string, program: string, args: readonly string[]): Started {
  const child = spawn('ip', ['netns', 'exec', namespace, program, ...args]);
  children.add(child);
  const checks = new Set<() => void>();
  const started: Started = {
    stdout: '',
    stderr: '',
    onLine: null,
    until: (holds) =>
      new Promise((resolve, reject) => {
        const check = () => holds(started) && resolve();
        checks.add(check);
        child.once('close', () => {
          if (holds(started)) resolve();
          else reject(new Error(`it ended: ${started.stderr}`));
        });
        check();
      }),
    signal: (signal) => child.kill(signal),
    code: new Promise((resolve) => {
      child.on('close', (code) => {
        children.delete(child);
        resolve(code);
      });
    }),
  };
  const take = (field: 'stdout' | 'stderr') => (bytes: Buffer) => {
    started[field] += bytes;
    if (field === 'stdout' && started.onLine !== null)
      for (const line of String(bytes).split('\n')) if (line !== '') started.onLine(line);
    for (const check of checks) check();
  };
  child.stdout.on('data', take('stdout'));
  child.stderr.on('data', take('stderr'));
  return started;
}

/** A capture in the server's namespace that has begun. */
async function capture(...args: string[]): Promise<Started> {
  const started = start(SERVER, process.execPath, [WIRELENS, 'capture', ...args]);
  await started.until(({ stderr }) => stderr.includes('capturing on'));
  return started;
}

/** Requests of one curl: several go over one connection. */
async function curl(...args: string[]): Promise<void> {
  expect(await start(CLIENT, 'curl', ['-s', '-o', '/dev/null', ...args]).code).toBe(0);
}

const url = (target: string): string => `http://${ADDRESS}:${PORT}${target}`;
const place = (name: string): string => path.join(folder, name);
const records = (text: string) =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));

function wirelens(...args: string[]): string {
  return execFileSync(process.execPath, [WIRELENS, ...args], { encoding: 'utf8', stdio: 'pipe' });
}

function skipWithoutRights(context: TestContext): void {
  if (whyNot !== null) context.skip(whyNot);
}

describe('capture on a veth pair', () => {
  it('shows what the server logged, and leaves a recording and a SQLite file that say the same', async (context) => {
    skipWithoutRights(context);
    const run = await capture(
      ...['-i', 'wls0', '--format', 'json', '-w', place('live.pcapng'), '-o', place('live.sqlite')],
    );
    await curl(
      url('/one'),
      '-o',
      '/dev/null',
      url('/two?status=404'),
      '-o',
      '/dev/null',
      url('/three?bytes=300000'),
    );
    await curl('-X', 'POST', '--data', 'x'.repeat(5000), url('/four?status=201&ms=30'));
    await curl('-I', url('/five'));
    await run.until(({ stdout }) => records(stdout.slice(0, stdout.lastIndexOf('\n') + 1)).length >= 5);
    run.signal('SIGINT');
    expect(await run.code).toBe(0);

    const live = records(run.stdout);
    const rows = live.map(({ method, target, status }) => JSON.stringify([method, target, status]));
    expect(log).toHaveLength(5);
    expect(rows.toSorted()).toEqual(log.toSorted());
    for (const record of live) expect(record).toMatchObject({ outcome: 'complete', pairing: 'exact' });
    const slow = live.find(({ target }) => target.startsWith('/four'));
    expect(slow.request.body_bytes).toBe(5000);

    expect(run.stderr).toMatch(
      /^wirelens: capturing on wls0 \(Ethernet\), snapshot length 262144 bytes, afpacket, ring/,
    );
    expect(run.stderr).toMatch(
      /^\d+ packets captured\n\d+ packets received by filter\n0 packets dropped by kernel$/m,
    );
    expect(run.stderr).toContain('5 requests, 5 answered');
    expect(records(wirelens('analyze', place('live.pcapng'), '--format', 'json', '-q'))).toEqual(live);
    const counted = wirelens(
      'sql',
      place('live.sqlite'),
      'SELECT count(*) AS n FROM exchanges',
      '--format',
      'csv',
    );
    expect(counted.replace(/\r/g, '')).toBe('n\n5\n');
    expect(execFileSync('bash', ['-c', `ls ${folder}`], { encoding: 'utf8' })).toBe(
      'live.pcapng\nlive.sqlite\n',
    );
  });

  it('takes only what the packet filter lets through', async (context) => {
    skipWithoutRights(context);
    const run = await capture('-i', 'any', '--port', '81', '--duration', '1200ms', '--format', 'json');
    await curl(url('/unseen'));
    expect(await run.code).toBe(0);
    expect(run.stdout).toBe('');
    expect(run.stderr).toContain('\n0 packets captured\n');
  });

  it('ends quietly when its reader leaves', async (context) => {
    skipWithoutRights(context);
    const script = `"$0" "$1" capture -i wls0 --format json | head -n 1; echo "status \${PIPESTATUS[0]}"`;
    const run = start(SERVER, 'bash', ['-c', script, process.execPath, WIRELENS]);
    await run.until(({ stderr }) => stderr.includes('capturing on'));
    await curl(url('/first'));
    await run.until(({ stdout }) => stdout.includes('/first'));
    await curl(url('/second'));
    await curl(url('/third'));
    expect(await run.code).toBe(0);
    expect(run.stdout.trimEnd().split('\n').at(-1)).toBe('status 0');
    expect(run.stderr).not.toMatch(/error|EPIPE/i);
    expect(run.stderr).toContain('packets captured');
  });

  it('marks nothing, and loses nothing of a burst', async (context) => {
    skipWithoutRights(context);
    const run = await capture('-i', 'wls0', '--format', 'csv', '--limit', '200', '--where', 'status == 200');
    const urls = Array.from({ length: 100 }, (_, n) => ['-o', '/dev/null', url(`/burst/${n}`)]).flat();
    await Promise.all([curl(...urls.slice(2)), curl(...urls.slice(2))]);
    expect(await run.code).toBe(0);
    expect(run.stdout.trimEnd().split('\r\n')).toHaveLength(201);
    expect(run.stdout).not.toContain('packets-dropped');
  });

  it('names an interface that is not there, and those that are', async (context) => {
    skipWithoutRights(context);
    const run = start(SERVER, process.execPath, [WIRELENS, 'capture', '-i', 'nowhere0']);
    expect(await run.code).toBe(1);
    expect(run.stderr).toMatch(/^wirelens: there is no interface nowhere0; .*wls0.*\n$/);
    expect(run.stdout).toBe('');
  });

  it('tells why it cannot write before it captures, and leaves nothing behind', async (context) => {
    skipWithoutRights(context);
    fs.writeFileSync(place('taken.pcapng'), 'mine');
    const args = ['-i', 'wls0', '-w', place('taken.pcapng'), '-o', place('new.sqlite')];
    const run = await capture(...args);
    expect(await run.code).toBe(1);
    expect(run.stderr).toMatch(/taken\.pcapng/);
    expect(fs.readFileSync(place('taken.pcapng'), 'utf8')).toBe('mine');
    expect(fs.readdirSync(folder)).not.toContain('new.sqlite');
    fs.rmSync(place('taken.pcapng'));
  });

  it('survives an interface that goes away and comes back', async (context) => {
    skipWithoutRights(context);
    const link = [
      'link',
      'add',
      'wlx0',
      'netns',
      SERVER,
      'type',
      'veth',
      'peer',
      'name',
      'wlx1',
      'netns',
      CLIENT,
    ];
    const up = (): void => {
      ip(...link);
      ip('-n', SERVER, 'link', 'set', 'wlx0', 'up');
      ip('-n', CLIENT, 'link', 'set', 'wlx1', 'up');
    };
    up();
    const run = await capture('-i', 'wlx0', '--format', 'json');
    ip('-n', SERVER, 'link', 'del', 'wlx0');
    await run.until(({ stderr }) => stderr.includes('wirelens: wlx0 is gone'));
    up();
    await run.until(({ stderr }) => stderr.includes('wirelens: wlx0 is back'));
    run.signal('SIGTERM');
    expect(await run.code).toBe(0);
  });

  it('lists interfaces of its namespace, any first', async (context) => {
    skipWithoutRights(context);
    const run = start(SERVER, process.execPath, [WIRELENS, 'interfaces', '--format', 'json']);
    expect(await run.code).toBe(0);
    const list = JSON.parse(run.stdout);
    expect(list[0].name).toBe('any');
    const veth = list.find(({ name }: { name: string }) => name === 'wls0');
    expect(veth).toMatchObject({ state: 'up', type: 'Ethernet', mtu: 1500, can_capture: true });
    expect(veth.addresses).toContain(`${ADDRESS}/24`);
  });
});
