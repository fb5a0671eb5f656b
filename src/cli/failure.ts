import { describeError, EXIT, UserError } from '../model/errors.ts';
import { sanitise } from '../report/terminal-text.ts';

/**
 * Says on standard error what went wrong, in one line, and gives the exit code. A stack trace is printed only
 * when asked for.
 */
export function reportFailure(error: unknown, debug: boolean): number {
  const isUserError = error instanceof UserError;
  if (isUserError) {
    process.stderr.write(`wirelens: ${sanitise(describeError(error))}\n`);
  } else {
    const message = error instanceof Error ? error.message : String(error);
    const advice = debug ? 'please report it with the trace below' : 'run again with --debug and report it';
    process.stderr.write(`wirelens: internal error: ${sanitise(message)}; ${advice}\n`);
  }
  if (debug && error instanceof Error) process.stderr.write(`${error.stack ?? ''}\n`);
  return isUserError ? error.exitCode : EXIT.failed;
}
