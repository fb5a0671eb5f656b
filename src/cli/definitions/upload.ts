import type { Command } from 'commander';
import type { UploadFlags } from '../client/upload-flags.ts';
import { parseDuration } from '../option-values.ts';
import {
  addInputOptions,
  addOutputOptions,
  COMMAND_GROUP,
  type DefinitionContext,
  EXIT_CODES,
  examples,
  option,
} from './options.ts';
import { addServerOptions } from './server-options.ts';

const EXAMPLES = examples(
  ['wirelens upload trace.pcapng --server https://wirelens:8443 --token-file token', 'what a capture holds'],
  ['wirelens upload day-*.sqlite --agent-name archive', 'files that analyze wrote'],
  ['wirelens upload trace.pcap --dry-run', 'how much it would be'],
);

const NOTES = `
The same command again stores nothing twice, and goes on where one that was interrupted ended. docs/upload.md tells more.`;

export function defineUpload(program: Command, { version, finish }: DefinitionContext): void {
  const command = program
    .command('upload')
    .helpGroup(COMMAND_GROUP.central)
    .description('Send the exchanges of captures or SQLite files to a server.')
    .argument('[file...]', 'captures, or SQLite files that analyze wrote; - is standard input');
  addServerOptions(command);
  command
    .addOption(
      option('Upload', '--agent-name <name>', 'who saw them, as in the list of agents (upload:HOST)'),
    )
    .addOption(option('Upload', '--node <name>', 'where they were seen (NODE_NAME)'))
    .addOption(option('Upload', '--pod <name>', 'in which pod (POD_NAME)'))
    .addOption(option('Upload', '--namespace <name>', 'in which namespace (POD_NAMESPACE)'))
    .addOption(
      option(
        'Upload',
        '--retry-for <duration>',
        'go on trying for so long while the server is away (5min)',
      ).argParser(parseDuration),
    )
    .addOption(option('Upload', '--dry-run', 'send nothing; say what would be sent'));
  addInputOptions(command);
  addOutputOptions(command)
    .addHelpText('after', `${NOTES}\n${EXAMPLES}\n${EXIT_CODES}`)
    .action(async (files: string[], flags: UploadFlags) => {
      const { upload } = await import('../commands/upload.ts');
      finish(await upload(files, flags, version));
    });
}
