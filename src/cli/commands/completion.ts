import type { Command } from 'commander';
import { EXIT } from '../../model/errors.ts';
import { bashCompletion, fishCompletion, zshCompletion } from '../completion-scripts.ts';
import { StreamOutput } from '../stream-output.ts';

/** Prints a completion script made from the program's own commands and options. */
export async function completion(program: Command, shell: 'bash' | 'zsh' | 'fish'): Promise<number> {
  const scripts = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion };
  const output = new StreamOutput(process.stdout);
  output.write(scripts[shell](program));
  await output.flush();
  return EXIT.fine;
}
