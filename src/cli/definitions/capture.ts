import type { Command } from 'commander';
import type { CaptureFlags } from '../live/capture-flags.ts';
import {
  parseBuffer,
  parseFanout,
  parseFileSize,
  parseHosts,
  parseNets,
  parseRotate,
  parseSeconds,
  parseSnaplen,
  parseWorkers,
} from '../live/live-option-values.ts';
import {
  gather,
  parseCount,
  parseDuration,
  parseNames,
  parsePorts,
  parseStorePath,
} from '../option-values.ts';
import {
  addOutputOptions,
  COMMAND_GROUP,
  type DefinitionContext,
  EXIT_CODES,
  examples,
  option,
} from './options.ts';

const EXAMPLES = examples(
  ['sudo wirelens capture', 'everything that this machine sees'],
  ['sudo wirelens capture -i eth0 tcp port 80 and host 10.0.0.1', 'as with tcpdump'],
  [
    "sudo wirelens capture -i any --port 8080 --where 'status >= 500' --format json > failures.jsonl",
    'failures only, a line each',
  ],
  [
    'sudo wirelens capture -i eth0 -w trace-%H.pcapng -G 3600 -o exchanges.sqlite --rotate 1h',
    'a file of packets and one of exchanges for every hour',
  ],
  ['ssh host tcpdump -U -i eth0 -w - | wirelens capture -', 'what another machine captures'],
);

const NOTES = `
Words after the options are a tcpdump expression, which needs libpcap; --port, --host and --net work without it. The one
word - is standard input. Capturing needs CAP_NET_RAW: sudo, or the command that the error names.
Ctrl-C ends it with the totals. docs/capture.md tells more.`;

export function defineCapture(program: Command, { version, finish }: DefinitionContext): void {
  const command = program
    .command('capture')
    .helpGroup(COMMAND_GROUP.capture)
    .description('Capture packets, and show exchanges as they happen.')
    .argument('[expression...]', 'a tcpdump expression, or - for packets on standard input');
  addLiveOptions(command);
  addRowOptions(command);
  addFileOptions(command);
  addOutputOptions(command)
    .addHelpText('after', `${NOTES}\n${EXAMPLES}\n${EXIT_CODES}`)
    .action(async (words: string[], flags: CaptureFlags) => {
      const { capture } = await import('../commands/capture.ts');
      finish(await capture(words, flags, version));
    });
}

/** Options about what is captured; see LiveFlags. */
function addLiveOptions(command: Command): void {
  const add = (group: string, flags: string, description: string) => {
    const made = option(group, flags, description);
    command.addOption(made);
    return made;
  };
  add('Capture', '-i, --interface <name>', 'interface to capture on; may be repeated (any)').argParser(
    gather,
  );
  add('Capture', '-D, --list-interfaces', 'list the interfaces, as wirelens interfaces does');
  add('Capture', '--driver <name>', 'how packets are taken (auto: afpacket on Linux)').choices([
    'auto',
    'afpacket',
    'cap',
  ]);
  add('Capture', '-c, --packets <n>', 'stop after n packets').argParser(parseCount);
  add('Capture', '--duration <duration>', 'stop after so long').argParser(parseDuration);
  add('Capture', '-s, --snaplen <bytes>', 'bytes kept of a packet (262144)').argParser(parseSnaplen);
  add('Capture', '-p, --no-promiscuous', 'only packets that this machine would see anyway');
  add(
    'Capture',
    '-B, --buffer <size>',
    'ring between the kernel and Wirelens; a bare number is KiB (64MiB)',
  ).argParser(parseBuffer);
  add(
    'Capture',
    '--fanout <group>',
    'share the connections with other captures of the same group number (0 to 65535)',
  ).argParser(parseFanout);
  add(
    'Capture',
    '--workers <n>',
    'threads that capture, each a share of the connections (none: the main thread does)',
  ).argParser(parseWorkers);
  add(
    'Packet filter',
    '--port <n,...>',
    'only packets from or to one of these ports; may be repeated',
  ).argParser(parsePorts);
  add('Packet filter', '--host <address,...>', 'only packets from or to one of these addresses').argParser(
    parseHosts,
  );
  add('Packet filter', '-d, --dump-filter', "print the kernel's program for the packet filter, and end");
  add('Packet filter', '--net <net,...>', 'the same for networks, as 10.0.0.0/8').argParser(parseNets);
  add(
    'Exchanges',
    '--where <expr>',
    "only exchanges for which this holds, as 'status >= 500 && wait > 200ms'; see wirelens fields",
  );
  add(
    'Exchanges',
    '--keep-header <name,...>',
    'header fields to keep beside the usual ones; credentials are masked',
  ).argParser(parseNames);
  add('Exchanges', '--checksums', 'leave out packets with a wrong checksum (offloading makes them common)');
  add('Exchanges', '--max-connections <n>', 'connections followed at once (65536)').argParser(parseCount);
  add('Exchanges', '--reveal', 'show secrets instead of masking them');
  add('Capture', '-n', 'accepted because fingers know it from tcpdump; names are never looked up');
}

function addRowOptions(command: Command): void {
  command
    .addOption(
      option('Output', '-f, --format <format>', 'a row per exchange (table), JSON Lines, or CSV').choices([
        'table',
        'json',
        'csv',
      ]),
    )
    .addOption(option('Output', '--watch', 'a live table with keys; usual on a terminal'))
    .addOption(option('Output', '--no-watch', 'rows one by one, also on a terminal'))
    .addOption(option('Output', '--limit <n>', 'end after n exchanges').argParser(parseCount))
    .addOption(
      option(
        'Output',
        '--slow <duration>',
        'only exchanges that took at least that long (500ms, 2s)',
      ).argParser(parseDuration),
    )
    .addOption(
      option(
        'Output',
        '--pending <duration>',
        'tell on standard error of requests that have waited so long for an answer',
      ).argParser(parseDuration),
    );
}

function addFileOptions(command: Command): void {
  command
    .addOption(
      option('Files', '-w, --write <file>', 'record the packets too, as pcapng; - is standard output'),
    )
    .addOption(
      option(
        'Files',
        '-C, --file-size <size>',
        'begin the next file of -w after so much; a bare number is millions of bytes',
      ).argParser(parseFileSize),
    )
    .addOption(
      option(
        'Files',
        '-G, --file-seconds <seconds>',
        'begin the next file of -w after so long; its name is a pattern of strftime',
      ).argParser(parseSeconds),
    )
    .addOption(
      option(
        'Files',
        '-W, --file-count <n>',
        'with -C a ring of n files, with -G alone end after n files',
      ).argParser(parseCount),
    )
    .addOption(
      option('Files', '-o, --output <file>', 'write the exchanges into a SQLite file too').argParser(
        parseStorePath,
      ),
    )
    .addOption(
      option(
        'Files',
        '--rotate <interval|size>',
        'seal the SQLite file every 10min, 1h, 100MB and begin the next one',
      ).argParser(parseRotate),
    )
    .addOption(option('Files', '--force', 'replace files that exist'));
}
