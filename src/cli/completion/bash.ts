import type { Command, Option } from 'commander';

/** Completion scripts, generated from the commands themselves so that they cannot disagree with them. */

interface CommandWords {
  readonly name: string;
  readonly description: string;
  readonly options: readonly Option[];
  /** Words that the first argument may be; null: a file. */
  readonly choices: readonly string[] | null;
}

function commandsOf(program: Command): CommandWords[] {
  const help = program.createHelp();
  return program.commands.map((command) => ({
    name: command.name(),
    description: command.description(),
    options: help.visibleOptions(command),
    choices: command.registeredArguments[0]?.argChoices ?? null,
  }));
}

function flagsOf({ short, long }: Option): string[] {
  return [short, long].filter((flag): flag is string => flag !== undefined && flag !== null);
}

/** Options whose value is a file name. */
function takesFile({ long }: Option): boolean {
  return long === '--output' || long === '--read';
}

export function bashCompletion(program: Command): string {
  const commands = commandsOf(program);
  const cases = commands.map(({ name, options, choices }) => {
    const values = options
      .filter((option) => option.argChoices !== undefined)
      .map(
        (option) =>
          `      ${flagsOf(option).join('|')}) COMPREPLY=($(compgen -W '${option.argChoices?.join(' ')}' -- "$word")); return ;;`,
      );
    const words = options.flatMap(flagsOf).join(' ');
    const rest = choices === null ? 'compgen -f -- "$word"' : `compgen -W '${choices.join(' ')}' -- "$word"`;
    return [
      `  ${name})`,
      `    case "$before" in`,
      ...values,
      '    esac',
      `    if [[ $word == -* ]]; then COMPREPLY=($(compgen -W '${words}' -- "$word")); else COMPREPLY=($(${rest})); fi ;;`,
    ].join('\n');
  });
  return `# bash completion for wirelens
_wirelens() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} IFS=$' \\t\\n'
  COMPREPLY=()
  if [[ $COMP_CWORD -eq 1 ]]; then
    COMPREPLY=($(compgen -W '${commands.map(({ name }) => name).join(' ')} help --help --version' -- "$word"))
    return
  fi
  case "\${COMP_WORDS[1]}" in
${cases.join('\n')}
  esac
}
complete -o filenames -F _wirelens wirelens
`;
}

/** Text inside single quotes of a shell. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** Text inside the description of a zsh _arguments specification. */
function zshDescription(text: string): string {
  return text.replace(/[[\]:\\]/g, '\\$&');
}

export function zshCompletion(program: Command): string {
  const commands = commandsOf(program);
  const cases = commands.map(({ name, options, choices }) => {
    const specifications = options.map((option) => {
      const flags = flagsOf(option);
      const value =
        option.argChoices !== undefined
          ? `:value:(${option.argChoices.join(' ')})`
          : takesFile(option)
            ? ':file:_files'
            : option.required
              ? ':value: '
              : '';
      const optional = option.optional && value === '' ? '::value: ' : value;
      return flags.map(
        (flag) => `      ${quoted(`${flag}[${zshDescription(option.description)}]${optional}`)} \\`,
      );
    });
    const rest = choices === null ? '*:file:_files' : `1:value:(${choices.join(' ')})`;
    return [
      `    ${name})`,
      '      _arguments -s \\',
      ...specifications.flat(),
      `      ${quoted(rest)} ;;`,
    ].join('\n');
  });
  return `#compdef wirelens
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
${cases.join('\n')}
  esac
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then _wirelens "$@"; else compdef _wirelens wirelens; fi
`;
}

export function fishCompletion(program: Command): string {
  const lines = ['# fish completion for wirelens', 'complete -c wirelens -n __fish_use_subcommand -f'];
  for (const { name, description, options, choices } of commandsOf(program)) {
    const inCommand = `-n '__fish_seen_subcommand_from ${name}'`;
    lines.push(`complete -c wirelens -n __fish_use_subcommand -a ${name} -d ${quoted(description)}`);
    if (choices !== null) lines.push(`complete -c wirelens ${inCommand} -f -a '${choices.join(' ')}'`);
    for (const option of options) {
      const flags = [];
      if (option.short !== undefined && option.short !== null) flags.push(`-s ${option.short.slice(1)}`);
      if (option.long !== undefined && option.long !== null) flags.push(`-l ${option.long.slice(2)}`);
      const value =
        option.argChoices !== undefined
          ? ` -x -a '${option.argChoices.join(' ')}'`
          : takesFile(option)
            ? ' -r -F'
            : option.required
              ? ' -x'
              : '';
      lines.push(
        `complete -c wirelens ${inCommand} ${flags.join(' ')}${value} -d ${quoted(option.description)}`,
      );
    }
  }
  return `${lines.join('\n')}\n`;
}
