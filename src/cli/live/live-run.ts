import type { Filter } from '../../filter/filter.ts';
import { KeptFields } from '../../match/http1/kept-fields.ts';
import type { Ledger } from '../../model/ledger.ts';
import { LIMITS, type Limits } from '../../model/limits.ts';
import type { LiveNotice, LiveSource } from '../../model/live.ts';
import type { CaptureFacts, DropReport, RunClock } from '../../model/packet.ts';
import type { ExchangeSink, RunRecord } from '../../model/sink.ts';
import type { StreamTap } from '../../model/stream.ts';
import { type PacketObserver, runPipeline } from '../../pipeline.ts';
import { matching } from '../../report/selection.ts';
import { sanitise } from '../../report/terminal-text.ts';
import { type StatusLine, statusLineOnStderr } from '../status-line.ts';
import { type TerminalFacts, terminalFacts } from '../terminal.ts';
import { readBudgets } from './budgets.ts';
import { DropTeller } from './drop-teller.ts';
import type { LiveFlags } from './live-flags.ts';
import { costOfProcess, LiveMeter, type LiveStatus, liveStatusText } from './live-status.ts';
import { type OpenedSource, openSource } from './source.ts';
import { stopAfter, stopOnSignals } from './stopping.ts';

/** What the parts of a live run are made with. */
export interface LiveContext {
  readonly clock: RunClock;
  /** One capture, whose interfaces grow while packets come. */
  readonly captures: readonly CaptureFacts[];
  /** Unix seconds just before the first packet could come. */
  readonly beganSeconds: number;
  readonly limits: Limits;
  readonly terminal: TerminalFacts;
  readonly version: string;
  /** Names of the header fields that exchanges keep. */
  readonly keptHeaders: readonly string[];
  readonly source: LiveSource;
  /** Of packets, as the user gave it; null: none. For who records what was captured. */
  readonly filterText: string | null;
  status(): LiveStatus;
  /** A line on standard error, or where the run shows such lines; nothing with --quiet. */
  note(line: string): void;
  /** Ends the capture; what is open comes out. */
  stop(): void;
}

/** What a command puts into a live run. */
export interface LiveParts {
  /** Exchanges for which --where holds go to these. */
  readonly sinks: readonly ExchangeSink[];
  /** All exchanges go to these. */
  readonly unselected?: readonly ExchangeSink[];
  /** Told of every packet, as the recorder needs it. */
  readonly onPacket?: PacketObserver;
  /** Told of drops, between the packets where they are known. */
  readonly onDrops?: (report: DropReport) => void;
  readonly tap?: StreamTap;
  /** Called between blocks of packets, at least a few times a second. */
  readonly onTick?: () => void;
  /** It draws on the terminal itself: no status line, and `note` comes here. */
  readonly screen?: { note(line: string): void };
}

export interface LiveRunOptions {
  /** Lower-case names of header fields that the command looks at beside those of --where. */
  readonly headers?: readonly string[];
  readonly limits?: Partial<Limits>;
  /** What opens the source; left alone outside of tests. */
  readonly open?: typeof openSource;
  /** Signals that end the capture; see stopOnSignals. */
  readonly signals?: readonly NodeJS.Signals[];
}

export interface LiveResult extends RunRecord {
  readonly context: LiveContext;
  /** Exchanges that came out, before --where. */
  readonly exchanges: number;
  /** Nobody ended it, and no limit: there is nothing more on standard input. */
  readonly inputEnded: boolean;
}

/**
 * Captures until it is stopped: by SIGINT, SIGTERM or SIGHUP (a second one ends the process with 130), by `stop`, or
 * by --packets and --duration. `expression` are the words after the options; the one word `-` is standard input.
 *
 * @throws UserError when nothing can be captured, or a sink fails
 */
export async function runLive(
  expression: readonly string[],
  flags: LiveFlags,
  version: string,
  partsOf: (context: LiveContext) => LiveParts | Promise<LiveParts>,
  options: LiveRunOptions = {},
): Promise<LiveResult> {
  const filter = flags.where === undefined ? null : await parsed(flags.where);
  return new LiveRun(flags, version, filter, options).run(expression, partsOf);
}

async function parsed(text: string): Promise<Filter> {
  const { parseFilter } = await import('../../filter/filter.ts');
  return parseFilter(text);
}

class LiveRun {
  readonly #flags: LiveFlags;
  readonly #version: string;
  readonly #filter: Filter | null;
  readonly #options: LiveRunOptions;
  readonly #terminal = terminalFacts();
  readonly #clock: RunClock = { epochSeconds: null };
  readonly #status: StatusLine | null;
  #screen: LiveParts['screen'];
  /** What the run has counted; null before it has begun. */
  #ledger: Ledger | null = null;
  #beganSeconds = 0;

  constructor(flags: LiveFlags, version: string, filter: Filter | null, options: LiveRunOptions) {
    this.#flags = flags;
    this.#version = version;
    this.#filter = filter;
    this.#options = options;
    const shown = flags.progress && flags.quiet !== true && this.#terminal.stderrIsTty;
    this.#status = shown ? statusLineOnStderr() : null;
  }

