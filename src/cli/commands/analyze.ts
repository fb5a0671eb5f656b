import { realpathSync } from 'node:fs';
import type { ExportSink } from '../../export/export-sink.ts';
import { createJsonLinesSink } from '../../export/json-lines-sink.ts';
import { EXIT, UserError } from '../../model/errors.ts';
import { routeOf } from '../../model/route.ts';
import type { ExchangeSink } from '../../model/sink.ts';
import { createExchangeTable } from '../../report/exchange-table.ts';
import { atLeast, firstOf, slowestOf } from '../../report/selection.ts';
import { NO_STYLE } from '../../report/style.ts';
import { createSummary, type Summary } from '../../report/summary.ts';
import { summaryText } from '../../report/summary-text.ts';
import { sanitise } from '../../report/terminal-text.ts';
import type { SqliteSink } from '../../store/sqlite-sink.ts';
import { damageLines, storedLines, strictViolations, totalLine } from '../closing.ts';
import { type Reading, type ReadingContext, type ReadingFlags, readExchanges } from '../reading.ts';
import { finishOutput, StreamOutput } from '../stream-output.ts';
import { chooseStyle, chooseWidth, type TerminalFacts, terminalFacts } from '../terminal.ts';

/** Formats with something for every exchange. */
type RowFormat = 'table' | 'json' | 'csv' | 'har' | 'zeek';

/** Options of `wirelens analyze` as the command line gives them. */
export interface AnalyzeFlags extends ReadingFlags {
  readonly format?: 'summary' | RowFormat;
  readonly limit?: number;
  readonly slow?: number | 'any';
  readonly summary?: boolean;
  readonly output?: string;
  readonly force?: boolean;
  readonly maxFileSize?: number;
  readonly strict?: boolean;
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
  checkOutput([...(flags.read ?? []), ...files], flags);
  const terminal = terminalFacts();
  const format = flags.format ?? (flags.slow === undefined ? 'summary' : 'table');
  let stop = (): void => {};
  const output = new StreamOutput(process.stdout, () => {
    // Nobody reads any more. A file that is being written is still written to its end.
    if (flags.output === undefined) stop();
  });
  const made: Made = { summary: null, store: null, notices: () => [] };
  const sinksOf = async (context: ReadingContext): Promise<ExchangeSink[]> => {
    stop = context.stop;
    const sinks: ExchangeSink[] = [];
    if (format !== 'summary') {
      const rows = await rowSink(format, flags, context, output);
      if (rows.notices !== undefined) made.notices = rows.notices;
      sinks.push(rows);
    }
    if (wantsSummary(format, flags)) {
      const listed = flags.limit ?? SUMMARY_ROWS;
      made.summary = createSummary({ limits: context.limits, listed, routeOf });
      sinks.push(made.summary);
    }
    if (flags.output !== undefined) {
      made.store = await openStore(flags.output, flags.force === true, context);
      sinks.push(made.store);
    }
    return sinks;
  };
  const run = await readExchanges(files, flags, version, sinksOf, {
    showProgress: format === 'summary' || !terminal.stdoutIsTty,
    ...(flags.output === undefined ? {} : { finishing: `writing ${flags.output}` }),
    ...(flags.maxFileSize === undefined ? {} : { limits: { sqliteFileBytes: flags.maxFileSize } }),
  });
  return close(run, made, { format, flags, output, terminal });
}

/** What the sinks say when the run has ended. */
interface Made {
  summary: Summary | null;
  store: SqliteSink | null;
  notices: () => readonly string[];
}

interface Closing {
  readonly format: string;
  readonly flags: AnalyzeFlags;
  readonly output: StreamOutput;
  readonly terminal: TerminalFacts;
}

/** Prints the summary or the totals and every complaint, and decides the exit code. */
async function close(run: Reading, { summary, store, notices }: Made, closing: Closing): Promise<number> {
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
    note(totalLine(run, run.stoppedEarly));
  }
  await finishOutput(output);
  for (const line of damageLines(run.captures)) note(`wirelens: ${line}`);
  for (const line of notices()) note(line);
  for (const line of storedLines(store?.files() ?? [])) note(line);
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

function checkOutput(paths: readonly string[], flags: AnalyzeFlags): void {
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

/** Prints exchanges as they come, as far as --slow and --limit let them through. */
async function rowSink(
  format: RowFormat,
  flags: AnalyzeFlags,
  context: ReadingContext,
  output: StreamOutput,
): Promise<ExchangeSink & Partial<ExportSink>> {
  const { captures, stop } = context;
  const sink = await formatSink(format, flags, context, output);
  const notices = sink.notices === undefined ? {} : { notices: sink.notices };
  if (flags.slow === 'any') return { ...slowestOf(flags.limit ?? SLOWEST_ROWS, captures, sink), ...notices };
  const needsAll = flags.output !== undefined || flags.summary === true;
  const limited = flags.limit === undefined ? sink : firstOf(flags.limit, sink, () => needsAll || stop());
  return flags.slow === undefined ? limited : { ...atLeast(flags.slow, captures, limited), ...notices };
}

/** The formats for other tools are loaded only when asked for. */
async function formatSink(
  format: RowFormat,
  flags: AnalyzeFlags,
  { clock, captures, terminal, version, fromFiles }: ReadingContext,
  output: StreamOutput,
): Promise<ExchangeSink & Partial<ExportSink>> {
  const options = { output, clock, captures, version };
  switch (format) {
    case 'json':
      return createJsonLinesSink({ output, clock, captures, routeOf });
    case 'csv': {
      const { createCsvSink } = await import('../../export/csv-sink.ts');
      return createCsvSink({ ...options, ...(terminal.stdoutIsTty ? { clean: sanitise } : {}) });
    }
    case 'har': {
      const { createHarSink } = await import('../../export/har/har-sink.ts');
      return createHarSink(options);
    }
    case 'zeek': {
      const { createZeekSink } = await import('../../export/zeek/zeek-sink.ts');
      return createZeekSink({ outputs: { http: output }, clock, captures, version });
    }
    case 'table':
      return createExchangeTable({
        output,
        clock,
        captures,
        width: chooseWidth(terminal, Number.POSITIVE_INFINITY),
        style: chooseStyle(flags.color, terminal),
        sortByStart: flags.slow !== 'any',
        gather: fromFiles,
      });
  }
}

async function openStore(
  path: string,
  force: boolean,
  { limits, clock, version, keptHeaders }: ReadingContext,
): Promise<SqliteSink> {
  // Loaded only when asked for: most runs write no file.
  const { createSqliteSink } = await import('../../store/sqlite-sink.ts');
  return createSqliteSink({
    path,
    force,
    limits,
    clock,
    version,
    ...(keptHeaders === null ? {} : { keptHeaders }),
  });
}
