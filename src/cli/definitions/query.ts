import type { Command, Option } from 'commander';
import type { QueryFlags } from '../client/query-flags.ts';
import { parseAddress, parseBucket, parseKey, parseSince, parseTime } from '../client/query-values.ts';
import { parseCount, parseDuration } from '../option-values.ts';
import { COLOR_CHOICES } from '../terminal.ts';
import { COMMAND_GROUP, type DefinitionContext, EXIT_CODES, examples, option } from './options.ts';
import { addServerOptions } from './server-options.ts';

const EXAMPLES = examples(
  ['wirelens query --server http://wirelens:8080 --ip 10.244.0.5', 'what a pod asked and was asked'],
  ["wirelens query --where 'status >= 500' --since 15m --follow", 'failures of the last 15 minutes, and on'],
  ['wirelens query --red route --since 1h', 'rate, errors and durations of the last hour by route'],
  ['wirelens query --id 4711', 'one exchange in full, and where its time went'],
  ['wirelens query --sql "SELECT node, count(*) FROM exchanges GROUP BY 1"', 'any other question'],
); // biome-ignore format: a table

const NOTES = `
Without --follow, --id, --red, --agents or --sql: a list of exchanges, the newest first.
docs/query.md tells more.`;

export function defineQuery(program: Command, { version, finish }: DefinitionContext): void {
  const command = program
    .command('query')
    .helpGroup(COMMAND_GROUP.central)
    .description('Ask a server what its agents saw.');
  const add = (group: string, flags: string, description: string): Option => {
    const made = option(group, flags, description);
    command.addOption(made);
    return made;
  };
  add('Which exchanges', '--ip <address>', 'from or to this address').argParser(parseAddress);
  add('Which exchanges', '--where <expr>', "for which this holds, as 'status >= 500'; see wirelens fields");
  add('Which exchanges', '--since <duration>', 'not older than 30s, 15m, 2h, 7d').argParser(parseSince);
  add(
    'Which exchanges',
    '--from <time>',
    'begun at 2026-11-21T07:42:00Z, Unix seconds or -15m, or later',
  ).argParser(parseTime);
  add('Which exchanges', '--to <time>', 'begun before').argParser(parseTime);
  add('Which exchanges', '--agent <name>', 'that this agent saw');
  add('Which exchanges', '--node <name>', 'that an agent on this node saw');
  add('Which exchanges', '--slow <duration>', 'that took at least so long (500ms, 2s)').argParser(
    parseDuration,
  );
  add(
    'Which exchanges',
    '--sort <order>',
    'by started, total, wait, status, request_bytes, response_bytes or id, largest first; total:asc turns it',
  );
  add('Which exchanges', '--limit <n>', 'no more than n (200; of --red 100 groups)').argParser(parseCount);
  add('Another question', '--follow', 'exchanges as the server gets them');
  add('Another question', '--id <id>', 'one exchange in full, by its number or uid').argParser(parseKey);
  add(
    'Another question',
    '--red [groups]',
    'rate, errors, durations by route, method, host, server, client, node, agent, status, several with commas (route); all: one line',
  ).preset(true);
  add('Another question', '--bucket <duration>', '--red in steps of 60s, 5m, 1h').argParser(parseBucket);
  add('Another question', '--agents', 'who reports, last seen when, with what losses');
  add('Another question', '--sql <text>', 'a SELECT; - reads it from standard input');
  addServerOptions(command);
  command.addOption(
    option('Output', '-f, --format <format>', 'form of the rows')
      .choices(['table', 'json', 'csv'])
      .default('table'),
  );
  add('Output', '--csv-safe', "csv: put a ' before texts that a spreadsheet would compute (=, +, -, @)");
  add('Output', '-q, --quiet', 'nothing on standard error but errors');
  command.addOption(option('Output', '--color <when>', 'colours').choices(COLOR_CHOICES).default('auto'));
  add('Output', '--debug', 'print a stack trace with errors');
  command.addHelpText('after', `${NOTES}\n${EXAMPLES}\n${EXIT_CODES}`).action(async (flags: QueryFlags) => {
    const { query } = await import('../commands/query.ts');
    finish(await query(flags, version));
  });
}
