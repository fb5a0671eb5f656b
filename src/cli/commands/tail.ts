import { followCaptures } from '../../capture/follow/follow.ts';
import type { FollowSource } from '../../capture/follow/source.ts';
import type { Filter } from '../../filter/filter.ts';
import { RequestWatch } from '../../match/request-watch.ts';
import { EXIT, UserError } from '../../model/errors.ts';
import { LIMITS } from '../../model/limits.ts';
import type { Packet, RunClock } from '../../model/packet.ts';
import type { ExchangeSink, RunRecord } from '../../model/sink.ts';
import { runPipeline } from '../../pipeline.ts';
import { matching } from '../../report/selection.ts';
import { counted } from '../../report/units.ts';
import type { SqliteSink } from '../../store/sqlite-sink.ts';
import { damageLines, storedLines, totalLine } from '../closing.ts';
import { packetSelection, separateWords } from '../packet-selection.ts';
import { type ReadingFlags, stopOnSignals } from '../reading.ts';
import { createRowSink } from '../row-sink.ts';
import { type StatusLine, statusLineOnStderr } from '../status-line.ts';
import { finishOutput, StreamOutput } from '../stream-output.ts';
import { NoticeFilter, reportLines, waitingLine } from '../tail-notes.ts';
import { countsOf, statusText } from '../tail-status.ts';
import { type TerminalFacts, terminalFacts } from '../terminal.ts';

/** Options of `wirelens tail` as the command line gives them. Durations in ns. */
export interface TailFlags extends ReadingFlags {
  readonly fromStart?: boolean;
  readonly poll?: number;
  readonly mergeWait?: number;
  readonly exitOnIdle?: number;
  readonly format: 'table' | 'json' | 'csv';
  readonly limit?: number;
  readonly slow?: number;
  readonly pending?: number;
  readonly output?: string;
  readonly force?: boolean;
}

const POLL_MS = 200;
const SHORTEST_POLL_MS = 10;
const MERGE_WAIT_MS = 300;
const NS_PER_MS = 1e6;

/**
 * Follows captures and prints exchanges as they end, until it is stopped.
 *
 * @returns the exit code
 * @throws UserError when a target cannot be followed
 */
export async function tail(files: readonly string[], flags: TailFlags, version: string): Promise<number> {
  const { files: names, expression } = separateWords(files, flags);
  const targets = [...(flags.read ?? []), ...names];
  if (targets.length === 0) {
    throw new UserError('usage', 'no file is named', {
      hint: "name captures, a pattern in quotes ('trace-*') or a directory",
      exitCode: EXIT.usage,
    });
  }
  const filter = flags.where === undefined ? null : await parsed(flags.where);
  return new Tail(flags, version, filter).run(targets, await packetSelection(expression, flags));
}

async function parsed(text: string): Promise<Filter> {
  const { parseFilter } = await import('../../filter/filter.ts');
  return parseFilter(text);
}

class Tail {
  readonly #flags: TailFlags;
  readonly #version: string;
  readonly #filter: Filter | null;
  readonly #terminal: TerminalFacts = terminalFacts();
  readonly #clock: RunClock = { epochSeconds: null };
  readonly #status: StatusLine | null;
  readonly #notices = new NoticeFilter();
  readonly #watch: RequestWatch | null;
  readonly #mergeWaitMs: number;
  #exchanges = 0;

  constructor(flags: TailFlags, version: string, filter: Filter | null) {
    this.#flags = flags;
    this.#version = version;
    this.#filter = filter;
    this.#mergeWaitMs = flags.mergeWait === undefined ? MERGE_WAIT_MS : flags.mergeWait / NS_PER_MS;
    this.#watch = flags.pending === undefined ? null : new RequestWatch(this.#limits, flags.reveal === true);
    const shown = flags.progress && flags.quiet !== true && this.#terminal.stderrIsTty;
    this.#status = shown ? statusLineOnStderr() : null;
  }

