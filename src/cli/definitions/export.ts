import type { Command } from 'commander';
import type { ExportFlags } from '../commands/export.ts';
import { parseCount } from '../option-values.ts';
import {
  addInputOptions,
  addOutputOptions,
  COMMAND_GROUP,
  type DefinitionContext,
  EXIT_CODES,
  examples,
  option,
} from './options.ts';

const FORMATS = ['csv', 'json', 'har', 'zeek', 'parquet'];

const EXAMPLES = examples(
  [
    "wirelens export trace.pcap --format har --where 'status >= 500' -w failed.har",
    'what failed, to be opened in the developer tools of a browser',
  ],
  ['wirelens export trace.sqlite --format zeek -w logs', 'logs/http.log and logs/conn.log as Zeek writes them'],
  ['wirelens export trace.pcap --format csv | sqlite3 -csv :memory: ".import /dev/stdin e" "SELECT count(*) FROM e"', 'CSV for any other tool'],
); // biome-ignore format: a table

export function defineExport(program: Command, { version, finish }: DefinitionContext): void {
  const command = program
    .command('export')
    .helpGroup(COMMAND_GROUP.handOn)
    .description('Hand exchanges on to other tools: CSV, JSON Lines, HAR 1.2, Zeek logs, Parquet.')
    .argument('[file...]', 'captures, or SQLite files that analyze wrote; - is standard input');
  addInputOptions(command);
  addOutputOptions(command)
    .addOption(
      option('Output', '-f, --format <format>', 'what to write').choices(FORMATS).makeOptionMandatory(),
    )
    .addOption(
      option(
        'Output',
        '-w, --write <path>',
        'the file to write, with zeek the directory for http.log and conn.log; - is standard output (the default)',
      ),
    )
    .addOption(option('Output', '--force', 'replace files that exist'))
    .addOption(
      option(
        'Format',
        '--csv-safe',
        "csv: put a ' before texts that a spreadsheet would compute (=, +, -, @)",
      ),
    )
    .addOption(
      option('Format', '--max-entries <n>', 'har: entries that the file may hold (100000)').argParser(
        parseCount,
      ),
    )
    .addOption(option('Format', '--zeek-json', 'zeek: a JSON object per line instead of columns'))
    .addOption(
      option('Format', '--zeek-log <log>', 'zeek: which log goes to standard output (http)').choices([
        'http',
        'conn',
      ]),
    )
    .addHelpText('after', `${EXAMPLES}\n${EXIT_CODES}`)
    .action(async (files: string[], flags: ExportFlags) => {
      const { exportExchanges } = await import('../commands/export.ts');
      finish(await exportExchanges(files, flags, version));
    });
}
