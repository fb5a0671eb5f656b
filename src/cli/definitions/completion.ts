import type { Command } from 'commander';
import { COMMAND_GROUP, type DefinitionContext, examples } from './options.ts';

const EXAMPLES = examples(
  ['source <(wirelens completion bash)', 'for this shell'],
  ['wirelens completion fish > ~/.config/fish/completions/wirelens.fish', 'for every fish from now on'],
);

export function defineCompletion(program: Command, { finish }: DefinitionContext): void {
  program
    .command('completion')
    .helpGroup(COMMAND_GROUP.learn)
    .description('Print a script that teaches a shell to complete commands and options.')
    .addArgument(program.createArgument('<shell>', 'shell').choices(['bash', 'zsh', 'fish']))
    .addHelpText('after', EXAMPLES)
    .action(async (shell: 'bash' | 'zsh' | 'fish') => {
      const { completion } = await import('../commands/completion.ts');
      finish(await completion(program, shell));
    });
}
