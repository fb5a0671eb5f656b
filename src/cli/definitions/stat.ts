import type { Command } from 'commander';
import type { StatFlags } from '../commands/stat.ts';
import { parseCount, parseDuration } from '../option-values.ts';
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
  ['wirelens stat trace.pcap --slow', 'the slowest routes, and the slowest exchanges with their ids'],
  [
    'wirelens stat trace.pcap --by client,status --where \'host ~ "api"\' --every auto',
    'who gets which answers when, with a sparkline a row',
  ],
  [
    'wirelens stat trace.sqlite --by server --metric connect --percentiles 50,99.9 --sort -p99.9 --format csv',
    'handshakes by server, for a spreadsheet',
  ],
  ['wirelens stat trace.pcap --routes > routes.txt', 'the routes that were learned, to be edited and pinned'],
);

export function defineStat(program: Command, { version, finish }: DefinitionContext): void {
  const command = program
    .command('stat')
    .helpGroup(COMMAND_GROUP.ask)
    .description(
      'Group requests by any fields: count, rate, errors, bytes, exact percentiles, and what stands out.',
    )
    .argument('[file...]', 'captures, or SQLite files that analyze wrote; - is standard input')
    .addOption(
      option(
        'Groups',
        '--by <field,...>',
        'fields to group by, as route,status (method,host,route); none: one group; see wirelens fields',
      ),
    )
    .addOption(
      option(
        'Groups',
        '--metric <name>',
        'what percentiles are of: total, wait, connect, send, receive, request.bytes, response.bytes (total)',
      ),
    )
    .addOption(option('Groups', '--percentiles <n,...>', 'which percentiles (50,90,99)'))
    .addOption(
      option(
        'Groups',
        '--slow [duration]',
        'the slowest groups first, and below them the slowest exchanges, of that duration and more',
      ).argParser(parseSlow),
    )
    .addOption(
      option(
        'Groups',
        '--big-request',
        'the groups with the largest requests first, and below them these requests',
      ),
    )
    .addOption(option('Groups', '--big-response', 'the same for the largest responses'))
    .addOption(
      option(
        'Groups',
        '--every <duration>',
        'requests by time too: 1s, 10s, 5min, or auto for what fits the line',
      ),
    )
    .addOption(
      option(
        'Groups',
        '--sort <column>',
        'column to sort by, as p99, -p99 or host:desc (count); largest numbers first',
      ),
    )
    .addOption(
      option('Groups', '--limit <n>', 'groups (20; all with csv and json), and exchanges (10)').argParser(
        parseCount,
      ),
    )
    .addOption(option('Routes', '--routes', 'print the routes instead, as a dictionary for --routes-file'))
    .addOption(
      option(
        'Routes',
        '--route-budget <n>',
        'names at one place of a path above which it is a parameter (30)',
      ).argParser(parseCount),
    )
    .addOption(
      option('Routes', '--routes-file <file>', 'templates that win over what is learned, one a line'),
    )
    .addOption(
      option('Routes', '--plain-routes', 'go by the look of each path alone, as in analyze and --where'),
    )
    .addOption(
      option('Output', '-f, --format <format>', 'form of the output')
        .choices(['table', 'json', 'csv'])
        .default('table'),
    )
    .addOption(option('Output', '--ascii', 'sparklines without Unicode'));
  addInputOptions(command);
  addOutputOptions(command)
    .addHelpText('after', `${EXAMPLES}\n${EXIT_CODES}`)
    .action(async (files: string[], flags: StatFlags) => {
      const { stat } = await import('../commands/stat.ts');
      finish(await stat(files, flags, version));
    });
}

/** `any` when `--slow` has no value; see separateSlow. */
function parseSlow(text: string): number | 'any' {
  return text === 'any' ? 'any' : parseDuration(text);
}
