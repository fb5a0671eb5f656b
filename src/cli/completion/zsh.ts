import type { Command } from 'commander';
import { quoted } from './quoting.ts';
import { type CommandWords, commandWords, type Offer, type OptionWords } from './words.ts';

/** A zsh completion script (zshcompsys). `fields` are the names of the filter language. */
export function zshCompletion(program: Command, fields: readonly string[]): string {
  const commands = commandWords(program);
  return `#compdef wirelens
_wirelens_fields() {
  compset -P '*[,( !"]'
  compadd -S '' -- ${fields.map(quoted).join(' ')}
}
_wirelens_interfaces() {
  compadd -- any /sys/class/net/*(N:t)
}
_wirelens() {
  local -a commands
  commands=(
${commands.map(({ name, description }) => `    ${quoted(`${name}:${description.replaceAll(':', '\\:')}`)}`).join('\n')}
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  local name=$words[2]
  shift words
  (( CURRENT-- ))
  case $name in
${commands.map(commandCase).join('\n')}
  esac
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then _wirelens "$@"; else compdef _wirelens wirelens; fi
`;
}

function commandCase({ name, options, argument }: CommandWords): string {
  const rest = argument.kind === 'words' ? `1:value:${action(argument)}` : '*:file:_files';
  return [
    `    ${name})`,
    '      _arguments -s \\',
    ...options.flatMap(specifications),
    `      ${quoted(rest)} ;;`,
  ].join('\n');
}

/** A specification for every flag of an option, as _arguments takes them. */
function specifications({ flags, description, value, valueIsOptional }: OptionWords): string[] {
  const tail = value === null ? '' : `${valueIsOptional ? '::' : ':'}value:${action(value)}`;
  const text = description.replace(/[[\]:\\]/g, '\\$&');
  return flags.map((flag) => `      ${quoted(`${flag}[${text}]${tail}`)} \\`);
}

function action(offer: Offer): string {
  switch (offer.kind) {
    case 'file':
      return '_files';
    case 'words':
      return `(${offer.words.join(' ')})`;
    case 'fields':
      return '_wirelens_fields';
    case 'interfaces':
      return '_wirelens_interfaces';
    default:
      return ' ';
  }
}
