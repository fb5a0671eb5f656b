import { realpathSync, statSync } from 'node:fs';
import { openCaptures } from '../../capture/open.ts';
import { createJsonLinesSink } from '../../export/json-lines-sink.ts';
import { EXIT, UserError } from '../../model/errors.ts';
import { LIMITS, type Limits } from '../../model/limits.ts';
import type { RunClock } from '../../model/packet.ts';
import { routeOf } from '../../model/route.ts';
import type { ExchangeSink, RunRecord } from '../../model/sink.ts';
import { runPipeline } from '../../pipeline.ts';
import { createExchangeTable } from '../../report/exchange-table.ts';
import { atLeast, firstOf, slowestOf } from '../../report/selection.ts';
import { NO_STYLE } from '../../report/style.ts';
import { createSummary, type Summary } from '../../report/summary.ts';
import { summaryText } from '../../report/summary-text.ts';
import type { SqliteSink, SqliteSinkOptions } from '../../store/sqlite-sink.ts';
import { damageLines, storedLines, strictViolations, totalLine } from '../closing.ts';
import { Progress } from '../progress.ts';
import { StoppableSource } from '../stoppable-source.ts';
import { StreamOutput } from '../stream-output.ts';
import {
  type ColorChoice,
  chooseStyle,
  chooseWidth,
  type TerminalFacts,
  terminalFacts,
} from '../terminal.ts';

/** Options of `wirelens analyze` as the command line gives them. */
export interface AnalyzeFlags {
  readonly read?: readonly string[];
  readonly packets?: number;
  readonly port?: readonly number[];
  readonly checksums?: boolean;
  readonly format?: 'summary' | 'table' | 'json';
  readonly limit?: number;
  readonly slow?: number | 'any';
  readonly reveal?: boolean;
  readonly summary?: boolean;
  readonly quiet?: boolean;
  readonly color: ColorChoice;
  readonly progress: boolean;
  readonly output?: string;
  readonly force?: boolean;
  readonly maxFileSize?: number;
  readonly strict?: boolean;
  readonly maxConnections?: number;
  readonly debug?: boolean;
}

/** Rows of each list of the summary, and of `--slow` without a duration. */
const SUMMARY_ROWS = 10;
const SLOWEST_ROWS = 20;
/** Cells of the summary's lines where there is no terminal to ask. */
const PIPED_WIDTH = 100;

/**
 * Reads captures and prints what is in them. Data goes to standard output, everything else to standard error.
 *
 * @returns the exit code
 * @throws UserError when the input or the output cannot be used
 */
export async function analyze(
  files: readonly string[],
  flags: AnalyzeFlags,
  version: string,
): Promise<number> {
  const paths = [...(flags.read ?? []), ...files];
  checkPaths(paths, flags);
  const terminal = terminalFacts();
  const format = flags.format ?? (flags.slow === undefined ? 'summary' : 'table');
  const limits = chosenLimits(flags);
  const clock: RunClock = { epochSeconds: null };
  const inner = await openCaptures(paths, { clock, limits });
  const source = new StoppableSource(inner);
  const output = new StreamOutput(process.stdout, () => {
    // Nobody reads any more. A file that is being written is still written to its end.
    if (flags.output === undefined) source.stop();
  });
  const stop = stopOnSignals(source);
  try {
    const rows = format === 'summary' ? null : rowSink(format, flags, { source, output, clock, terminal });
    const summary = wantsSummary(format, flags)
      ? createSummary({ limits, listed: flags.limit ?? SUMMARY_ROWS, routeOf })
      : null;
    const store =
      flags.output === undefined
        ? null
        : await openStore(flags.output, { force: flags.force === true, limits, clock, version });
    const sinks = [rows, summary, store].filter((sink): sink is ExchangeSink => sink !== null);
    const progress = startProgress(paths, flags, terminal, format);
    if (store !== null && progress !== null) sinks.unshift(announcing(progress, `writing ${flags.output}`));
    const run = await runPipeline(source, clock, sinks, {
      ports: flags.port === undefined ? null : new Set(flags.port),
      limits,
      reveal: flags.reveal === true,
      checksums: flags.checksums === true,
      onProgress: () => progress?.update(source.facts),
      ...(flags.packets === undefined ? {} : { packetLimit: flags.packets }),
    }).finally(() => progress?.clear());
    return await close(run, summary, { format, flags, output, terminal, store, limited: source.stopped });
  } finally {
    stop();
    await source.close();
  }
}

interface Closing {
  readonly format: string;
  readonly flags: AnalyzeFlags;
  readonly output: StreamOutput;
  readonly terminal: TerminalFacts;
  readonly store: SqliteSink | null;
  /** The run was ended before the captures were. */
  readonly limited: boolean;
}

