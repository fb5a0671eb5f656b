import { EXIT, UserError } from '../../model/errors.ts';
import { displayWidth, sanitise, shorten } from '../../report/terminal-text.ts';
import type { RouteLearner } from '../../stat/routes/route-learner.ts';
import { createStatSink, type StatSink } from '../../stat/stat-sink.ts';
import type { KeyInput } from '../../watch/key.ts';
import { ScreenWriter } from '../../watch/screen-writer.ts';
import { canWatch, openTerminalKeys } from '../../watch/terminal-keys.ts';
import { complaintLines, exitCodeOf, totalLines } from '../live/live-closing.ts';
import type { LiveFlags } from '../live/live-flags.ts';
import { type LiveContext, type LiveParts, runLive } from '../live/live-run.ts';
import { liveStatusText } from '../live/live-status.ts';
import { StatOutput } from '../stat-output.ts';
import { finishOutput, StreamOutput } from '../stream-output.ts';
import { terminalFacts } from '../terminal.ts';
import type { StatFlags } from './stat.ts';

/** Options of `wirelens stat` on packets as they come. Durations in ns. */
export interface LiveStatFlags extends Omit<StatFlags, 'read'>, LiveFlags {
  readonly read?: readonly string[];
  readonly refresh?: number;
}

const REFRESH_MS = 1000;
/** A look takes at most this share of the time; where it would take more, looks become rarer. */
const LOOK_SHARE = 0.1;
/** Notes that are printed after the screen was left. */
const NOTES_KEPT = 100;
/** Groups that are shown, however small the screen. */
const LEAST_GROUPS = 5;
/** Lines of a table that are no groups: headline, titles, total, what is left out, empty lines. */
const LINES_AROUND = 6;
/** The same for the single exchanges below: empty line, two titles. */
const LINES_AROUND_TOP = 3;
const NS_PER_MS = 1e6;

/**
 * The groups of `stat` since the capture began, shown anew every --refresh: in place on a terminal, otherwise a table
 * or a line of JSON each time. CSV comes once, at the end, as the final table does. Counts are exact; percentiles too
 * while there are few requests, then within 0.1 %, see LIVE_STAT_LIMITS.
 *
 * @param words a tcpdump expression, or `-` for packets on standard input
 * @returns the exit code
 * @throws UserError when nothing can be captured, or the question is wrong
 */
export async function liveStat(
  words: readonly string[],
  flags: LiveStatFlags,
  version: string,
  learner: RouteLearner,
): Promise<number> {
  if (flags.read !== undefined)
    throw usage('-r names a capture, and -i captures now', 'leave one of them out');
  if (flags.packetFilter !== undefined)
    throw usage(
      '--packet-filter is about captures',
      'with -i the words after the options are the packet filter',
    );
  if (flags.routes === true)
    throw usage(
      '--routes prints a dictionary once everything has been seen',
      'record with wirelens capture -w FILE, then wirelens stat FILE --routes',
    );
  return new LiveStat(words, flags, version, learner).run();
}

function usage(message: string, hint: string): UserError {
  return new UserError('usage', message, { hint, exitCode: EXIT.usage });
}

class LiveStat {
  readonly #words: readonly string[];
  readonly #flags: LiveStatFlags;
  readonly #version: string;
  readonly #learner: RouteLearner;
  readonly #output: StatOutput;
  readonly #refreshMs: number;
  readonly #notes: string[] = [];
  #sink: StatSink | null = null;
  #screen: ScreenWriter | null = null;
  #stream: StreamOutput | null = null;
  #keys: KeyInput | null = null;
  #nextMs = 0;

  constructor(words: readonly string[], flags: LiveStatFlags, version: string, learner: RouteLearner) {
    this.#words = words;
    this.#flags = flags;
    this.#version = version;
    this.#learner = learner;
    this.#output = new StatOutput(flags, terminalFacts());
    this.#refreshMs = flags.refresh === undefined ? REFRESH_MS : flags.refresh / NS_PER_MS;
  }

