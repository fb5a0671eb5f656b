import { existsSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { EXIT } from '../model/errors.ts';
import { sanitise } from '../report/terminal-text.ts';
import { defineAgent } from './definitions/agent.ts';
import { defineAnalyze, separateSlow } from './definitions/analyze.ts';
import { defineAssert } from './definitions/assert.ts';
import { defineCapture } from './definitions/capture.ts';
import { defineCompletion } from './definitions/completion.ts';
import { defineDiff } from './definitions/diff.ts';
import { defineDoctor } from './definitions/doctor.ts';
import { defineExport } from './definitions/export.ts';
import { defineExtract } from './definitions/extract.ts';
import { defineFields } from './definitions/fields.ts';
import { defineInterfaces } from './definitions/interfaces.ts';
import { COMMAND_GROUP, type DefinitionContext, EXIT_CODES } from './definitions/options.ts';
import { defineQuery } from './definitions/query.ts';
import { defineRedact } from './definitions/redact.ts';
import { defineServer } from './definitions/server.ts';
import { defineShow } from './definitions/show.ts';
import { defineSql } from './definitions/sql.ts';
import { defineStat } from './definitions/stat.ts';
import { defineTail } from './definitions/tail.ts';
import { defineUpload } from './definitions/upload.ts';
import { reportFailure } from './failure.ts';

/** In the order in which `wirelens --help` lists them. */
const DEFINITIONS: readonly ((program: Command, context: DefinitionContext) => void)[] = [
  defineCapture,
  defineInterfaces,
  defineAnalyze,
  defineTail,
  defineDoctor,
  defineStat,
  defineShow,
  defineSql,
  defineExtract,
  defineRedact,
  defineExport,
  defineDiff,
  defineAssert,
  defineAgent,
  defineServer,
  defineUpload,
  defineQuery,
  defineFields,
  defineCompletion,
];

const ALL_EXIT_CODES = `${EXIT_CODES}
  4  --strict found something missing
  5  found: diff, assert and doctor --fail-on`;

/** The commands with their options. `finish` gets the exit code of the command that ran. */
export function createProgram(version: string, finish: (exitCode: number) => void): Command {
  const program = new Command('wirelens')
    .description(
      'Turns packets into HTTP exchanges: which requests, how long and why, which failed, which were never answered.',
    )
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(usageError(text, 'wirelens')) })
    .addHelpText('after', ALL_EXIT_CODES)
    .configureHelp({ subcommandTerm: (command) => command.name() })
    .showHelpAfterError(false);
  for (const define of DEFINITIONS) define(program, { version, finish });
  for (const command of program.commands) {
    const called = `wirelens ${command.name()}`;
    command.configureOutput({ outputError: (text, write) => write(usageError(text, called)) });
  }
  program.addHelpCommand(
    new Command('help')
      .argument('[command]')
      .helpOption(false)
      .helpGroup(COMMAND_GROUP.learn)
      .description('print the help of a command'),
  );
  return program;
}

/** What is wrong and where to look. `called`: the command, as its user wrote it. Words of the user may hold anything. */
function usageError(text: string, called: string): string {
  const message = text.replace(/^error: /, '').trimEnd();
  const unknown = /^unknown command '([^']*)'/.exec(message);
  const hint =
    unknown !== null && existsSync(unknown[1])
      ? `To read a capture: wirelens analyze ${unknown[1]}`
      : `${called} --help tells what is understood.`;
  const lines = `wirelens: ${message}\n${hint}`.split('\n');
  return `${lines.map(sanitise).join('\n')}\n`;
}

/** Help on a command that there is not is a mistake like that command: it is called, to be told so. */
function helpWanted(args: readonly string[], program: Command): readonly string[] {
  const [first, name] = args;
  const isMistaken = first === 'help' && name !== undefined;
  return isMistaken && !program.commands.some((command) => command.name() === name) ? [name] : args;
}

/** Runs the command line. Resolves to the exit code; never rejects. */
export async function runProgram(args: readonly string[], version: string): Promise<number> {
  let exitCode: number = EXIT.fine;
  const program = createProgram(version, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync(separateSlow(helpWanted(args, program)), { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.fine : EXIT.usage;
    return reportFailure(error, args.includes('--debug'));
  }
}
