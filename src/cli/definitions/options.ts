import { type Command, Option } from 'commander';
import { parseHosts, parseNets } from '../live/live-option-values.ts';
import { gather, parseCount, parseNames, parsePorts } from '../option-values.ts';
import { COLOR_CHOICES } from '../terminal.ts';

/** What every command gets to define itself with. */
export interface DefinitionContext {
  /** Version of the package. */
  readonly version: string;
  /** Takes the exit code of the command that ran. */
  finish(exitCode: number): void;
}

/** Headings of `wirelens --help`, in the order in which people need them. */
export const COMMAND_GROUP = {
  capture: 'Capture:',
  analyse: 'Read captures:',
  ask: 'Ask:',
  handOn: 'Hand on:',
  compare: 'Compare:',
  central: 'Many nodes, one place to ask:',
  learn: 'Learn:',
} as const;

export const EXIT_CODES = `
Exit codes:
  0  fine
  1  cannot read or write
  2  wrong usage
  3  a damaged capture was read up to the damage`;

/** An option under a heading of its command's help. */
export function option(group: string, flags: string, description: string): Option {
  return new Option(flags, description).helpGroup(`${group}:`);
}

/** Help text of examples: command line and what it is for. */
export function examples(...lines: readonly (readonly [command: string, purpose: string])[]): string {
  const width = Math.max(...lines.map(([command]) => command.length));
  const wide = width > 56;
  const texts = lines.map(([command, purpose]) =>
    wide ? `  ${command}\n      ${purpose}` : `  ${command.padEnd(width)}  ${purpose}`,
  );
  return `\nExamples:\n${texts.join('\n')}`;
}

/**
 * Options of every command that reads exchanges; see ReadingFlags. `where: false`: it looks at the whole capture.
 */
export function addInputOptions(command: Command, { where = true }: { where?: boolean } = {}): Command {
  command.addOption(
    option('Input', '-r, --read <file>', 'a capture, as with tcpdump; may be repeated').argParser(gather),
  );
  if (where) {
    command.addOption(
      option(
        'Input',
        '--where <expr>',
        "only exchanges for which this holds, as 'status >= 500 && wait > 200ms'; see wirelens fields",
      ),
    );
  }
  return command
    .addOption(option('Input', '-c, --packets <n>', 'stop after n packets').argParser(parseCount))
    .addOption(
      option(
        'Input',
        '--port <n,...>',
        'only connections with one of these ports; may be repeated',
      ).argParser(parsePorts),
    )
    .addOption(
      option(
        'Input',
        '--host <address,...>',
        'only packets from or to one of these addresses; may be repeated',
      ).argParser(parseHosts),
    )
    .addOption(
      option('Input', '--net <net,...>', 'the same for networks, as 10.0.0.0/8').argParser(parseNets),
    )
    .addOption(
      option(
        'Input',
        '--packet-filter <expression>',
        'only packets for which this holds, as for tcpdump; after -r as bare words too; needs libpcap',
      ),
    )
    .addOption(
      option(
        'Input',
        '--keep-header <name,...>',
        'header fields to keep beside the usual ones; credentials are masked',
      ).argParser(parseNames),
    )
    .addOption(
      option(
        'Input',
        '--checksums',
        'leave out packets with a wrong checksum (offloading makes them common)',
      ),
    )
    .addOption(
      option('Input', '-n', 'accepted because fingers know it from tcpdump; names are never looked up'),
    )
    .addOption(
      option('Input', '--max-connections <n>', 'connections followed at once (65536)').argParser(parseCount),
    )
    .addOption(option('Input', '--reveal', 'show secrets instead of masking them'));
}

/** Options of every command about how it talks. */
export function addOutputOptions(command: Command): Command {
  return command
    .addOption(option('Output', '-q, --quiet', 'nothing on standard error but errors'))
    .addOption(option('Output', '--color <when>', 'colours').choices(COLOR_CHOICES).default('auto'))
    .addOption(option('Output', '--no-progress', 'no progress line'))
    .addOption(option('Output', '--debug', 'print a stack trace with errors'));
}