  async run(): Promise<number> {
    const { headers } = this.#output;
    try {
      const result = await runLive(
        this.#words,
        this.#flags,
        this.#version,
        (context) => this.#parts(context),
        { headers },
      );
      this.#leave();
      const { pieces, notes } = this.#output.whole(this.#report(), null);
      if (this.#stream !== null) {
        // The last look is the whole: as a line where every look is one.
        if (this.#flags.format === 'json') this.#stream.write(oneLine(pieces));
        else for (const piece of pieces) this.#stream.write(piece);
        await finishOutput(this.#stream);
      }
      this.#say([...this.#notes, ...notes].map((note) => `wirelens: ${note}`));
      this.#say(totalLines(result));
      this.#say(complaintLines(result).map((line) => `wirelens: ${line}`));
      return exitCodeOf(result);
    } finally {
      this.#leave();
    }
  }

  #parts(context: LiveContext): LiveParts {
    const { question, everyNs } = this.#output;
    const { clock, captures } = context;
    const learner = question.by.some((one) => one.learned) ? this.#learner : null;
    const sink = createStatSink(question, { clock, captures, learner, live: { everyNs } });
    this.#sink = sink;
    this.#stream = new StreamOutput(process.stdout, () => context.stop());
    if (this.#flags.format === 'table' && canWatch(process.env, process.stdin, process.stdout))
      this.#openScreen(context);
    this.#nextMs = performance.now() + this.#refreshMs;
    return {
      sinks: [sink],
      onTick: () => this.#tick(context),
      ...(this.#screen === null ? {} : { screen: { note: (line: string) => this.#keep(line) } }),
    };
  }

  #openScreen(context: LiveContext): void {
    const screen = new ScreenWriter((text) => process.stdout.write(text));
    const keys = openTerminalKeys();
    keys.onKey((key) => {
      const pressed = key.kind === 'named' ? key.name : key.text;
      if (pressed === 'q' || pressed === 'ctrl-c') context.stop();
      else if (pressed === 'ctrl-z') keys.suspend?.();
    });
    keys.guard?.({
      leave: () => screen.leave(),
      enter: () => {
        screen.enter();
        this.#show(context);
      },
      resized: () => {
        screen.forget();
        this.#show(context);
      },
    });
    screen.enter();
    this.#screen = screen;
    this.#keys = keys;
  }

  #report() {
    if (this.#sink === null) throw new Error('no sink was made');
    return this.#sink.report();
  }

  #tick(context: LiveContext): void {
    const beganMs = performance.now();
    if (beganMs < this.#nextMs) return;
    this.#show(context);
    const tookMs = performance.now() - beganMs;
    this.#nextMs = beganMs + Math.max(this.#refreshMs, tookMs / LOOK_SHARE);
  }

  #show(context: LiveContext): void {
    if (this.#screen !== null) {
      this.#draw(this.#screen, context);
      return;
    }
    // Nobody reads as fast: the next look comes when the reader has room again.
    if (this.#flags.format === 'csv' || this.#stream === null || this.#stream.full() !== null) return;
    const report = this.#report();
    const text =
      this.#flags.format === 'json'
        ? oneLine(this.#output.whole(report, null).pieces)
        : `${this.#output.table(report).join('\n')}\n\n`;
    // At once, and not when there is more of it.
    this.#stream.writeBytes(Buffer.from(text));
  }

  #draw(screen: ScreenWriter, context: LiveContext): void {
    const { columns = 80, rows = 24 } = process.stdout;
    const report = this.#report();
    const listed = report.question.ranking === null ? 0 : report.top.length + LINES_AROUND_TOP;
    // Of the single exchanges the last give way on a small screen.
    const groups = Math.max(LEAST_GROUPS, rows - 1 - LINES_AROUND - listed);
    const lines = this.#output.table(report, { width: columns, groups }).slice(0, rows - 1);
    while (lines.length < rows - 1) lines.push('');
    const note = this.#notes[this.#notes.length - 1] ?? 'q ends';
    const status = liveStatusText(context.status(), Math.max(40, columns - displayWidth(note) - 3));
    lines.push(shorten(`${status}  ${sanitise(note)}`, columns));
    screen.draw({ lines, cursor: null });
  }

  #keep(line: string): void {
    this.#notes.push(line);
    if (this.#notes.length > NOTES_KEPT) this.#notes.shift();
  }

  #leave(): void {
    this.#keys?.stop();
    this.#keys = null;
    this.#screen?.leave();
    this.#screen = null;
  }

  #say(lines: readonly string[]): void {
    if (this.#flags.quiet === true) return;
    for (const line of lines) process.stderr.write(`${line}\n`);
  }
}

/** A JSON document without its line breaks: within texts there are none. */
function oneLine(pieces: Iterable<string>): string {
  return `${[...pieces].join('').replaceAll('\n', '')}\n`;
}