  async run(
    expression: readonly string[],
    partsOf: (context: LiveContext) => LiveParts | Promise<LiveParts>,
  ): Promise<LiveResult> {
    const flags = this.#flags;
    const limits: Limits = {
      ...LIMITS,
      ...this.#options.limits,
      ...(flags.maxConnections === undefined ? {} : { connections: flags.maxConnections }),
    };
    this.#beganSeconds = Math.floor(Date.now() / 1000);
    const opened = await (this.#options.open ?? openSource)(expression, flags, {
      clock: this.#clock,
      limits,
      keepHeaders: this.#keepHeaders,
      onNotice: (notice: LiveNotice) => this.#note(sanitise(notice.text)),
    });
    const { source, filterText, line } = opened;
    const release = stopOnSignals(source, this.#options.signals);
    const cancel = stopAfter(flags.duration ?? null, source);
    try {
      this.#note(line);
      for (const shortcoming of source.shortcomings) this.#note(shortcoming);
      const meter = new LiveMeter({
        source,
        exchanges: () => this.#exchanges,
        now: () => performance.now(),
        cost: costOfProcess,
        budgets: readBudgets(),
      });
      const context = this.#context(source, limits, filterText, meter);
      const parts = await partsOf(context);
      this.#screen = parts.screen;
      const run = await this.#pump(opened, context, parts, meter);
      const isFull = run.ledger.packetsRead >= (flags.packets ?? Number.POSITIVE_INFINITY);
      return { ...run, context, exchanges: this.#exchanges, inputEnded: !source.stopped && !isFull };
    } finally {
      cancel();
      release();
      this.#status?.clear();
      await source.close();
    }
  }

  get #exchanges(): number {
    return this.#ledger?.exchanges ?? 0;
  }

  async #pump(
    { source, run }: OpenedSource,
    context: LiveContext,
    parts: LiveParts,
    meter: LiveMeter,
  ): Promise<RunRecord> {
    const flags = this.#flags;
    const filter = this.#filter;
    const clock = this.#clock;
    const drops = new DropTeller({ now: () => performance.now(), tell: (line) => this.#note(line) });
    const tick = (): void => {
      meter.tick();
      drops.tick(source.counters);
      parts.onTick?.();
      // What draws on the screen itself shows the status too; nothing else may be written there.
      if (this.#screen === undefined) this.#status?.update((cells) => liveStatusText(meter.status(), cells));
    };
    const first = this.#watching();
    try {
      // Selected already.
      if (run !== undefined) return await run([first, ...parts.sinks], tick);
      const selected = parts.sinks.map((sink) =>
        filter === null ? sink : matching((exchange) => filter.matches(exchange, clock), sink),
      );
      return await runPipeline(source, clock, [first, ...(parts.unselected ?? []), ...selected], {
        ports: null,
        limits: context.limits,
        reveal: flags.reveal === true,
        checksums: flags.checksums === true,
        keepHeaders: this.#keepHeaders,
        onProgress: tick,
        ...(flags.packets === undefined ? {} : { packetLimit: flags.packets }),
        ...(parts.onPacket === undefined ? {} : { onPacket: parts.onPacket }),
        ...(parts.onDrops === undefined ? {} : { onDrops: parts.onDrops }),
        ...(parts.tap === undefined ? {} : { tap: parts.tap }),
      });
    } finally {
      this.#screen = undefined;
    }
  }

  get #keepHeaders(): readonly string[] {
    const { keepHeader = [] } = this.#flags;
    return [...new Set([...keepHeader, ...(this.#options.headers ?? []), ...(this.#filter?.headers ?? [])])];
  }

  #context(source: LiveSource, limits: Limits, filterText: string | null, meter: LiveMeter): LiveContext {
    return {
      clock: this.#clock,
      captures: source.facts,
      beganSeconds: this.#beganSeconds,
      limits,
      terminal: this.#terminal,
      version: this.#version,
      keptHeaders: new KeptFields(this.#keepHeaders).names,
      source,
      filterText,
      status: () => meter.status(),
      note: (line) => this.#note(line),
      stop: () => source.stop(),
    };
  }

  /** Standard error. */
  #note(line: string): void {
    if (this.#flags.quiet === true) return;
    if (this.#screen !== undefined) {
      this.#screen.note(line);
      return;
    }
    this.#status?.clear();
    process.stderr.write(`wirelens: ${line}\n`);
  }

  /** Looks at the counts, and takes the status line away before rows come. */
  #watching(): ExchangeSink {
    return {
      begin: ({ ledger }) => {
        this.#ledger = ledger;
      },
      exchange: () => {
        if (this.#terminal.stdoutIsTty) this.#status?.clear();
      },
      connection() {},
      drain: () => null,
      finish: async () => this.#status?.clear(),
      abort: async () => this.#status?.clear(),
    };
  }
}
