import type { Command } from 'commander';
import type { RedactFlags } from '../commands/redact.ts';
import { gather, parseCount } from '../option-values.ts';
import {
  addOutputOptions,
  COMMAND_GROUP,
  type DefinitionContext,
  EXIT_CODES,
  examples,
  option,
} from './options.ts';

const WHAT_STAYS = `
What stays and what goes:
  Times, lengths, TCP and the framing of HTTP stay, so that the copy gives the
  same exchanges. Addresses and host names become others of the same length,
  the same everywhere; prefixes stay in common. Header values, query values,
  cookies and identifiers in paths become pseudonyms of the same length, equal
  ones equal. Of JSON, forms and multipart the structure stays, other bodies
  become filler. Everything that is not understood becomes zero. A secret that
  looks like a word in a path cannot be told from one: --mask-paths masks them
  all.`;

/** `wirelens redact` */
export function defineRedact(program: Command, { version, finish }: DefinitionContext): void {
  const command = program
    .command('redact')
    .helpGroup(COMMAND_GROUP.handOn)
    .description('Make a copy without secrets that can be shared: same timing, sizes and TCP.')
    .argument('[file...]', 'captures, merged by time into one copy, or SQLite files that analyze wrote')
    .addOption(
      option('Input', '-r, --read <file>', 'a capture, as with tcpdump; may be repeated').argParser(gather),
    )
    .addOption(option('Input', '-c, --packets <n>', 'stop after n packets').argParser(parseCount))
    .addOption(
      option(
        'Redact',
        '-w, --write <file>',
        'the copy: a pcapng file, or a SQLite file if that is what is read',
      ).makeOptionMandatory(),
    )
    .addOption(option('Redact', '--force', 'replace the files if they exist'))
    .addOption(
      option(
        'Redact',
        '--manifest <file>',
        'what was replaced, as JSON (the name of the copy and .manifest.json)',
      ),
    )
    .addOption(
      option(
        'Redact',
        '--key <file>',
        'a file with a key, or env:NAME: the same key gives the same pseudonyms in every copy; without it a new one is made, used and forgotten',
      ),
    )
    .addOption(option('Redact', '--keep-addresses', 'addresses stay as they are'))
    .addOption(option('Redact', '--keep-hosts', 'host names stay as they are'))
    .addOption(option('Redact', '--mask-paths', 'mask every path segment, also those that are plain words'))
    .addOption(option('Redact', '--scrub-bodies', 'leave nothing of bodies, not even their structure'));
  addOutputOptions(command)
    .addHelpText(
      'after',
      `${WHAT_STAYS}\n${examples(
        [
          'wirelens redact trace.pcap -w share.pcapng',
          'a copy for a colleague, with share.pcapng.manifest.json',
        ],
        [
          'wirelens redact before.pcap -w b.pcapng --key env:KEY',
          'and after.pcap with the same key: both compare',
        ],
        [
          'wirelens redact trace.sqlite -w share.sqlite --mask-paths',
          'the exchanges alone, and no path of them',
        ],
      )}\n${EXIT_CODES}`,
    )
    .action(async (files: string[], flags: RedactFlags) => {
      const { redact } = await import('../commands/redact.ts');
      finish(await redact(files, flags, version));
    });
}
