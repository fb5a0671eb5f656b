import { RequestWatch } from '../../match/request-watch.ts';
import { EXIT } from '../../model/errors.ts';
import type { ExchangeSink } from '../../model/sink.ts';
import { sanitise } from '../../report/terminal-text.ts';
import { storedLines } from '../closing.ts';
import { type CaptureFlags, checkCaptureFlags } from '../live/capture-flags.ts';
import { filterDump } from '../live/filter-dump.ts';
import { complaintLines, exitCodeOf, totalLines } from '../live/live-closing.ts';
import { type LiveContext, type LiveParts, runLive } from '../live/live-run.ts';
import { openLiveStore } from '../live/live-store.ts';
import { openWatch, wantsWatch } from '../live/live-watch.ts';
import type { Recorder } from '../live/recorder.ts';
import { createRowSink, selected } from '../row-sink.ts';
import { finishOutput, StreamOutput } from '../stream-output.ts';
import { waitingLine } from '../tail-notes.ts';
import { terminalFacts } from '../terminal.ts';
import { interfaces } from './interfaces.ts';

/**
 * Captures packets and shows exchanges as they end, until it is stopped. `words`: a tcpdump expression, or `-`.
 *
 * @returns the exit code
 * @throws UserError when nothing can be captured, or something cannot be written
 */
export async function capture(
  words: readonly string[],
  flags: CaptureFlags,
  version: string,
): Promise<number> {
  if (flags.listInterfaces === true) return interfaces({ format: 'table', color: flags.color });
  checkCaptureFlags(flags);
  if (flags.dumpFilter === true) {
    process.stdout.write(await filterDump(words, flags));
    return EXIT.fine;
  }
  return new Capture(words, flags, version).run();
}

class Capture {
  readonly #words: readonly string[];
  readonly #flags: CaptureFlags;
  readonly #version: string;
  readonly #watches: boolean;
  #output: StreamOutput | null = null;
  #recorder: Recorder | null = null;
  #store: Awaited<ReturnType<typeof openLiveStore>> | null = null;
  #watch: Awaited<ReturnType<typeof openWatch>> | null = null;

  constructor(words: readonly string[], flags: CaptureFlags, version: string) {
    this.#words = words;
    this.#flags = flags;
    this.#version = version;
    this.#watches = wantsWatch(flags, terminalFacts());
  }

  async run(): Promise<number> {
    const exitCode = await this.#captured();
    // The rest was finished in spite of it.
    const failure = this.#recorder?.failure ?? null;
    if (failure !== null) throw failure;
    return exitCode;
  }

  async #captured(): Promise<number> {
    try {
      const result = await runLive(this.#words, this.#flags, this.#version, (context) =>
        this.#parts(context),
      );
      // Everything that is written is complete by now.
      if (result.inputEnded) await this.#watch?.untilQuit();
      this.#watch?.closing([]);
      if (this.#output !== null) await finishOutput(this.#output);
      this.#say(totalLines(result));
      this.#say(complaintLines(result).map((line) => `wirelens: ${line}`));
      this.#say(this.#fileLines());
      return exitCodeOf(result);
    } catch (error) {
      this.#watch?.closing([]);
      // What was recorded before that stays, and is whole.
      if (this.#recorder !== null) this.#say([this.#recorder.summary]);
      throw error;
    }
  }

  async #parts(context: LiveContext): Promise<LiveParts> {
    const flags = this.#flags;
    const pending = this.#pending(context);
    try {
      // What takes the terminal comes last: whatever refuses to begin must be readable.
      this.#store = await openLiveStore(flags, context);
      this.#recorder = await this.#openRecorder(context);
      if (this.#watches) this.#watch = openWatch(this.#words, flags, context);
    } catch (error) {
      await this.#store?.abort();
      await this.#recorder?.abort();
      throw error;
    }
    const recorder = this.#recorder;
    const screen = this.#watch;
    const sinks: ExchangeSink[] = [this.#rows(context)];
    if (this.#store !== null) sinks.push(this.#store);
    return {
      sinks,
      ...(recorder === null
        ? {}
        : {
            unselected: [recorder],
            onPacket: (packet) => recorder.packet(packet),
            onDrops: (report) => recorder.drops(report),
          }),
      ...(pending === null ? {} : { tap: pending.tap }),
      ...(screen === null ? {} : { screen }),
      onTick: () => {
        pending?.tick();
        recorder?.tick(context.source.nowNs);
        screen?.tick();
      },
    };
  }

  #rows(context: LiveContext): ExchangeSink {
    const flags = this.#flags;
    const { clock, captures, terminal, version } = context;
    // A file that is being written is written to its end.
    const onLimit = () => {
      if (flags.output === undefined && flags.write === undefined) context.stop();
    };
    if (this.#watch !== null) return selected(this.#watch, flags, captures, onLimit);
    // Packets on standard output leave no room for rows.
    if (flags.write === '-') return NO_ROWS;
    this.#output = new StreamOutput(process.stdout, () => context.stop());
    const { format = 'table', color } = flags;
    return createRowSink(
      { ...flags, format, color },
      { output: this.#output, clock, captures, terminal, version, onLimit },
    );
  }

  async #openRecorder(context: LiveContext): Promise<Recorder | null> {
    const { write, fileSize, fileSeconds, fileCount, force } = this.#flags;
    if (write === undefined) return null;
    const { createRecorder } = await import('../live/recorder.ts');
    return createRecorder({
      path: write,
      rotation: {
        ...(fileSize === undefined ? {} : { fileBytes: fileSize }),
        ...(fileSeconds === undefined ? {} : { seconds: fileSeconds }),
        ...(fileCount === undefined ? {} : { count: fileCount }),
      },
      force: force === true,
      clock: context.clock,
      captures: context.captures,
      startSeconds: context.beganSeconds,
      section: { application: `wirelens ${this.#version}` },
      filterText: context.filterText,
      now: () => performance.now(),
      onEnd: (text) => {
        if (text !== null) context.note(text);
        context.stop();
      },
    });
  }

  /** Requests that wait for --pending, told as time passes. */
  #pending(context: LiveContext): (Pick<RequestWatch, 'tap'> & { tick(): void }) | null {
    const { pending, reveal } = this.#flags;
    if (pending === undefined) return null;
    const watch = new RequestWatch(context.limits, reveal === true);
    const { clock, captures, source } = context;
    return {
      tap: watch.tap,
      tick: () => {
        const { nowNs } = source;
        if (nowNs === null) return;
        for (const request of watch.due(nowNs, pending))
          context.note(waitingLine(request, { nowNs, clock, captures }));
      },
    };
  }

  #fileLines(): string[] {
    const lines = this.#recorder === null ? [] : [this.#recorder.summary];
    return [...lines, ...storedLines(this.#store?.files() ?? [])];
  }

  #say(lines: readonly string[]): void {
    if (this.#flags.quiet === true) return;
    for (const line of lines) process.stderr.write(`${sanitise(line)}\n`);
  }
}

const NO_ROWS: ExchangeSink = {
  exchange() {},
  connection() {},
  drain: () => null,
  finish: async () => {},
  abort: async () => {},
};
