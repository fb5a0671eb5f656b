import type { Command } from 'commander';
import { parseDuration } from '../option-values.ts';
import { option } from './options.ts';

/** Options of every command that talks to a server; see ServerFlags. */
export function addServerOptions(command: Command): Command {
  return command
    .addOption(
      option('Server', '--server <url>', 'where the server is (WIRELENS_SERVER, else http://127.0.0.1:8080)'),
    )
    .addOption(option('Server', '--token-file <file>', 'a file with the token to send (else WIRELENS_TOKEN)'))
    .addOption(
      option(
        'Server',
        '--tls-ca <file>',
        "the authority that signed the server's certificate, PEM, where the system does not know it",
      ),
    )
    .addOption(
      option('Server', '--timeout <duration>', 'longest wait for one answer (60s)').argParser(parseDuration),
    );
}
