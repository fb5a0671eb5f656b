import type { Command } from 'commander';
import { FIELD_NAMES } from '../../filter/fields.ts';
import { EXIT } from '../../model/errors.ts';
import { bashCompletion } from '../completion/bash.ts';
import { fishCompletion } from '../completion/fish.ts';
import { zshCompletion } from '../completion/zsh.ts';
import { writeAll } from '../stream-output.ts';

const SCRIPTS = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion };

/** Prints a completion script made from the program's own commands, options and fields. */
export async function completion(program: Command, shell: 'bash' | 'zsh' | 'fish'): Promise<number> {
  // A quote in a word to complete means something else in every shell.
  const fields = FIELD_NAMES.map((name) => name.replaceAll('"', ''));
  await writeAll(SCRIPTS[shell](program, fields));
  return EXIT.fine;
}
