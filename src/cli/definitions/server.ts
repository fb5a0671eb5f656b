import type { Command } from 'commander';
import type { ServerFlags } from '../commands/server.ts';
import { parseCount, parseDuration } from '../option-values.ts';
import { parseAge, parseKeptSize, parseListen, parseMemory } from '../server/server-option-values.ts';
import { COMMAND_GROUP, type DefinitionContext, EXIT_CODES, examples, option } from './options.ts';

const EXAMPLES = examples(
  ['wirelens server --data ./exchanges --keep 14d --keep-size 50GB', 'for this machine, without tokens'],
  [
    'wirelens server --listen 0.0.0.0:8080 --agent-token-file agents.txt --reader-token-file readers.txt',
    'for agents and readers elsewhere',
  ],
  [
    'wirelens server --listen [::]:8443 --tls-cert server.pem --tls-key server.key --agent-token-file agents.txt --reader-token-file readers.txt',
    'with TLS',
  ],
);

const NOTES = `
Tokens: one a line in a file, or in WIRELENS_AGENT_TOKEN and WIRELENS_READER_TOKEN. SIGHUP reads the files of tokens and
TLS again; SIGTERM and Ctrl-C stop it when what runs is done. docs/server.md tells more.`;

export function defineServer(program: Command, { version, finish }: DefinitionContext): void {
  const command = program
    .command('server')
    .helpGroup(COMMAND_GROUP.central)
    .description('Keep the exchanges of many agents, and answer questions about them.');
  const add = (group: string, flags: string, description: string) => {
    const made = option(group, flags, description);
    command.addOption(made);
    return made;
  };
  add(
    'Network',
    '--listen <host:port>',
    'where to listen; port 0 is any free one (127.0.0.1:8080)',
  ).argParser(parseListen);
  add('Network', '--tls-cert <file>', 'certificate and its chain, PEM; with --tls-key');
  add('Network', '--tls-key <file>', 'its private key, PEM');
  add('Network', '--max-connections <n>', 'connections at once (4096)').argParser(parseCount);
  add('Access', '--agent-token-file <file>', 'tokens of agents, one a line');
  add('Access', '--reader-token-file <file>', 'tokens of readers, one a line');
  add('Access', '--insecure', 'let anybody who reaches the address upload and read');
  add('Access', '--open-metrics', '/metrics without a token');
  add(
    'Store',
    '--data <dir>',
    'folder of the database (/var/lib/wirelens/server for root, else in ~/.local/state)',
  );
  add(
    'Store',
    '--keep <duration>',
    'delete exchanges that are older: 12h, 14d (none: by age nothing)',
  ).argParser(parseAge);
  add(
    'Store',
    '--keep-size <size>',
    'delete the oldest when the database is larger; or none (20GB)',
  ).argParser(parseKeptSize);
  add('Store', '--store-memory <size>', 'memory of the database (1GB)').argParser(parseMemory);
  add('SQL', '--sql-timeout <duration>', 'longest that an SQL statement may run (30s)').argParser(
    parseDuration,
  );
  add('SQL', '--sql-rows <n>', 'most rows of its answer (10000)').argParser(parseCount);
  add('SQL', '--no-sql', 'no SQL of readers');
  add('Running', '--stop-timeout <duration>', 'longest that stopping may take (10s)').argParser(
    parseDuration,
  );
  add('Running', '--log-level <level>', 'least that is logged on standard error (info)').choices([
    'debug',
    'info',
    'warn',
    'error',
  ]);
  add('Running', '--log-format <format>', 'JSON lines or text (auto: text on a terminal, else JSON)').choices(
    ['auto', 'json', 'text'],
  );
  add('Running', '--debug', 'print a stack trace with errors');
  command.addHelpText('after', `${NOTES}\n${EXAMPLES}\n${EXIT_CODES}`).action(async (flags: ServerFlags) => {
    const { server } = await import('../commands/server.ts');
    finish(await server(flags, version));
  });
}
