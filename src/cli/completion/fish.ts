import type { Command } from 'commander';
import { quoted } from './quoting.ts';
import { commandWords, type Offer, type OptionWords } from './words.ts';

/** A fish completion script (fish-completions). `fields` are the names of the filter language. */
export function fishCompletion(program: Command, fields: readonly string[]): string {
  const lines = [
    '# fish completion for wirelens',
    'function __wirelens_fields',
    "    set -l before (string replace -r '[^,( !\"]*$' '' -- (commandline -ct))",
    `    for name in ${fields.map(quoted).join(' ')}`,
    '        echo $before$name',
    '    end',
    'end',
    'function __wirelens_interfaces',
    '    set -l names /sys/class/net/*',
    "    string replace /sys/class/net/ '' -- any $names",
    'end',
    'complete -c wirelens -n __fish_use_subcommand -f',
  ];
  for (const { name, description, options, argument } of commandWords(program)) {
    const inCommand = `-n '__fish_seen_subcommand_from ${name}'`;
    lines.push(`complete -c wirelens -n __fish_use_subcommand -a ${name} -d ${quoted(description)}`);
    if (argument.kind === 'words')
      lines.push(`complete -c wirelens ${inCommand} -f -a '${argument.words.join(' ')}'`);
    for (const option of options)
      lines.push(
        `complete -c wirelens ${inCommand} ${flagsOf(option)}${valueText(option)} -d ${quoted(option.description)}`,
      );
  }
  return `${lines.join('\n')}\n`;
}

function flagsOf({ flags }: OptionWords): string {
  return flags
    .map((flag) => (flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`))
    .join(' ');
}

function valueText({ value, valueIsOptional }: OptionWords): string {
  return value === null || valueIsOptional ? '' : action(value);
}

function action(offer: Offer): string {
  switch (offer.kind) {
    case 'file':
      return ' -r -F';
    case 'words':
      return ` -x -a '${offer.words.join(' ')}'`;
    case 'fields':
      return " -x -a '(__wirelens_fields)'";
    case 'interfaces':
      return " -x -a '(__wirelens_interfaces)'";
    default:
      return ' -x';
  }
}