  get #limits() {
    const { maxConnections } = this.#flags;
    return { ...LIMITS, ...(maxConnections === undefined ? {} : { connections: maxConnections }) };
  }

  async run(targets: readonly string[], accepts: ((packet: Packet) => boolean) | null): Promise<number> {
    const flags = this.#flags;
    const source: FollowSource = await followCaptures(targets, {
      clock: this.#clock,
      limits: this.#limits,
      pollMs: Math.max(SHORTEST_POLL_MS, flags.poll === undefined ? POLL_MS : flags.poll / NS_PER_MS),
      mergeWaitMs: this.#mergeWaitMs,
      fromStart: flags.fromStart === true,
      idleMs: flags.exitOnIdle === undefined ? null : flags.exitOnIdle / NS_PER_MS,
      onNotice: (notice) => this.#note(this.#notices.lineOf(notice)),
      onWait: () => this.#progress(source),
    });
    const release = stopOnSignals({
      get stopped() {
        return source.stopped;
      },
      stop: () => source.stop(true),
    });
    try {
      const { leftOut } = source.report;
      if (leftOut > 0) this.#note(`${counted(leftOut, 'older file')} left out; --from-start reads them too`);
      const output = new StreamOutput(process.stdout, () => source.stop());
      const keepHeaders = [...new Set([...(flags.keepHeader ?? []), ...(this.#filter?.headers ?? [])])];
      const store = await this.#openStore(keepHeaders);
      const sinks = [this.#counting(), this.#rows(source, output), ...(store === null ? [] : [store])];
      const run = await runPipeline(source, this.#clock, sinks, {
        ports: flags.port === undefined ? null : new Set(flags.port),
        accepts,
        limits: this.#limits,
        reveal: flags.reveal === true,
        checksums: flags.checksums === true,
        keepHeaders,
        onProgress: () => this.#progress(source),
        ...(flags.packets === undefined ? {} : { packetLimit: flags.packets }),
        ...(this.#watch === null ? {} : { tap: this.#watch.tap }),
      }).finally(() => this.#status?.clear());
      return await this.#close(run, source, output, store);
    } finally {
      release();
      await source.close();
    }
  }

  /** Standard error; null is no line. */
  #note(line: string | null): void {
    if (line === null || this.#flags.quiet === true) return;
    this.#status?.clear();
    process.stderr.write(`wirelens: ${line}\n`);
  }

  #progress(source: FollowSource): void {
    this.#tellWaiting(source);
    this.#status?.update(() => statusText(countsOf(source, this.#exchanges)));
  }

  #tellWaiting(source: FollowSource): void {
    const nowNs = source.nowNs;
    if (this.#watch === null || nowNs === null) return;
    for (const request of this.#watch.due(nowNs, this.#flags.pending as number)) {
      this.#note(waitingLine(request, { nowNs, clock: this.#clock, captures: source.facts }));
    }
  }

  /** Takes the status line away before rows come, and counts them. */
  #counting(): ExchangeSink {
    return {
      exchange: () => {
        this.#exchanges++;
        this.#status?.clear();
      },
      connection() {},
      drain: () => null,
      finish: async () => this.#status?.clear(),
      abort: async () => this.#status?.clear(),
    };
  }

  #rows(source: FollowSource, output: StreamOutput): ExchangeSink {
    const flags = this.#flags;
    const filter = this.#filter;
    const clock = this.#clock;
    const sink = createRowSink(flags, {
      output,
      clock,
      captures: source.facts,
      terminal: this.#terminal,
      version: this.#version,
      // A file that is being written is written to its end.
      onLimit: () => flags.output !== undefined || source.stop(),
    });
    return filter === null ? sink : matching((exchange) => filter.matches(exchange, clock), sink);
  }

  async #openStore(keptHeaders: readonly string[]): Promise<SqliteSink | null> {
    const { output: path, force } = this.#flags;
    if (path === undefined) {
      if (force !== true) return null;
      throw new UserError('usage', '--force is about the file of --output', {
        hint: 'add -o FILE.sqlite',
        exitCode: EXIT.usage,
      });
    }
    const { createSqliteSink } = await import('../../store/sqlite-sink.ts');
    return createSqliteSink({
      path,
      force: force === true,
      limits: this.#limits,
      clock: this.#clock,
      version: this.#version,
      keptHeaders,
    });
  }

  async #close(
    run: RunRecord,
    source: FollowSource,
    output: StreamOutput,
    store: SqliteSink | null,
  ): Promise<number> {
    await finishOutput(output);
    const { report } = source;
    if (this.#flags.quiet !== true)
      process.stderr.write(`${totalLine(run, false)}; ${counted(report.files, 'file')}\n`);
    // Damage was told when it was met.
    for (const line of damageLines(run.captures.map((capture) => ({ ...capture, damage: null }))))
      this.#note(line);
    for (const line of reportLines(report, this.#mergeWaitMs, source.unreadBytes)) this.#note(line);
    if (this.#flags.quiet !== true) {
      for (const line of storedLines(store?.files() ?? [])) process.stderr.write(`${line}\n`);
    }
    if (report.files === 0 && !source.stopped) {
      throw new UserError('no-capture', 'no capture came', { hint: 'check the names, and quote patterns' });
    }
    return report.damaged > 0 ? EXIT.salvaged : EXIT.fine;
  }
}
