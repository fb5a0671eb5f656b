import { type Command, InvalidArgumentError } from 'commander';
import type { DiffFlags } from '../commands/diff.ts';
import { gather, parseCount, parseNames } from '../option-values.ts';
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
  ['wirelens diff before.pcap after.pcap', 'what got slower, fails more often, is new or gone'],
  [
    'wirelens diff old.sqlite new.sqlite --metric wait --threshold 25% --by method,route',
    "the server's part only, changes from 25 %, whatever the host is called",
  ],
);

const FOUND = `
  5  something got worse (--fail-on says what counts)`;

export function defineDiff(program: Command, { version, finish }: DefinitionContext): void {
  const command = program
    .command('diff')
    .helpGroup(COMMAND_GROUP.compare)
    .description(
      'Compare two inputs, captures or SQLite files: which routes got slower, fail more often, are new or gone, and whether that is more than chance.',
    )
    .argument('[before]', 'capture or SQLite file; - is standard input')
    .argument('[after]', 'what to compare it with')
    .addOption(
      option('Comparison', '--before <file>', 'a file of the first side; may be repeated').argParser(gather),
    )
    .addOption(
      option('Comparison', '--after <file>', 'a file of the second side; may be repeated').argParser(gather),
    )
    .addOption(
      option('Comparison', '--by <field,...>', 'fields that make a group (method,host,route)').argParser(
        parseNames,
      ),
    )
    .addOption(
      option('Comparison', '--metric <phase>', 'which time is compared')
        .choices(['total', 'wait', 'connect', 'send', 'receive'])
        .default('total'),
    )
    .addOption(
      option('Comparison', '--percentiles <p,...>', 'percentiles of it (p50,p99)').argParser(
        parsePercentiles,
      ),
    )
    .addOption(
      option(
        'Comparison',
        '--confidence <percent>',
        'how sure a difference must be, over all tests (99%)',
      ).argParser(parseConfidence),
    )
    .addOption(
      option('Comparison', '--threshold <percent>', 'smallest change that matters (10%)').argParser(
        parseThreshold,
      ),
    )
    .addOption(
      option(
        'Comparison',
        '--fail-on <what>',
        'exit with 5 when something got worse, when anything differs, or never',
      )
        .choices(['worse', 'any', 'never'])
        .default('worse'),
    );
  addInputOptions(command);
  // Which side a file is on must be said; -r does not.
  for (const hidden of command.options) if (hidden.long === '--read') hidden.hideHelp();
  command
    .addOption(
      option('Output', '-f, --format <format>', 'on standard output')
        .choices(['table', 'json'])
        .default('table'),
    )
    .addOption(option('Output', '--limit <n>', 'rows of the table (20)').argParser(parseCount));
  addOutputOptions(command)
    .addHelpText('after', `${EXAMPLES}\n${EXIT_CODES}${FOUND}`)
    .action(async (before: string | undefined, after: string | undefined, flags: DiffFlags) => {
      const { diff } = await import('../commands/diff.ts');
      finish(await diff(before, after, flags, version));
    });
}

/** `99%` or `99`; as a share. */
function parsePercent(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*%?$/.exec(text);
  return match === null ? Number.NaN : Number(match[1]) / 100;
}

function parseConfidence(text: string): number {
  const share = parsePercent(text);
  if (!(share >= 0.5 && share <= 0.999_999))
    throw new InvalidArgumentError('It must be a percentage from 50% to 99.9999%, such as 99%.');
  return share;
}

function parseThreshold(text: string): number {
  const share = parsePercent(text);
  if (!(share >= 0 && share <= 1000)) throw new InvalidArgumentError('It must be a percentage such as 10%.');
  return share;
}

/** `p50,p99` or `50,99.9`. */
function parsePercentiles(text: string): readonly number[] {
  const list = text.split(',').map((part) => {
    const match = /^p?(\d{1,2}(?:\.\d{1,3})?)$/.exec(part.trim());
    const percent = match === null ? 0 : Number(match[1]);
    if (!(percent > 0 && percent < 100))
      throw new InvalidArgumentError(`'${part}' is not a percentile such as p50, p99 or p99.9.`);
    return percent;
  });
  if (list.length > 10) throw new InvalidArgumentError('No more than 10 percentiles.');
  return [...new Set(list)].sort((a, b) => a - b);
}
