import type { Command } from 'commander';
import type { AssertFlags } from '../commands/assert.ts';
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
  ['wirelens assert rules.yaml trace.pcap', 'check every rule, tell what broke it'],
  [
    'wirelens assert rules.yaml trace.sqlite --format junit > report.xml',
    'for a CI server; --format tap for a TAP harness',
  ],
  ['wirelens assert --check rules.yaml', 'only look whether the rules are understood'],
);

const FOUND = `
  5  a rule failed (one that is only a warning does not count)`;

export function defineAssert(program: Command, { version, finish }: DefinitionContext): void {
  const command = program
    .command('assert')
    .helpGroup(COMMAND_GROUP.compare)
    .description(
      'Check rules about exchanges and groups of them: for tests and CI. docs/assert.md describes the rules.',
    )
    .argument('<rules>', 'file of rules (YAML); - is standard input')
    .argument('[file...]', 'captures, merged by time, or SQLite files')
    .addOption(option('Rules', '--check', 'only check the file of rules; reads nothing else'));
  addInputOptions(command);
  command.addOption(
    option('Output', '-f, --format <format>', 'on standard output')
      .choices(['text', 'junit', 'tap', 'json'])
      .default('text'),
  );
  addOutputOptions(command)
    .addHelpText('after', `${EXAMPLES}\n${EXIT_CODES}${FOUND}`)
    .action(async (rules: string, files: string[], flags: AssertFlags) => {
      const { assert } = await import('../commands/assert.ts');
      finish(await assert(rules, files, flags, version));
    });
}
