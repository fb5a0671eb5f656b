import { parseFilter } from '../../filter/filter.ts';
import { EXIT, UserError } from '../../model/errors.ts';
import { NO_STYLE } from '../../report/style.ts';
import { canWatch, openTerminalKeys, showsUnicode } from '../../watch/terminal-keys.ts';
import { createWatch, WATCH_ROWS, type Watch } from '../../watch/watch.ts';
import { chooseStyle, type TerminalFacts } from '../terminal.ts';
import type { CaptureFlags } from './capture-flags.ts';
import type { LiveContext } from './live-run.ts';
import { TICK_MS } from './source.ts';
import { INTERRUPTED, stopOnSignals } from './stopping.ts';

/** Notices that the watch can still show. */
const NOTICES_KEPT = 1000;

/** Whether the live table is shown: on a terminal, unless something else was asked for. */
export function wantsWatch(flags: CaptureFlags, { env }: TerminalFacts): boolean {
  const { watch, write, format } = flags;
  if (watch === false || write === '-' || (format !== undefined && format !== 'table')) return false;
  const can = canWatch(env, process.stdin, process.stdout);
  if (watch === true && !can) {
    throw new UserError('usage', '--watch needs a terminal that understands cursor movements', {
      hint: 'leave it out, and rows are printed one by one',
      exitCode: EXIT.usage,
    });
  }
  return can;
}

/** The live table, which also takes the lines that would go to standard error. */
export interface LiveWatch extends Watch {
  note(line: string): void;
  /**
   * For when no more comes: the table stays, with the keys, until somebody ends it by a key or a signal. Resolves at once
   * when that has happened.
   */
  untilQuit(): Promise<void>;
}

/** Takes the terminal. */
export function openWatch(words: readonly string[], flags: CaptureFlags, context: LiveContext): LiveWatch {
  const { clock, captures, terminal } = context;
  const notices: string[] = [];
  let quits = 0;
  let quit = (): void => {};
  const source = words[0] === '-' ? 'standard input' : (flags.interface ?? ['any']).join(', ');
  const watch = createWatch({
    terminal: {
      write: (text) => process.stdout.write(text),
      columns: () => process.stdout.columns ?? 80,
      rows: () => process.stdout.rows ?? 24,
    },
    keys: openTerminalKeys(),
    clock,
    captures,
    status: () => {
      const status = context.status();
      return {
        packetsPerSecond: status.packetsPerSecond,
        exchangesPerSecond: status.exchangesPerSecond,
        packets: status.packets,
        exchanges: status.exchanges,
        dropped: status.dropped,
        ringUse: status.ringShare,
        memoryBytes: status.memoryBytes,
        memoryBudgetBytes: status.memoryBudgetBytes,
        cpuShare: status.cpuCores,
        cpuBudgetCores: status.cpuBudgetCores,
        elapsedMs: status.elapsedNs / 1e6,
        source,
        notices,
      };
    },
    color: chooseStyle(flags.color, terminal) !== NO_STYLE,
    unicode: showsUnicode(terminal.env),
    parseFilter: (text) => {
      const filter = parseFilter(text);
      return { matches: (exchange) => filter.matches(exchange, clock) };
    },
    nowMs: () => performance.now(),
    onQuit: () => {
      // As with signals: the second time nobody wants to wait.
      if (quits > 0) process.exit(INTERRUPTED);
      quits += 1;
      context.stop();
      quit();
    },
    maxRows: WATCH_ROWS,
  });
  const note = (line: string): void => {
    notices.push(line);
    if (notices.length > NOTICES_KEPT) notices.shift();
  };
  const untilQuit = async (): Promise<void> => {
    if (watch.stopped) return;
    note(`${source} has ended, and what came stays here; q: quit`);
    const timer = setInterval(() => watch.tick(), TICK_MS);
    const quitted = new Promise<void>((resolve) => {
      quit = resolve;
    });
    const release = stopOnSignals({ stop: () => quit() });
    await quitted;
    clearInterval(timer);
    release();
  };
  return Object.assign(watch, { note, untilQuit });
}
