import type { Command } from 'commander';

/** Cells of a line in the reference. */
const WIDTH = 100;

/** The help of a command as it is printed on a terminal of WIDTH cells, examples and exit codes included. */
function helpText(command: Command): string {
  let text = '';
  const settings = command.configureOutput();
  command.configureOutput({
    ...settings,
    getOutHelpWidth: () => WIDTH,
    getOutHasColors: () => false,
    writeOut: (piece) => {
      text += piece;
    },
  });
  command.outputHelp();
  command.configureOutput(settings);
  return text.replace(/[ \t]+$/gm, '').trim();
}

/** Every command of the program that a person may call, in the order of `--help`, with its heading there. */
export function listedCommands(program: Command): { command: Command; group: string }[] {
  const help = program.createHelp();
  return help.visibleCommands(program).map((command) => ({
    command,
    group: command.helpGroup().replace(/:$/, ''),
  }));
}

/** docs/commands.md: the help of every command, made from the commands themselves. */
export function commandReference(program: Command): string {
  const commands = listedCommands(program).filter(({ command }) => command.name() !== 'help');
  const groups = [...new Set(commands.map(({ group }) => group))];
  const lines = [
    '# Commands',
    '',
    'Made from the commands themselves by `npm run docs`; `wirelens help COMMAND` prints the same.',
    '',
  ];
  for (const group of groups) {
    lines.push(`**${group}**`, '');
    for (const one of commands) {
      if (one.group !== group) continue;
      const name = one.command.name();
      lines.push(`- [\`wirelens ${name}\`](#wirelens-${name}): ${one.command.description()}`);
    }
    lines.push('');
  }
  for (const { command } of commands) {
    lines.push(`## wirelens ${command.name()}`, '', '```', helpText(command), '```', '');
  }
  return `${lines.join('\n').trimEnd()}\n`;
}
