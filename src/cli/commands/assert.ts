import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { assertJson } from '../../assert/assert-json.ts';
import { assertJunit } from '../../assert/assert-junit.ts';
import { AssertSink } from '../../assert/assert-sink.ts';
import { assertTap } from '../../assert/assert-tap.ts';
import { assertText } from '../../assert/assert-text.ts';
import { ASSERT_LIMITS } from '../../assert/limits.ts';
import { headersOf } from '../../assert/rule.ts';
import { parseRules } from '../../assert/rules-file.ts';
import { tallyOf } from '../../assert/tally.ts';
import { EXIT, UserError } from '../../model/errors.ts';
import { jsonText } from '../../model/json-text.ts';
import { counted } from '../../report/units.ts';
import { closeReading, type ReadingContext, type ReadingFlags, readExchanges } from '../reading.ts';
import { finishOutput, StreamOutput } from '../stream-output.ts';
import { chooseStyle, terminalFacts } from '../terminal.ts';

/** Options of `wirelens assert` as the command line gives them. */
export interface AssertFlags extends ReadingFlags {
  readonly check?: boolean;
  readonly format: 'text' | 'junit' | 'tap' | 'json';
}

/**
 * Checks the rules of a file on what captures or SQLite files hold.
 *
 * @returns the exit code
 * @throws UserError when the rules or the input cannot be used
 */
export async function assert(
  rulesFile: string,
  files: readonly string[],
  flags: AssertFlags,
  version: string,
): Promise<number> {
  const given = [...(flags.read ?? []), ...files];
  if (rulesFile === '-' && given.includes('-'))
    throw usage('standard input can be read only once', 'name a file for the rules or for the capture');
  const name = rulesFile === '-' ? 'standard input' : rulesFile;
  const rules = parseRules(readRules(rulesFile), name, ASSERT_LIMITS);
  const output = new StreamOutput(process.stdout);
  if (flags.check === true) {
    if (given.length > 0) throw usage('--check reads nothing but the rules', 'leave the other files out');
    output.write(`${name.replace(/[\n\r]/g, ' ')}: ${counted(rules.length, 'rule')}, all understood\n`);
    await finishOutput(output);
    return EXIT.fine;
  }
  let sink: AssertSink | undefined;
  const started = performance.now();
  const headers = headersOf(rules);
  const sinksOf = ({ clock }: ReadingContext): AssertSink[] => {
    sink = new AssertSink(rules, clock, ASSERT_LIMITS);
    return [sink];
  };
  const run = await readExchanges(files, flags, version, sinksOf, { headers });
  if (sink === undefined) throw new Error('the reader asked for no sink');
  const { results, exchanges } = sink;
  const texts: Readonly<Record<AssertFlags['format'], () => string>> = {
    text: () => assertText(results, exchanges, chooseStyle(flags.color, terminalFacts())),
    junit: () => assertJunit(results, name, (performance.now() - started) / 1000),
    tap: () => assertTap(results),
    json: () => `${jsonText(assertJson(results, { rulesFile: name, files: given, exchanges }))}\n`,
  };
  output.write(texts[flags.format]());
  await finishOutput(output);
  const damaged = closeReading(run, flags);
  if (run.stoppedEarly && flags.quiet !== true)
    process.stderr.write('wirelens: stopped early; the rules were checked on what was read until then\n');
  return tallyOf(results).failed > 0 ? EXIT.found : damaged;
}

function usage(message: string, hint: string): UserError {
  return new UserError('usage', message, { hint, exitCode: EXIT.usage });
}

/** The text of the rules; no more of it than one byte beyond the limit. */
function readRules(path: string): string {
  if (path === '-' && process.stdin.isTTY)
    throw usage('standard input is a terminal', 'pipe the rules into it');
  let file: number | undefined;
  try {
    file = path === '-' ? 0 : openSync(path, 'r');
    if (fstatSync(file).isDirectory())
      throw new UserError('rules', 'is a directory', {
        place: { file: path },
        hint: 'name the file of rules in it',
      });
    const bytes = Buffer.alloc(ASSERT_LIMITS.fileBytes + 1);
    let length = 0;
    for (;;) {
      const read = readSync(file, bytes, length, bytes.length - length, null);
      length += read;
      if (read === 0 || length === bytes.length) break;
    }
    const text = bytes.subarray(0, length);
    if (text.includes(0))
      throw new UserError('rules', 'this is no text, and rules come first', {
        place: { file: path },
        hint: 'as in: wirelens assert RULES.yaml CAPTURE',
        exitCode: EXIT.usage,
      });
    return new TextDecoder('utf-8').decode(text);
  } catch (error) {
    if (error instanceof UserError) throw error;
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    const message = missing ? 'no such file' : `cannot read the rules: ${(error as Error).message}`;
    throw new UserError('rules', message, { place: { file: path }, hint: 'check the path' });
  } finally {
    if (file !== undefined && file !== 0) closeSync(file);
  }
}
