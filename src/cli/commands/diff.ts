import { type Comparison, compareSides, groupsWith, significantFindings } from '../../diff/compare.ts';
import { diffJson } from '../../diff/diff-json.ts';
import { DiffSide, type Metric } from '../../diff/diff-side.ts';
import { diffText, nothingInCommon } from '../../diff/diff-text.ts';
import { groupFields } from '../../diff/group-fields.ts';
import { Grouping } from '../../diff/grouping.ts';
import { DIFF_LIMITS } from '../../diff/limits.ts';
import type { Field } from '../../filter/fields.ts';
import { EXIT, UserError } from '../../model/errors.ts';
import { jsonText } from '../../model/json-text.ts';
import { connectNs, receiveNs, sendNs, totalNs, waitNs } from '../../model/phases.ts';
import { closeReading, type ReadingContext, type ReadingFlags, readExchanges } from '../reading.ts';
import { finishOutput, StreamOutput } from '../stream-output.ts';
import { chooseStyle, chooseWidth, terminalFacts } from '../terminal.ts';

/** Options of `wirelens diff` as the command line gives them. */
export interface DiffFlags extends ReadingFlags {
  readonly before?: readonly string[];
  readonly after?: readonly string[];
  readonly by?: readonly string[];
  readonly metric: keyof typeof METRICS;
  readonly percentiles?: readonly number[];
  readonly confidence?: number;
  readonly threshold?: number;
  readonly failOn: 'worse' | 'any' | 'never';
  readonly format: 'table' | 'json';
  readonly limit?: number;
}

const METRICS = {
  total: totalNs,
  wait: waitNs,
  connect: connectNs,
  send: sendNs,
  receive: receiveNs,
} as const satisfies Record<string, Metric>;

const GROUPED_BY = ['method', 'host', 'route'];
const PERCENTILES = [50, 99];
const CONFIDENCE = 0.99;
const THRESHOLD = 0.1;
const TABLE_ROWS = 20;
/** Cells of a line where there is no terminal to ask. */
const PIPED_WIDTH = 120;

/**
 * Compares two inputs and prints what differs.
 *
 * @returns the exit code
 * @throws UserError when an input cannot be used
 */
export async function diff(
  before: string | undefined,
  after: string | undefined,
  flags: DiffFlags,
  version: string,
): Promise<number> {
  const files = chosenFiles(before, after, flags);
  const fields = groupFields(flags.by ?? GROUPED_BY);
  const grouping = new Grouping(fields, DIFF_LIMITS);
  const first = await readSide(files[0], { grouping, fields, flags, version });
  const second = await readSide(files[1], { grouping, fields, flags, version });
  const options = {
    percentiles: flags.percentiles ?? PERCENTILES,
    confidence: flags.confidence ?? CONFIDENCE,
    threshold: flags.threshold ?? THRESHOLD,
    limits: DIFF_LIMITS,
  };
  const comparison = compareSides(first.side, second.side, grouping.finish(), options);
  const names = fields.map(({ name }) => name);
  const output = new StreamOutput(process.stdout);
  const shared = { ...options, files, fields: names, metric: flags.metric };
  if (flags.format === 'json') {
    output.write(`${jsonText(diffJson(comparison, shared))}\n`);
  } else {
    const terminal = terminalFacts();
    output.write(
      diffText(comparison, {
        ...shared,
        width: chooseWidth(terminal, PIPED_WIDTH),
        style: chooseStyle(flags.color, terminal),
        limit: flags.limit ?? TABLE_ROWS,
      }),
    );
  }
  await finishOutput(output);
  const advice = nothingInCommon(comparison, names);
  if (advice !== null && flags.quiet !== true) process.stderr.write(`wirelens: ${advice}\n`);
  const damaged = Math.max(first.exitCode, second.exitCode);
  return hasFailed(comparison, flags.failOn) ? EXIT.found : damaged;
}

function hasFailed(comparison: Comparison, failOn: DiffFlags['failOn']): boolean {
  if (failOn === 'never') return false;
  if (failOn === 'any') return significantFindings(comparison).length > 0;
  return groupsWith(comparison, 'worse') > 0 || comparison.all.verdict === 'worse';
}

interface SideParts {
  readonly grouping: Grouping;
  readonly fields: readonly Field[];
  readonly flags: DiffFlags;
  readonly version: string;
}

async function readSide(
  files: readonly string[],
  { grouping, fields, flags, version }: SideParts,
): Promise<{ side: DiffSide; exitCode: number }> {
  let side: DiffSide | undefined;
  const headers = fields.flatMap((field) =>
    'header' in field && field.header !== null ? [field.header] : [],
  );
  const { read: _, ...given } = flags;
  const sinksOf = ({ clock }: ReadingContext): DiffSide[] => {
    side = new DiffSide(grouping, METRICS[flags.metric], clock, DIFF_LIMITS);
    return [side];
  };
  const run = await readExchanges(files, given, version, sinksOf, { headers });
  if (run.stoppedEarly)
    throw new UserError('stopped', 'stopped before both inputs were read', { hint: 'nothing was compared' });
  if (side === undefined) throw new Error('the reader asked for no sink');
  return { side, exitCode: closeReading(run, flags) };
}

type Files = readonly [before: readonly string[], after: readonly string[]];

function chosenFiles(before: string | undefined, after: string | undefined, flags: DiffFlags): Files {
  const usage = (message: string, hint: string): UserError =>
    new UserError('usage', message, { hint, exitCode: EXIT.usage });
  if (flags.read !== undefined)
    throw usage('-r does not say which side a file is on', 'use --before FILE and --after FILE');
  const rest = [before, after].filter((path) => path !== undefined);
  const first = [...(flags.before ?? [])];
  const second = [...(flags.after ?? [])];
  // `diff --before a1 --before a2 b`: what is not said by name fills the sides that are empty.
  if (first.length === 0) first.push(...rest.splice(0, 1));
  if (second.length === 0) second.push(...rest.splice(0, 1));
  if (first.length === 0 || second.length === 0)
    throw usage('two inputs are needed', 'name them: wirelens diff BEFORE AFTER');
  if (rest.length > 0)
    throw usage(`${rest[0]} is on neither side`, 'use --before FILE or --after FILE for it');
  if ([...first, ...second].filter((path) => path === '-').length > 1)
    throw usage('standard input can be read only once', 'give - once');
  return [first, second];
}
