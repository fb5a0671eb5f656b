import type { Command, Option } from 'commander';

/** With which tcpdump expressions begin and go on (pcap-filter(7)). */
const PACKET_WORDS = [
  'host',
  'net',
  'port',
  'portrange',
  'src',
  'dst',
  'tcp',
  'ip',
  'ip6',
  'vlan',
  'not',
  'and',
  'or',
];

/** What a shell may offer in one place. */
export type Offer =
  | { readonly kind: 'file' }
  | { readonly kind: 'words'; readonly words: readonly string[] }
  /** Field names, one of them or several separated by commas. */
  | { readonly kind: 'fields' }
  /** Network interfaces of the machine, as they are when the shell asks. */
  | { readonly kind: 'interfaces' }
  /** Something that cannot be offered, such as a number. */
  | { readonly kind: 'any' };

export interface OptionWords {
  /** `-o`, `--output` */
  readonly flags: readonly string[];
  readonly description: string;
  /** What its value may be; null: it has none. */
  readonly value: Offer | null;
  readonly valueIsOptional: boolean;
}

export interface CommandWords {
  readonly name: string;
  readonly description: string;
  readonly options: readonly OptionWords[];
  /** What its first argument may be. */
  readonly argument: Offer;
}

/** The commands of a program as words to complete, so that no script can disagree with them. */
export function commandWords(program: Command): CommandWords[] {
  const help = program.createHelp();
  return help.visibleCommands(program).map((command) => ({
    name: command.name(),
    description: command.description(),
    options: help.visibleOptions(command).map(optionWords),
    argument: argumentOffer(program, command),
  }));
}

function optionWords(option: Option): OptionWords {
  const flags = [option.short, option.long].filter((flag) => flag !== undefined && flag !== null);
  return {
    flags: flags as string[],
    description: option.description,
    value: option.required || option.optional ? valueOffer(option) : null,
    valueIsOptional: option.optional,
  };
}

function valueOffer({ argChoices, flags }: Option): Offer {
  if (argChoices !== undefined) return { kind: 'words', words: argChoices };
  if (/--interface\b/.test(flags)) return { kind: 'interfaces' };
  if (/[<[][^>\]]*(file|path|dir|out)/i.test(flags)) return { kind: 'file' };
  if (/[<[](expr|fields?)\b/i.test(flags)) return { kind: 'fields' };
  return { kind: 'any' };
}

function argumentOffer(program: Command, command: Command): Offer {
  const [first] = command.registeredArguments;
  if (first?.argChoices !== undefined) return { kind: 'words', words: first.argChoices };
  if (first?.name() === 'expression') return { kind: 'words', words: PACKET_WORDS };
  if (command.name() === 'help') return { kind: 'words', words: program.commands.map((one) => one.name()) };
  return { kind: 'file' };
}
