import { createCsvSink } from '../../export/csv-sink.ts';
import type { ExportOptions, ExportSink } from '../../export/export-sink.ts';
import { createHarSink } from '../../export/har/har-sink.ts';
import { createJsonLinesSink } from '../../export/json-lines-sink.ts';
import { createZeekSink, type ZeekLogName } from '../../export/zeek/zeek-sink.ts';
import { EXIT, UserError } from '../../model/errors.ts';
import { routeOf } from '../../model/route.ts';
import type { ExchangeSink } from '../../model/sink.ts';
import { sanitise } from '../../report/terminal-text.ts';
import { ExportTarget } from '../export-target.ts';
import { closeReading, type ReadingContext, type ReadingFlags, readExchanges } from '../reading.ts';
import { terminalFacts } from '../terminal.ts';

/** Options of `wirelens export` as the command line gives them. */
export interface ExportFlags extends ReadingFlags {
  readonly format: 'csv' | 'json' | 'har' | 'zeek' | 'parquet';
  readonly write?: string;
  readonly force?: boolean;
  readonly csvSafe?: boolean;
  readonly maxEntries?: number;
  readonly zeekJson?: boolean;
  readonly zeekLog?: ZeekLogName;
}

/**
 * Writes exchanges in another tool's format, to standard output or to files that appear as a whole.
 *
 * @returns the exit code
 * @throws UserError when the input or the output cannot be used
 */
export async function exportExchanges(
  files: readonly string[],
  flags: ExportFlags,
  version: string,
): Promise<number> {
  checkFlags(flags);
  const target = new ExportTarget(flags, [...(flags.read ?? []), ...files]);
  const counts = { exchanges: 0, connections: 0 };
  let notices = (): readonly string[] => [];
  try {
    const sinksOf = async (context: ReadingContext): Promise<ExchangeSink[]> => {
      target.open(context.stop);
      const sink = await createSink(flags, target, context);
      if (sink.notices !== undefined) notices = sink.notices;
      return [counting(counts), sink];
    };
    const run = await readExchanges(files, flags, version, sinksOf, {
      showProgress: target.toFiles || !terminalFacts().stdoutIsTty,
      finishing: 'writing',
    });
    await target.publish();
    const notes = [...target.written(counts), ...notices()];
    if (run.stoppedEarly && target.toFiles) notes.push('stopped early: this is what was read until then');
    if (flags.quiet !== true) for (const line of notes) process.stderr.write(`${line}\n`);
    return closeReading(run, flags);
  } catch (error) {
    target.discard();
    throw error;
  }
}

function usage(message: string, hint: string): UserError {
  return new UserError('usage', message, { hint, exitCode: EXIT.usage });
}

/** An option that has no meaning for the format is a mistake, not a wish that goes unheard. */
function checkFlags(flags: ExportFlags): void {
  const { format, write } = flags;
  const toFiles = write !== undefined && write !== '-';
  const only = (given: unknown, option: string, wanted: string): void => {
    if (given !== undefined && format !== wanted)
      throw usage(`${option} is about --format ${wanted}`, `leave it out with --format ${format}`);
  };
  only(flags.csvSafe, '--csv-safe', 'csv');
  only(flags.maxEntries, '--max-entries', 'har');
  only(flags.zeekJson, '--zeek-json', 'zeek');
  only(flags.zeekLog, '--zeek-log', 'zeek');
  if (flags.zeekLog !== undefined && toFiles)
    throw usage('--zeek-log chooses what goes to standard output', 'a directory gets both logs');
  if (flags.force === true && !toFiles)
    throw usage('--force is about the files of -w', 'name a file with -w');
  if (format === 'parquet' && !toFiles && process.stdout.isTTY === true)
    throw usage('Parquet is no text for a terminal', 'name a file with -w, or pipe it on');
}

function counting(counts: { exchanges: number; connections: number }): ExchangeSink {
  return {
    exchange() {
      counts.exchanges += 1;
    },
    connection() {
      counts.connections += 1;
    },
    drain: () => null,
    finish: async () => {},
    abort: async () => {},
  };
}

async function createSink(
  flags: ExportFlags,
  target: ExportTarget,
  context: ReadingContext,
): Promise<ExchangeSink & Partial<ExportSink>> {
  const { clock, captures, version, terminal } = context;
  if (flags.format === 'zeek') {
    const outputs = target.zeekOutputs();
    return createZeekSink({ outputs, clock, captures, version, json: flags.zeekJson === true });
  }
  const options: ExportOptions = { output: target.single, clock, captures, version };
  switch (flags.format) {
    case 'json':
      return createJsonLinesSink({ output: target.single, clock, captures, routeOf });
    case 'csv': {
      const acts = terminal.stdoutIsTty && !target.toFiles;
      return createCsvSink({
        ...options,
        safe: flags.csvSafe === true,
        ...(acts ? { clean: sanitise } : {}),
      });
    }
    case 'har':
      return createHarSink({
        ...options,
        ...(flags.maxEntries === undefined ? {} : { limits: { entries: flags.maxEntries } }),
      });
    case 'parquet': {
      // Loaded only when asked for: the library behind it is larger than this command.
      const { createParquetSink } = await import('../../export/parquet-sink.ts');
      return createParquetSink(options);
    }
  }
}
