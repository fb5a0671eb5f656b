import type { Command } from 'commander';
import type { ExtractFlags } from '../extract-task.ts';
import { gather } from '../option-values.ts';
import {
  addInputOptions,
  addOutputOptions,
  COMMAND_GROUP,
  type DefinitionContext,
  EXIT_CODES,
  examples,
  option,
} from './options.ts';

const WHAT_IS_TAKEN = `
What is taken:
  The packets that carry the exchanges, retransmissions and fragments too,
  acknowledgements in between, what ended the connection when nothing else came
  before that, and the handshake when the connection's first exchange is among
  them. Exchanges that lie between two chosen ones of a connection, or were
  under way together with one (pipelined), come along. Everything keeps its
  time, length, interface and comments.

  The packets are then analysed alone. Where that does not give the same
  exchanges as before, as with packets missing in the capture, more of the
  connection is taken, if need be all. Ids, packet numbers and positions on the
  connection are new; with --whole-connections positions stay.`;

/** `wirelens extract` */
export function defineExtract(program: Command, { version, finish }: DefinitionContext): void {
  const command = program
    .command('extract')
    .helpGroup(COMMAND_GROUP.handOn)
    .description('Copy the packets of some exchanges into a small capture that Wireshark opens.')
    .argument('[file-or-id...]', 'captures or a SQLite file; ids as 17, 17-20 or 3,7-9')
    .addOption(
      option(
        'Extract',
        '-w, --write <file>',
        'the pcapng file to write; - is standard output',
      ).makeOptionMandatory(),
    )
    .addOption(option('Extract', '--force', 'replace the file if it exists'))
    .addOption(
      option('Extract', '--whole-connections', 'every packet of the connections that the exchanges are on'),
    )
    .addOption(
      option(
        'Extract',
        '--no-between',
        'leave out what lies between chosen exchanges of a connection; analysed again, they may not be paired',
      ),
    )
    .addOption(
      option(
        'Extract',
        '--handshakes',
        'the handshake also where earlier exchanges are left out; analysed again, these bytes are missing',
      ),
    )
    .addOption(
      option(
        'Extract',
        '--capture <file>',
        "a SQLite file's capture, if it was moved; may be repeated",
      ).argParser(gather),
    );
  addInputOptions(command);
  addOutputOptions(command)
    .addHelpText(
      'after',
      `${WHAT_IS_TAKEN}\n${examples(
        ['wirelens extract trace.pcap 17 -w one.pcapng', 'one exchange, to look at in Wireshark'],
        [
          "wirelens extract trace.sqlite --where 'status >= 500' -w errors.pcapng",
          'all failures, from the captures that the SQLite file was made of',
        ],
        ['wirelens extract trace.pcap 17 -w - | tshark -r -', 'straight into another program'],
      )}\n${EXIT_CODES}`,
    )
    .action(async (args: string[], flags: ExtractFlags) => {
      const { extract } = await import('../commands/extract.ts');
      finish(await extract(args, flags, version));
    });
}
