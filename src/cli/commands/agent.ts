import { EXIT, UserError } from '../../model/errors.ts';
import { AgentRun } from '../agent/agent-run.ts';
import { agentSettings, withComputed } from '../agent/agent-settings.ts';
import { readConfigFile } from '../agent/config-file.ts';
import { effectiveSettings, strangeVariables } from '../agent/configuration.ts';
import { openAgentLog } from '../agent/open-agent-log.ts';
import { printedConfig } from '../agent/print-config.ts';

/**
 * Runs the agent until it is told to stop. `words`: a tcpdump expression. `flags`: as commander gives them, values in
 * the words of the user.
 *
 * @returns the exit code
 * @throws UserError when it cannot begin
 */
export async function agent(
  words: readonly string[],
  flags: Readonly<Record<string, unknown>>,
  version: string,
): Promise<number> {
  const { env } = process;
  const file = (flags.config as string | undefined) ?? nonEmpty(env.WIRELENS_CONFIG);
  if (words.length > 0 && flags.filter !== undefined) {
    throw new UserError('usage', 'there is a packet filter in --filter and one after the options', {
      hint: 'leave one of them out',
      exitCode: EXIT.usage,
    });
  }
  const settings = effectiveSettings({
    // The words after the options are the packet filter, which has a name too.
    flags: words.length > 0 ? { ...flags, filter: words.join(' ') } : flags,
    env,
    file: file === undefined ? new Map() : readConfigFile(file),
  });
  const all = agentSettings(settings, env);
  if (flags.printConfig === true) {
    process.stdout.write(printedConfig(withComputed(settings, all)));
    return EXIT.fine;
  }
  const log = openAgentLog(all);
  for (const text of strangeVariables(env)) log.warn({}, text);
  return new AgentRun(all, version, log).run();
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === undefined || text.trim() === '' ? undefined : text;
}
