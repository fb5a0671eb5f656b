import type { Command } from 'commander';
import type { DoctorFlags } from '../commands/doctor.ts';
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
  ['wirelens doctor trace.pcap', 'can its answers be trusted, and how to capture better'],
  ['wirelens doctor trace.pcap --format json | jq -r .verdict', 'good, usable or misleading, for a script'],
  ['wirelens doctor trace.pcap --fail-on warning && wirelens analyze trace.pcap', 'only what can be trusted'],
);

export function defineDoctor(program: Command, { version, finish }: DefinitionContext): void {
  const command = program
    .command('doctor')
    .helpGroup(COMMAND_GROUP.analyse)
    .description(
      'Tell what is wrong with a capture (losses, one direction only, cut packets, clocks, TLS …) and how to take a better one.',
    )
    .argument('[file...]', 'captures, or SQLite files that analyze wrote; - is standard input');
  addInputOptions(command, { where: false });
  command
    .addOption(
      option('Output', '-f, --format <format>', 'form of the report')
        .choices(['text', 'json'])
        .default('text'),
    )
    .addOption(
      option('Output', '--fail-on <severity>', 'exit with 5 if there is anything so bad, or worse')
        .choices(['problem', 'warning', 'note', 'never'])
        .default('never'),
    );
  addOutputOptions(command)
    .addHelpText('after', `${EXAMPLES}\n${EXIT_CODES}\n  5  --fail-on found something`)
    .action(async (files: string[], flags: DoctorFlags) => {
      const { doctor } = await import('../commands/doctor.ts');
      finish(await doctor(files, flags, version));
    });
}
