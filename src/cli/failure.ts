import { describeError, EXIT, UserError } from '../model/errors.ts';
import { excerptLines } from '../report/excerpt.ts';
import { sanitise } from '../report/terminal-text.ts';

/** Cells of the part of an expression that is shown. */
const EXCERPT_CELLS = 72;

/**
 * Says on standard error what went wrong, in one line, and gives the exit code. Of a text that the user gave, the
 * mistake is shown under it. A stack trace is printed only when asked for.
 */
export function reportFailure(error: unknown, debug: boolean): number {
  const isUserError = error instanceof UserError;
  if (isUserError) {
    process.stderr.write(`wirelens: ${sanitise(describeError(error))}\n`);
    if (error.excerpt !== null && error.excerpt.text.trim() !== '')
      for (const line of excerptLines(error.excerpt, EXCERPT_CELLS)) process.stderr.write(`  ${line}\n`);
  } else {
    const message = error instanceof Error ? error.message : String(error);
    const advice = debug ? 'please report it with the trace below' : 'run again with --debug and report it';
    process.stderr.write(`wirelens: internal error: ${sanitise(message)}; ${advice}\n`);
  }
  if (debug && error instanceof Error)
    for (const line of (error.stack ?? '').split('\n')) process.stderr.write(`${sanitise(line)}\n`);
  return isUserError ? error.exitCode : EXIT.failed;
}