/** Prints the summary or the totals and every complaint, and decides the exit code. */
async function close(run: RunRecord, summary: Summary | null, closing: Closing): Promise<number> {
  const { format, flags, output, terminal } = closing;
  const quiet = flags.quiet === true;
  const note = (line: string): void => {
    if (!quiet) process.stderr.write(`${line}\n`);
  };
  if (summary !== null) {
    const limit = flags.limit ?? SUMMARY_ROWS;
    const style = format === 'summary' ? chooseStyle(flags.color, terminal) : NO_STYLE;
    const text = summaryText(summary.report(), { width: chooseWidth(terminal, PIPED_WIDTH), style, limit });
    if (format === 'summary') output.write(text);
    else note(text.trimEnd());
  } else if (flags.summary !== false) {
    note(totalLine(run, closing.limited));
  }
  await output.flush();
  if (output.failure !== null) {
    throw new UserError('stdout', `cannot write to standard output: ${output.failure.message}`);
  }
  for (const line of damageLines(run.captures)) note(`wirelens: ${line}`);
  for (const line of storedLines(closing.store?.files() ?? [])) note(line);
  const violations = flags.strict === true ? strictViolations(run) : [];
  for (const violation of violations) process.stderr.write(`wirelens: --strict: ${violation}\n`);
  if (violations.length > 0) return EXIT.strict;
  return run.captures.some((capture) => capture.damage !== null) ? EXIT.salvaged : EXIT.fine;
}

function wantsSummary(format: string, flags: AnalyzeFlags): boolean {
  return format === 'summary' ? flags.summary !== false : flags.summary === true;
}

function usage(message: string, hint: string): UserError {
  return new UserError('usage', message, { hint, exitCode: EXIT.usage });
}

function checkPaths(paths: readonly string[], flags: AnalyzeFlags): void {
  if (paths.length === 0) throw usage('no capture is named', 'name a file, or - for standard input');
  if (paths.filter((path) => path === '-').length > 1)
    throw usage('standard input can be read only once', 'give - once');
  if (paths.includes('-') && process.stdin.isTTY) {
    throw usage('standard input is a terminal', 'pipe a capture into it: tcpdump -w - | wirelens analyze -');
  }
  if (flags.output === undefined && (flags.force || flags.maxFileSize !== undefined)) {
    throw usage('--force and --max-file-size are about the file of --output', 'add -o FILE.sqlite');
  }
  if (flags.output === undefined) return;
  const target = realPath(flags.output);
  for (const path of paths) {
    if (path !== '-' && target !== null && realPath(path) === target) {
      throw usage(`--output ${flags.output} is a capture that is read`, 'choose another name');
    }
  }
}

function realPath(path: string): string | null {
  try {
    return realpathSync(path);
  } catch {
    return null;
  }
}

function chosenLimits(flags: AnalyzeFlags): Limits {
  return {
    ...LIMITS,
    ...(flags.maxConnections === undefined ? {} : { connections: flags.maxConnections }),
    ...(flags.maxFileSize === undefined ? {} : { sqliteFileBytes: flags.maxFileSize }),
  };
}

interface RowParts {
  readonly source: StoppableSource;
  readonly output: StreamOutput;
  readonly clock: RunClock;
  readonly terminal: TerminalFacts;
}

/** Prints exchanges as they come, as far as --slow and --limit let them through. */
function rowSink(format: 'table' | 'json', flags: AnalyzeFlags, parts: RowParts): ExchangeSink {
  const { source, output, clock, terminal } = parts;
  const captures = source.facts;
  const sink =
    format === 'json'
      ? createJsonLinesSink({ output, clock, captures, routeOf })
      : createExchangeTable({
          output,
          clock,
          captures,
          width: chooseWidth(terminal, Number.POSITIVE_INFINITY),
          style: chooseStyle(flags.color, terminal),
          sortByStart: flags.slow !== 'any',
        });
  if (flags.slow === 'any') return slowestOf(flags.limit ?? SLOWEST_ROWS, captures, sink);
  const needsAll = flags.output !== undefined || flags.summary === true;
  const limited =
    flags.limit === undefined ? sink : firstOf(flags.limit, sink, () => needsAll || source.stop());
  return flags.slow === undefined ? limited : atLeast(flags.slow, captures, limited);
}

async function openStore(path: string, options: Omit<SqliteSinkOptions, 'path'>): Promise<SqliteSink> {
  // Loaded only when asked for: most runs write no file.
  const { createSqliteSink } = await import('../../store/sqlite-sink.ts');
  return createSqliteSink({ path, ...options });
}

/** The first signal ends reading and everything read so far is reported; the second ends the process. */
function stopOnSignals(source: StoppableSource): () => void {
  const stop = (): void => {
    if (source.stopped) process.exit(130);
    source.stop();
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  return () => {
    process.off('SIGINT', stop);
    process.off('SIGTERM', stop);
  };
}

function startProgress(
  paths: readonly string[],
  flags: AnalyzeFlags,
  terminal: TerminalFacts,
  format: string,
): Progress | null {
  const rowsOnTerminal = format !== 'summary' && terminal.stdoutIsTty;
  if (!flags.progress || flags.quiet === true || !terminal.stderrIsTty || rowsOnTerminal) return null;
  return new Progress({
    totalBytes: plainBytes(paths),
    write: (text) => process.stderr.write(text),
    columns: process.stderr.columns ?? 80,
    now: () => performance.now(),
  });
}

/** A sink that only says when the last packet is through and the others finish. */
function announcing(progress: Progress, text: string): ExchangeSink {
  return {
    exchange() {},
    connection() {},
    drain: () => null,
    finish: async () => progress.phase(text),
    abort: async () => {},
  };
}

/** Size of all captures together; null where reading will not count in these bytes. */
function plainBytes(paths: readonly string[]): number | null {
  let bytes = 0;
  for (const path of paths) {
    const stat = path === '-' ? undefined : statSync(path, { throwIfNoEntry: false });
    if (stat === undefined || !stat.isFile()) return null;
    bytes += stat.size;
  }
  return bytes;
}
