import type { Command } from 'commander';
import { type CommandWords, commandWords, type Offer } from './words.ts';

/** A bash completion script (bash manual §8.6). `fields` are the names of the filter language. */
export function bashCompletion(program: Command, fields: readonly string[]): string {
  const commands = commandWords(program);
  return `# bash completion for wirelens
_wirelens_fields() {
  # Of several separated by commas the last one is completed, and what stands before a name is kept.
  local before=\${word%"\${word##*[,( !\\"\\']}"}
  COMPREPLY=($(compgen -P "$before" -W '${fields.join(' ')}' -- "\${word#"$before"}"))
  compopt -o nospace 2>/dev/null
}
_wirelens_files() {
  local IFS=$'\\n'
  COMPREPLY=($(compgen -f -- "$word"))
}
_wirelens_interfaces() {
  COMPREPLY=($(compgen -W "any $(cd /sys/class/net 2>/dev/null && echo *)" -- "$word"))
}
_wirelens() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} IFS=$' \\t\\n'
  COMPREPLY=()
  if [[ $COMP_CWORD -eq 1 ]]; then
    COMPREPLY=($(compgen -W '${commands.map(({ name }) => name).join(' ')} --help --version' -- "$word"))
    return
  fi
  case "\${COMP_WORDS[1]}" in
${commands.map(commandCase).join('\n')}
  esac
}
complete -o filenames -F _wirelens wirelens
`;
}

function commandCase({ name, options, argument }: CommandWords): string {
  const values = options
    .filter((option) => option.value !== null && !option.valueIsOptional)
    .map(({ flags, value }) => `      ${flags.join('|')}) ${reply(value as Offer)} return ;;`);
  const flags = options.flatMap((option) => option.flags).join(' ');
  return [
    `  ${name})`,
    `    case "$before" in`,
    ...values,
    '    esac',
    `    if [[ $word == -* ]]; then COMPREPLY=($(compgen -W '${flags}' -- "$word")); else ${reply(argument)} fi ;;`,
  ].join('\n');
}

function reply(offer: Offer): string {
  switch (offer.kind) {
    case 'file':
      return '_wirelens_files;';
    case 'words':
      return `COMPREPLY=($(compgen -W '${offer.words.join(' ')}' -- "$word"));`;
    case 'fields':
      return '_wirelens_fields;';
    case 'interfaces':
      return '_wirelens_interfaces;';
    default:
      return 'COMPREPLY=();';
  }
}
