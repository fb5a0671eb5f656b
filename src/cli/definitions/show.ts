import type { Command } from 'commander';
import { gather, parseCount, parseSize } from '../option-values.ts';
import type { ShowFlags } from '../show-findings.ts';
import {
  addInputOptions,
  addOutputOptions,
  COMMAND_GROUP,
  type DefinitionContext,
  EXIT_CODES,
  examples,
  option,
} from './options.ts';

const NOTE = `
Secrets are masked: credentials and cookies in headers, values named like secrets in queries, forms and JSON.
--reveal shows them. Heads, bodies and packets come out of the captures, also when a SQLite file is read: out
of those that it was made of.`;

/** `wirelens show` */
export function defineShow(program: Command, { version, finish }: DefinitionContext): void {
  const command = program
    .command('show')
    .helpGroup(COMMAND_GROUP.ask)
    .description(
      'Show single exchanges in full: phases, heads as sent, bodies, TCP, packets, and a curl command.',
    )
    .argument('[file-or-id...]', 'captures or a SQLite file; ids as 17, 17-20 or 3,7-9')
    .addOption(option('Show', '--body', 'the bodies too, decoded: 4 KiB of each'))
    .addOption(
      option('Show', '--body-size <size>', 'the bodies too, up to this size each').argParser(parseSize),
    )
    .addOption(
      option('Show', '--packet-list', 'every packet of the exchange, not only the first and last ones'),
    )
    .addOption(option('Show', '--curl', 'print the request as a curl command, and nothing else'))
    .addOption(
      option('Show', '-f, --format <format>', 'text for people, or JSON Lines')
        .choices(['text', 'json'])
        .default('text'),
    )
    .addOption(option('Show', '--limit <n>', 'exchanges shown at most (20)').argParser(parseCount))
    .addOption(
      option(
        'Show',
        '--capture <file>',
        "a SQLite file's capture, if it was moved; may be repeated",
      ).argParser(gather),
    );
  addInputOptions(command);
  addOutputOptions(command)
    .addHelpText(
      'after',
      `${NOTE}\n${examples(
        ['wirelens show trace.pcap 17', 'everything about exchange 17'],
        ['wirelens show trace.sqlite 17 --body-size 64KiB', 'with its bodies, decoded'],
        ['wirelens show trace.pcap 17 --curl', 'the same request, to be sent again'],
      )}\n${EXIT_CODES}`,
    )
    .action(async (args: string[], flags: ShowFlags) => {
      const { show } = await import('../commands/show.ts');
      finish(await show(args, flags, version));
    });
}
