import { type Command, InvalidArgumentError } from 'commander';
import type { LiveStatFlags } from '../commands/live-stat.ts';
import { parseBuffer, parseSnaplen } from '../live/live-option-values.ts';
import { gather, parseCount, parseDuration } from '../option-values.ts';
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
  ['sudo wirelens stat -i any --slow --every auto', 'the same of what happens now, every second'],
  ['wirelens stat trace.pcap --routes > routes.txt', 'the routes that were learned, to be edited and pinned'],
);

export function defineStat(program: Command, { version, finish }: DefinitionContext): void {
  const command = program
    .command('stat')
    .helpGroup(COMMAND_GROUP.ask)
    .description(
      'Group requests by any fields: count, rate, errors, bytes, exact percentiles, and what stands out.',
    )
    .argument(
      '[file...]',
      'captures, or SQLite files that analyze wrote; - is standard input; with -i a tcpdump expression',
    )
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
  addLiveOptions(command);
  addOutputOptions(command)
    .addHelpText('after', `${EXAMPLES}\n${EXIT_CODES}`)
    .action(async (files: string[], flags: LiveStatFlags) => {
      const { stat } = await import('../commands/stat.ts');
      finish(await stat(files, flags, version));
    });
}

/** `any` when `--slow` has no value; see separateSlow. */
function parseSlow(text: string): number | 'any' {
  return text === 'any' ? 'any' : parseDuration(text);
}

/** Options of `stat` on packets as they come; those of captures mean the same there. See LiveFlags. */
function addLiveOptions(command: Command): void {
  const live = (flags: string, description: string) => {
    const made = option('Live', flags, description);
    command.addOption(made);
    return made;
  };
  live(
    '-i, --interface <name>',
    'capture on this interface instead of reading; may be repeated; or any',
  ).argParser(gather);
  live(
    '--refresh <duration>',
    'show the groups so far so often (1s); with - also of standard input',
  ).argParser(parseRefresh);
  live('--duration <duration>', 'stop after so long').argParser(parseDuration);
  live('--driver <name>', 'how packets are taken (auto)').choices(['auto', 'afpacket', 'cap']);
  live('-s, --snaplen <bytes>', 'bytes kept of a packet (262144)').argParser(parseSnaplen);
  live('-p, --no-promiscuous', 'only packets that this machine would see anyway');
  live('-B, --buffer <size>', 'ring between the kernel and Wirelens (64MiB)').argParser(parseBuffer);
}

function parseRefresh(text: string): number {
  const ns = parseDuration(text);
  if (ns < 100e6) throw new InvalidArgumentError('It must be 100ms or more.');
  return ns;
}
