import { closeSync, openSync } from 'node:fs';
import { ReadStream } from 'node:tty';
import type { Key, KeyInput, ScreenGuard } from './key.ts';
import { KeyParser } from './key-parser.ts';

/** The controlling terminal, also when standard input is something else. */
const TERMINAL = '/dev/tty';
/** Time after which a process that could not be stopped takes its screen again. */
const STOP_WAIT_MS = 300;
/** Signals that end a process which does not listen to them. */
const DEADLY = ['SIGTERM', 'SIGHUP', 'SIGINT', 'SIGQUIT'] as const;

/** What of a stream decides whether a table can be shown. */
export interface StreamFacts {
  readonly isTTY?: boolean | undefined;
}

/**
 * Whether a live table can be shown: standard output is a terminal that understands cursor movements, and keys can be
 * read, from standard input or, when that is a capture, from the terminal itself.
 */
export function canWatch(
  env: Readonly<Record<string, string | undefined>>,
  stdin: StreamFacts,
  stdout: StreamFacts,
  hasTerminal: () => boolean = terminalOpens,
): boolean {
  const term = env.TERM ?? '';
  if (stdout.isTTY !== true || term === '' || term === 'dumb') return false;
  return stdin.isTTY === true || hasTerminal();
}

/** Whether the terminal shows more than ASCII, by the locale's character set (POSIX: LC_ALL, LC_CTYPE, LANG). */
export function showsUnicode(env: Readonly<Record<string, string | undefined>>): boolean {
  const locale = env.LC_ALL || env.LC_CTYPE || env.LANG || '';
  return /utf-?8/i.test(locale);
}

function terminalOpens(): boolean {
  try {
    closeSync(openSync(TERMINAL, 'r'));
    return true;
  } catch {
    return false;
  }
}

/** Keys of the terminal: of standard input, or of the terminal itself when standard input is something else. */
export function openTerminalKeys(stdin: NodeJS.ReadStream = process.stdin): KeyInput {
  return stdin.isTTY
    ? new TerminalKeys(stdin, () => stdin.pause())
    : openedKeys(new ReadStream(openSync(TERMINAL, 'r')));
}

function openedKeys(stream: ReadStream): KeyInput {
  return new TerminalKeys(stream, () => stream.destroy());
}

let isTerminalGone = false;

/**
 * The terminal is gone and its process group gets SIGHUP. What is open is finished; then the process ends of that signal:
 * Node 20 aborts at its exit when it cannot set a terminal's mode that was there when it began.
 */
function outliveTerminal(): void {
  if (isTerminalGone) return;
  isTerminalGone = true;
  process.on('exit', () => {
    process.removeAllListeners('SIGHUP');
    process.kill(process.pid, 'SIGHUP');
  });
}

class TerminalKeys implements KeyInput {
  readonly #stream: ReadStream;
  readonly #release: () => void;
  readonly #parser: KeyParser;
  #callback: (key: Key) => void = () => {};
  #screen: ScreenGuard | null = null;
  #timer: NodeJS.Timeout | null = null;
  #stopWait: NodeJS.Timeout | null = null;
  #isStopped = false;
  readonly #listeners: (readonly [string, (...values: never[]) => void])[] = [];

  constructor(stream: ReadStream, release: () => void) {
    this.#stream = stream;
    this.#release = release;
    this.#parser = new KeyParser((key) => this.#callback(key));
    stream.setRawMode(true);
    stream.on('data', this.#take);
    stream.on('error', outliveTerminal);
  }

  onKey(callback: (key: Key) => void): void {
    this.#callback = callback;
  }

  guard(screen: ScreenGuard): void {
    this.#screen = screen;
    const on = (event: string, listener: (...values: never[]) => void): void => {
      this.#listeners.push([event, listener]);
      process.on(event as 'exit', listener as () => void);
    };
    on('exit', () => this.#giveBack());
    on('uncaughtExceptionMonitor', () => this.#giveBack());
    on('SIGTSTP', () => this.suspend());
    on('SIGCONT', () => this.#goOn());
    for (const signal of DEADLY) on(signal, () => this.#dieOf(signal));
    process.stdout.on('resize', this.#resized);
    // Stays to the end: a terminal that is gone must not keep the capture from being finished.
    process.stdout.on('error', outliveTerminal);
  }

  suspend(): void {
    if (this.#isStopped) return;
    this.#giveBack();
    // The whole process group, as the terminal does it: a shell waits for npx or sudo, which started this process.
    const listener = this.#listeners.find(([event]) => event === 'SIGTSTP')?.[1] as (() => void) | undefined;
    if (listener !== undefined) process.off('SIGTSTP', listener);
    process.kill(0, 'SIGTSTP');
    this.#stopWait = setTimeout(() => this.#goOn(), STOP_WAIT_MS);
    if (listener !== undefined) process.on('SIGTSTP', listener);
  }

  interrupt(): void {
    process.kill(process.pid, 'SIGINT');
  }

  stop(): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    if (this.#stopWait !== null) clearTimeout(this.#stopWait);
    for (const [event, listener] of this.#listeners) process.off(event, listener as () => void);
    process.stdout.off('resize', this.#resized);
    this.#stream.off('data', this.#take);
    this.#setRaw(false);
    this.#release();
  }

  readonly #take = (bytes: Uint8Array): void => {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#parser.feed(bytes);
    const wait = this.#parser.waitMs;
    if (wait !== null && !this.#isStopped) this.#timer = setTimeout(() => this.#parser.expire(), wait);
  };

  readonly #resized = (): void => this.#screen?.resized();

  #giveBack(): void {
    this.#screen?.leave();
    this.#setRaw(false);
  }

  #goOn(): void {
    if (this.#stopWait !== null) clearTimeout(this.#stopWait);
    this.#stopWait = null;
    if (this.#isStopped) return;
    this.#setRaw(true);
    this.#screen?.enter();
  }

  /** If nobody else listens to the signal, the process ends of it, with the terminal as it was. */
  #dieOf(signal: NodeJS.Signals): void {
    if (process.listenerCount(signal) > 1) return;
    this.#giveBack();
    this.stop();
    process.kill(process.pid, signal);
  }

  #setRaw(raw: boolean): void {
    try {
      this.#stream.setRawMode(raw);
    } catch {
      // The terminal is gone; there is nothing left to set.
    }
  }
}
