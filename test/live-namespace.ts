import { execFileSync, spawnSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { createRequire } from 'node:module';

const CLONE_NEWNET = 0x40000000;
const pause = new Int32Array(new SharedArrayBuffer(4));
let made = 0;

/** null, or why packet sockets and network namespaces cannot be used here. */
export function namespacesMissing(...programs: string[]): string | null {
  if (process.platform !== 'linux') return 'needs Linux';
  if (process.getuid?.() !== 0) return 'needs root to open a packet socket';
  for (const program of ['ip', ...programs]) {
    if (spawnSync('sh', ['-c', `command -v ${program}`]).status !== 0) return `needs ${program}`;
  }
  const name = `wl-driver-${process.pid}-try`;
  const { status } = spawnSync('ip', ['netns', 'add', name]);
  spawnSync('ip', ['netns', 'del', name]);
  return status === 0 ? null : 'needs network namespaces';
}

/** A network namespace of a test, to be removed with `remove`. */
export class Namespace {
  readonly name: string;

  constructor() {
    made += 1;
    // Threads of one process run tests at the same time.
    this.name = `wl-driver-${process.pid}-${Math.random().toString(36).slice(2, 8)}-${made}`;
    execFileSync('ip', ['netns', 'add', this.name]);
    // Nothing is sent but what a test sends: no neighbour discovery, no multicast reports.
    for (const scope of ['all', 'default']) {
      this.run('sh', '-c', `echo 1 > /proc/sys/net/ipv6/conf/${scope}/disable_ipv6`);
    }
  }

  /** `ip` in here; arguments separated by spaces. */
  ip(words: string): void {
    execFileSync('ip', ['-n', this.name, ...words.split(' ')], { stdio: ['ignore', 'ignore', 'pipe'] });
  }

  /** A veth pair, both ends in here and up; the kernel needs a moment to see that they are connected. */
  veth(one: string, other: string): void {
    this.ip(`link add ${one} type veth peer name ${other}`);
    for (const name of [one, other]) this.ip(`link set ${name} up`);
    for (const name of [one, other]) {
      while (!this.run('ip', 'link', 'show', name).includes('state UP')) Atomics.wait(pause, 0, 0, 5);
    }
  }

  /** Words that run a program in here. */
  command(...words: string[]): string[] {
    return ['ip', 'netns', 'exec', this.name, ...words];
  }

  run(...words: string[]): string {
    const [program, ...rest] = this.command(...words);
    return execFileSync(program as string, rest, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  }

  /**
   * Runs `work` with this thread in here. Sockets that it opens before it first waits belong to the namespace; what
   * comes after runs outside again.
   */
  enter<T>(work: () => T): T {
    const leave = this.goIn();
    try {
      return work();
    } finally {
      leave();
    }
  }

  /** Puts this thread in here, until the function that it gives is called. */
  goIn(): () => void {
    const koffi = createRequire(import.meta.url)('koffi') as typeof import('koffi');
    const setns = koffi.load(null).func('int setns(int fd, int kind)');
    const outside = openSync('/proc/thread-self/ns/net', 'r');
    const inside = openSync(`/run/netns/${this.name}`, 'r');
    const failed = setns(inside, CLONE_NEWNET) !== 0;
    closeSync(inside);
    if (failed) throw new Error('setns failed');
    return () => {
      setns(outside, CLONE_NEWNET);
      closeSync(outside);
    };
  }

  remove(): void {
    spawnSync('ip', ['netns', 'del', this.name]);
  }
}
