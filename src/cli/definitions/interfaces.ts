import type { Command } from 'commander';
import type { InterfacesFlags } from '../commands/interfaces.ts';
import { COLOR_CHOICES } from '../terminal.ts';
import { COMMAND_GROUP, type DefinitionContext, EXIT_CODES, examples, option } from './options.ts';

const EXAMPLES = examples(
  ['wirelens interfaces', 'what -i of capture may be'],
  ["wirelens interfaces --format json | jq -r '.[] | select(.up).name'", 'those that are up'],
);

export function defineInterfaces(program: Command, { finish }: DefinitionContext): void {
  program
    .command('interfaces')
    .helpGroup(COMMAND_GROUP.capture)
    .description('List the interfaces that can be captured on, with their state and addresses.')
    .addOption(
      option('Output', '-f, --format <format>', 'a table, or JSON')
        .choices(['table', 'json'])
        .default('table'),
    )
    .addOption(option('Output', '--color <when>', 'colours').choices(COLOR_CHOICES).default('auto'))
    .addOption(option('Output', '--debug', 'print a stack trace with errors'))
    .addHelpText('after', `${EXAMPLES}\n${EXIT_CODES.split('\n').slice(0, 5).join('\n')}`)
    .action(async (flags: InterfacesFlags) => {
      const { interfaces } = await import('../commands/interfaces.ts');
      finish(await interfaces(flags));
    });
}
