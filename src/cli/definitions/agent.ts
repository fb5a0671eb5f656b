import type { Command, Option } from 'commander';
import { AGENT_OPTIONS, type AgentOption } from '../agent/agent-options.ts';
import { gather } from '../option-values.ts';
import { COMMAND_GROUP, type DefinitionContext, EXIT_CODES, examples, option } from './options.ts';

const EXAMPLES = examples(
  ['sudo wirelens agent --server http://127.0.0.1:8080', 'this machine, and a server on it'],
  [
    'wirelens agent -i any --port 80,8080 --server https://wirelens.example:8443 --token-file /etc/wirelens/token',
    'a node of many',
  ],
  ['wirelens agent --config /etc/wirelens/agent.yaml --print-config', 'what it would run with, and why'],
);

const NOTES = `
Every option can also be given in the environment, as WIRELENS_SPOOL_SIZE for --spool-size, and in the file of --config,
as spool-size:. Options come before the environment, the environment before the file. The token comes from --token-file
or WIRELENS_TOKEN. Words after the options are a tcpdump expression. docs/agent.md tells more.`;

export function defineAgent(program: Command, { version, finish }: DefinitionContext): void {
  const command = program
    .command('agent')
    .helpGroup(COMMAND_GROUP.central)
    .description('Capture on this node, and send exchanges to a server.')
    .argument('[expression...]', 'a tcpdump expression');
  for (const one of AGENT_OPTIONS) if (one.secret !== true) command.addOption(commandOption(one));
  command
    .addOption(option('Configuration', '--config <file>', 'a YAML file with options (else WIRELENS_CONFIG)'))
    .addOption(option('Configuration', '--print-config', 'print what it would run with, as YAML, and end'))
    .addOption(option('Configuration', '--debug', 'print a stack trace with errors'))
    .addHelpText('after', `${NOTES}\n${EXAMPLES}\n${EXIT_CODES}`)
    .action(async (words: string[], flags: Record<string, unknown>) => {
      const { agent } = await import('../commands/agent.ts');
      finish(await agent(words, flags, version));
    });
}

/** Values are checked here too, so that a mistake is told as for every other command; kept as the words that were given. */
function commandOption(one: AgentOption): Option {
  const { name, short, value, kind, fallback, check, choices } = one;
  const long = kind === 'flag' && fallback === true ? `--no-${name}` : `--${name}`;
  const flags = [short, value === null ? long : `${long} ${value}`].filter((part) => part !== undefined);
  const usual = typeof fallback === 'string' ? ` (${fallback})` : '';
  const made = option(one.group, flags.join(', '), `${describe(one)}${usual}`);
  if (choices !== undefined) return made.choices(choices);
  if (value === null) return made;
  return made.argParser((text: string, before?: unknown) => {
    check?.(text);
    return kind === 'list' ? gather(text, before as readonly string[] | undefined) : text;
  });
}

function describe({ name, description }: AgentOption): string {
  return name === 'promiscuous' ? 'only packets that this machine would see anyway' : description;
}
