import type { Command } from 'commander';
import type { AnalyzeFlags } from '../commands/analyze.ts';
import { isDuration, parseCount, parseDuration, parseSize, parseStorePath } from '../option-values.ts';
import {
  addInputOptions,
  addOutputOptions,
  COMMAND_GROUP,
  type DefinitionContext,
  EXIT_CODES,
  examples,
  option,
} from './options.ts';

const FORMATS = ['summary', 'table', 'json', 'csv', 'har', 'zeek'];

const EXAMPLES = examples(
  ['wirelens analyze trace.pcap -o trace.sqlite', 'the summary, and every exchange in a SQLite file'],
  ['wirelens analyze a.pcap b.pcap --slow 500ms', 'everything that took half a second or more'],
  ["wirelens analyze trace.pcap --where 'status >= 500'", 'what failed'],
  ['tcpdump -i any -w - | wirelens analyze - --format json | jq .total_ms', 'durations, while packets come'],
);

export function defineAnalyze(program: Command, { version, finish }: DefinitionContext): void {
  const command = program
    .command('analyze')
    .helpGroup(COMMAND_GROUP.analyse)
    .description('Read captures (pcap, pcapng, also in gzip or zstd) and tell what HTTP is in them.')
    .argument(
      '[file...]',
      'captures, merged by time, or SQLite files that analyze wrote; - is standard input',
    );
  addInputOptions(command)
    .addOption(
      option(
        'Output',
        '-f, --format <format>',
        'on standard output: the summary, a row per exchange, JSON Lines, CSV, HAR 1.2, or http.log as Zeek writes it',
      ).choices(FORMATS),
    )
    .addOption(
      option(
        'Output',
        '--limit <n>',
        'rows of each list in the summary (10); with the other formats: stop after n rows',
      ).argParser(parseCount),
    )
    .addOption(
      option(
        'Output',
        '--slow [duration]',
        'a table of the exchanges that took at least that long (500ms, 2s), in the order of time; without a duration, of the slowest first (--limit, 20)',
      ).argParser(parseSlow),
    )
    .addOption(option('Output', '--summary', 'with rows: the whole summary too, on standard error'))
    .addOption(option('Output', '--no-summary', 'no summary and no line of totals'));
  addOutputOptions(command)
    .addOption(
      option('SQLite file', '-o, --output <file>', 'write every exchange into a new SQLite file').argParser(
        parseStorePath,
      ),
    )
    .addOption(option('SQLite file', '--force', 'replace the file if it exists'))
    .addOption(
      option(
        'SQLite file',
        '--max-file-size <size>',
        'go on in a further, numbered file beyond this size (512MiB)',
      ).argParser(parseSize),
    )
    .addOption(option('Checks', '--strict', 'exit with 4 if anything was missing, damaged or not understood'))
    .addHelpText('after', `${EXAMPLES}\n${EXIT_CODES}\n  4  --strict found something missing`)
    .action(async (files: string[], flags: AnalyzeFlags) => {
      const { analyze } = await import('../commands/analyze.ts');
      finish(await analyze(files, flags, version));
    });
}

/** `any` when `--slow` has no value. */
function parseSlow(text: string): number | 'any' {
  return text === 'any' ? 'any' : parseDuration(text);
}

/**
 * `--slow trace.pcap`: an option with an optional value would take the file for it. Only what looks like a
 * duration is its value.
 */
export function separateSlow(args: readonly string[]): string[] {
  return args.map((arg, index) => {
    const next = args[index + 1];
    return arg === '--slow' && (next === undefined || !isDuration(next)) ? '--slow=any' : arg;
  });
}
