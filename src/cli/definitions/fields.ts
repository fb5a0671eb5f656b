import { type Command, Option } from 'commander';
import type { FieldsFlags } from '../commands/fields.ts';
import { COLOR_CHOICES } from '../terminal.ts';
import { COMMAND_GROUP, type DefinitionContext, EXIT_CODES, examples } from './options.ts';

const EXAMPLES = examples(
  ['wirelens fields retrans', 'the fields about retransmissions'],
  ["wirelens fields --format json | jq -r '.name'", 'the names alone'],
);

const LANGUAGE = `
Expressions compare fields with values and are joined with &&, || and !:
  status in {500, 502..504} && host ~ "^api\\." && !(wait < 200ms)
  client in 10.0.0.0/8 and header["content-type"] contains "json"
Durations need a unit, texts stand in quotes, ~ takes a regular expression, and
what an exchange does not have fulfils no comparison. Single quotes around the
whole keep the shell out of it.`;

export function defineFields(program: Command, { finish }: DefinitionContext): void {
  program
    .command('fields')
    .helpGroup(COMMAND_GROUP.ask)
    .description(
      'List what --where, --by and --sort can ask for: every field with its type, unit and meaning.',
    )
    .argument('[word]', 'only fields with this in their name, type or meaning')
    .addOption(
      new Option('-f, --format <format>', 'form of the list')
        .choices(['table', 'json', 'markdown'])
        .default('table'),
    )
    .addOption(new Option('--color <when>', 'colours').choices(COLOR_CHOICES).default('auto'))
    .addOption(new Option('--debug', 'print a stack trace with errors'))
    .addHelpText('after', `${LANGUAGE}\n${EXAMPLES}\n${EXIT_CODES}`)
    .action(async (word: string | undefined, flags: FieldsFlags) => {
      const { fields } = await import('../commands/fields.ts');
      finish(await fields(word, flags));
    });
}
