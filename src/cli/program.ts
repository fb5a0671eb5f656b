import { existsSync } from 'node:fs';
import { Command, CommanderError, Option } from 'commander';
import { EXIT } from '../model/errors.ts';
import type { AnalyzeFlags } from './commands/analyze.ts';
import type { SqlFlags } from './commands/sql.ts';
import { reportFailure } from './failure.ts';
import { gather, isDuration, parseCount, parseDuration, parsePorts, parseSize } from './option-values.ts';
import { COLOR_CHOICES } from './terminal.ts';

const EXIT_CODES = `
Exit codes:
  0  fine
  1  cannot read or write
  2  wrong usage
  3  a damaged capture was read up to the damage
  4  --strict found something missing`;

const ANALYZE_EXAMPLES = `
Examples:
  wirelens analyze trace.pcap -o trace.sqlite     the summary, and every exchange in a SQLite file
  wirelens analyze a.pcap b.pcap --slow 500ms     everything that took half a second or more
  tcpdump -i any -w - | wirelens analyze - --format json | jq .total_ms`;

const SQL_EXAMPLES = `
Examples:
  wirelens sql trace.sqlite "SELECT * FROM red_by_route LIMIT 10"
  wirelens sql trace.sqlite --format csv "SELECT * FROM unanswered" > unanswered.csv`;

const COMPLETION_EXAMPLES = `
Examples:
  source <(wirelens completion bash)
  wirelens completion fish > ~/.config/fish/completions/wirelens.fish`;

/** The commands with their options. `finish` gets the exit code of the command that ran. */
export function createProgram(version: string, finish: (exitCode: number) => void): Command {
  const program = new Command('wirelens')
    .description(
      'Turns packets into HTTP exchanges: which requests, how long and why, which failed, which were never answered.',
    )
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'print the help of a command')
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(usageError(text)) })
    .addHelpText('after', EXIT_CODES)
    .showHelpAfterError(false);
  addAnalyze(program, version, finish);
  addSql(program, finish);
  addCompletion(program, finish);
  return program;
}

function addAnalyze(program: Command, version: string, finish: (exitCode: number) => void): void {
  const option = (group: string, flags: string, description: string): Option =>
    new Option(flags, description).helpGroup(`${group}:`);
  program
    .command('analyze')
    .description('Read captures (pcap, pcapng, also in gzip or zstd) and tell what HTTP is in them.')
    .argument('[file...]', 'captures, merged by time; - is standard input')
    .addOption(
      option('Input', '-r, --read <file>', 'a capture, as with tcpdump; may be repeated').argParser(gather),
    )
    .addOption(option('Input', '-c, --packets <n>', 'stop after n packets').argParser(parseCount))
    .addOption(
      option(
        'Input',
        '--port <n,...>',
        'only connections with one of these ports; may be repeated',
      ).argParser(parsePorts),
    )
    .addOption(
      option(
        'Input',
        '--checksums',
        'leave out packets with a wrong checksum (offloading makes them common)',
      ),
    )
    .addOption(
      option('Input', '-n', 'accepted because fingers know it from tcpdump; names are never looked up'),
    )
    .addOption(
      option(
        'Output',
        '-f, --format <format>',
        'on standard output: the summary, a row per exchange, or JSON Lines',
      ).choices(['summary', 'table', 'json']),
    )
    .addOption(
      option(
        'Output',
        '--limit <n>',
        'rows of each list in the summary (10); with table and json: stop after n rows',
      ).argParser(parseCount),
    )
    .addOption(
      option(
        'Output',
        '--slow [duration]',
        'a table of the exchanges that took at least that long (500ms, 2s), in the order of time; without a duration, of the slowest first (--limit, 20)',
      ).argParser(parseSlow),
    )
    .addOption(option('Output', '--reveal', 'show secrets in query strings instead of masking them'))
    .addOption(option('Output', '--summary', 'with table and json: the whole summary too, on standard error'))
    .addOption(option('Output', '--no-summary', 'no summary and no line of totals'))
    .addOption(option('Output', '-q, --quiet', 'nothing on standard error but errors'))
    .addOption(option('Output', '--color <when>', 'colours').choices(COLOR_CHOICES).default('auto'))
    .addOption(option('Output', '--no-progress', 'no progress line'))
    .addOption(option('SQLite file', '-o, --output <file>', 'write every exchange into a new SQLite file'))
    .addOption(option('SQLite file', '--force', 'replace the file if it exists'))
    .addOption(
      option(
        'SQLite file',
        '--max-file-size <size>',
        'go on in a further, numbered file beyond this size (512MiB)',
      ).argParser(parseSize),
    )
    .addOption(option('Checks', '--strict', 'exit with 4 if anything was missing, damaged or not understood'))
    .addOption(
      option('Checks', '--max-connections <n>', 'connections followed at once (65536)').argParser(parseCount),
    )
    .addOption(option('Checks', '--debug', 'print a stack trace with errors'))
    .addHelpText('after', `${ANALYZE_EXAMPLES}\n${EXIT_CODES}`)
    .action(async (files: string[], flags: AnalyzeFlags) => {
      const { analyze } = await import('./commands/analyze.ts');
      finish(await analyze(files, flags, version));
    });
}

function addSql(program: Command, finish: (exitCode: number) => void): void {
  program
    .command('sql')
    .description('Run a query on a SQLite file that analyze wrote. The file is not changed.')
    .argument('<file>', 'SQLite file')
    .argument('<query>', 'SQL; - reads it from standard input')
    .addOption(
      new Option('-f, --format <format>', 'form of the rows')
        .choices(['table', 'json', 'csv'])
        .default('table'),
    )
    .addOption(new Option('--limit <n>', 'print no more than n rows').argParser(parseCount))
    .addOption(new Option('--color <when>', 'colours').choices(COLOR_CHOICES).default('auto'))
    .addOption(new Option('--debug', 'print a stack trace with errors'))
    .addHelpText('after', `${SQL_EXAMPLES}\n${EXIT_CODES}`)
    .action(async (file: string, query: string, flags: SqlFlags) => {
      const { sql } = await import('./commands/sql.ts');
      finish(await sql(file, query, flags));
    });
}

function addCompletion(program: Command, finish: (exitCode: number) => void): void {
  program
    .command('completion')
    .description('Print a script that teaches a shell to complete commands and options.')
    .addArgument(program.createArgument('<shell>', 'shell').choices(['bash', 'zsh', 'fish']))
    .addHelpText('after', COMPLETION_EXAMPLES)
    .action(async (shell: 'bash' | 'zsh' | 'fish') => {
      const { completion } = await import('./commands/completion.ts');
      finish(await completion(program, shell));
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

function usageError(text: string): string {
  const message = text.replace(/^error: /, '').trimEnd();
  const unknown = /^unknown command '([^']*)'/.exec(message);
  const hint =
    unknown !== null && existsSync(unknown[1])
      ? `To read a capture: wirelens analyze ${unknown[1]}`
      : `wirelens --help and wirelens analyze --help tell what is understood.`;
  return `wirelens: ${message}\n${hint}\n`;
}

/** Runs the command line. Resolves to the exit code; never rejects. */
export async function runProgram(args: readonly string[], version: string): Promise<number> {
  let exitCode: number = EXIT.fine;
  const program = createProgram(version, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync(separateSlow(args), { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.fine : EXIT.usage;
    return reportFailure(error, args.includes('--debug'));
  }
}
