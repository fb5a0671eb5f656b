import { type Command, Option } from 'commander';
import type { SqlFlags } from '../commands/sql.ts';
import { parseCount } from '../option-values.ts';
import { COLOR_CHOICES } from '../terminal.ts';
import { COMMAND_GROUP, type DefinitionContext, EXIT_CODES, examples } from './options.ts';

const EXAMPLES = examples(
  [
    'wirelens sql trace.sqlite "SELECT * FROM red_by_route LIMIT 10"',
    'requests, errors and durations by route',
  ],
  [
    'wirelens sql trace.sqlite --format csv "SELECT * FROM unanswered" > unanswered.csv',
    'requests without an answer, for a spreadsheet',
  ],
);

export function defineSql(program: Command, { finish }: DefinitionContext): void {
  program
    .command('sql')
    .helpGroup(COMMAND_GROUP.ask)
    .description('Run a query on a SQLite file that analyze wrote. The file is not changed.')
    .argument('<file>', 'SQLite file')
    .argument('<query>', 'SQL; - reads it from standard input')
    .addOption(
      new Option('-f, --format <format>', 'form of the rows')
        .choices(['table', 'json', 'csv'])
        .default('table'),
    )
    .addOption(new Option('--limit <n>', 'print no more than n rows').argParser(parseCount))
    .addOption(new Option('--color <when>', 'colours').choices(COLOR_CHOICES).default('auto'))
    .addOption(new Option('--debug', 'print a stack trace with errors'))
    .addHelpText('after', `${EXAMPLES}\n${EXIT_CODES}`)
    .action(async (file: string, query: string, flags: SqlFlags) => {
      const { sql } = await import('../commands/sql.ts');
      finish(await sql(file, query, flags));
    });
}
