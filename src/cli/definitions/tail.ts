import type { Command } from 'commander';
import type { TailFlags } from '../commands/tail.ts';
import { parseCount, parseDuration, parseStorePath } from '../option-values.ts';
import {
  addInputOptions,
  addOutputOptions,
  COMMAND_GROUP,
  type DefinitionContext,
  EXIT_CODES,
  examples,
  option,
} from './options.ts';

const EXAMPLES = examples(
  [
    "wirelens tail '/var/tmp/trace.pcap*'",
    'what tcpdump -C 100 -W 10 -w /var/tmp/trace.pcap records, as it happens',
  ],
  ["wirelens tail captures/ --where 'status >= 500' --pending 5s", 'failures, and requests that wait'],
  ["wirelens tail 'ring-*' --from-start --exit-on-idle 10s --format json > exchanges.jsonl", 'for a script'],
);

const NOTES = `
Each argument is a sequence of files in which one follows another; of those that are there already only the newest is
read, from its beginning. Quote patterns, so that files which come later are found. Several arguments are merged by time.
Ctrl-C ends it with the totals. docs/tail.md tells more.`;

export function defineTail(program: Command, { version, finish }: DefinitionContext): void {
  const command = program
    .command('tail')
    .helpGroup(COMMAND_GROUP.analyse)
    .description('Follow captures that grow or rotate, and print exchanges as they end.')
    .argument('[file...]', 'files, patterns in quotes, or directories; what they name may come later');
  const duration = (flags: string, description: string) =>
    option('Following', flags, description).argParser(parseDuration);
  addInputOptions(command)
    .addOption(
      option('Following', '--from-start', 'read also the files that are there already, oldest first'),
    )
    .addOption(duration('--poll <duration>', 'look for new bytes and files at least so often (200ms)'))
    .addOption(
      duration(
        '--merge-wait <duration>',
        'wait so long for earlier packets of another file that grows (300ms)',
      ),
    )
    .addOption(duration('--exit-on-idle <duration>', 'end when nothing has come for so long'))
    .addOption(
      option('Output', '-f, --format <format>', 'a row per exchange, JSON Lines, or CSV')
        .choices(['table', 'json', 'csv'])
        .default('table'),
    )
    .addOption(option('Output', '--limit <n>', 'end after n exchanges').argParser(parseCount))
    .addOption(
      option(
        'Output',
        '--slow <duration>',
        'only exchanges that took at least that long (500ms, 2s)',
      ).argParser(parseDuration),
    )
    .addOption(
      option(
        'Output',
        '--pending <duration>',
        'tell on standard error of requests that have waited so long for an answer',
      ).argParser(parseDuration),
    );
  addOutputOptions(command)
    .addOption(
      option(
        'SQLite file',
        '-o, --output <file>',
        'write every exchange into a new SQLite file too',
      ).argParser(parseStorePath),
    )
    .addOption(option('SQLite file', '--force', 'replace the file if it exists'))
    .addHelpText('after', `${NOTES}\n${EXAMPLES}\n${EXIT_CODES}`)
    .action(async (files: string[], flags: TailFlags) => {
      const { tail } = await import('../commands/tail.ts');
      finish(await tail(files, flags, version));
    });
}
