import { readFileSync, statSync } from 'node:fs';
import { EXIT, UserError } from '../../model/errors.ts';
import { readProblem } from '../../model/read-problem.ts';
import type { ExchangeSink } from '../../model/sink.ts';
import { sanitise } from '../../report/terminal-text.ts';
import type { QuestionWords } from '../../stat/question.ts';
import { PINNED_LIMITS, PinnedRoutes } from '../../stat/routes/pinned-routes.ts';
import { RouteLearner } from '../../stat/routes/route-learner.ts';
import { ROUTE_LIMITS } from '../../stat/routes/route-limits.ts';
import { routeRecords, routesJson, routesNotes, routesText } from '../../stat/routes-text.ts';
import { parseSort } from '../../stat/sort.ts';
import { createStatSink, type StatSink } from '../../stat/stat-sink.ts';
import { csvRecords } from '../csv-records.ts';
import { selectionWords, separateWords } from '../packet-selection.ts';
import { closeReading, type ReadingContext, type ReadingFlags, readExchanges } from '../reading.ts';
import { StatOutput } from '../stat-output.ts';
import { writeAll, writePieces } from '../stream-output.ts';
import { chooseStyle, chooseWidth, terminalFacts } from '../terminal.ts';
import type { LiveStatFlags } from './live-stat.ts';

/** Options of `wirelens stat` as the command line gives them. */
export interface StatFlags extends ReadingFlags, QuestionWords {
  readonly routes?: boolean;
  readonly routeBudget?: number;
  readonly routesFile?: string;
  readonly ascii?: boolean;
  readonly format: 'table' | 'json' | 'csv';
}

/**
 * Groups requests and prints the groups. Data goes to standard output, everything else to standard error.
 *
 * @returns the exit code
 * @throws UserError when the input cannot be used or the question is wrong
 */
export async function stat(files: readonly string[], flags: LiveStatFlags, version: string): Promise<number> {
  const pinned = flags.routesFile === undefined ? null : readDictionary(flags.routesFile);
  if (flags.plainRoutes && (pinned !== null || flags.routeBudget !== undefined || flags.routes))
    throw usage('--plain-routes learns nothing', 'leave out the other options about routes');
  const learner = new RouteLearner({
    pinned,
    countPaths: flags.routes === true,
    limits: flags.routeBudget === undefined ? {} : { budget: flags.routeBudget },
  });
  if (isLive(files, flags)) {
    const { liveStat } = await import('./live-stat.ts');
    return liveStat(files, flags, version, learner);
  }
  return flags.routes === true
    ? printRoutes(files, flags, version, learner)
    : printGroups(files, flags, version, learner);
}

/** With -i packets are captured; with --refresh standard input is shown while it comes. */
function isLive(files: readonly string[], flags: LiveStatFlags): boolean {
  if (flags.interface !== undefined) return true;
  const about = (Object.keys(LIVE_OPTIONS) as (keyof typeof LIVE_OPTIONS)[]).find(
    (name) => flags[name] !== undefined,
  );
  const isStream = files.length === 1 && files[0] === '-' && flags.read === undefined;
  if (isStream && flags.refresh !== undefined) return true;
  if (about === undefined) return false;
  throw usage(`${LIVE_OPTIONS[about]} is about packets as they come`, 'add -i INTERFACE, or -i any');
}

/** Options that mean nothing for a capture that is there. */
const LIVE_OPTIONS = {
  refresh: '--refresh',
  driver: '--driver',
  duration: '--duration',
  snaplen: '--snaplen',
  buffer: '--buffer',
} as const;

function usage(message: string, hint: string): UserError {
  return new UserError('usage', message, { hint, exitCode: EXIT.usage });
}

async function printGroups(
  files: readonly string[],
  flags: StatFlags,
  version: string,
  learner: RouteLearner,
): Promise<number> {
  const output = new StatOutput(flags, terminalFacts());
  const { question, headers } = output;
  let sink: StatSink | null = null;
  const sinksOf = ({ clock, captures }: ReadingContext): ExchangeSink[] => {
    const learned = question.by.some((one) => one.learned) ? learner : null;
    sink = createStatSink(question, { clock, captures, learner: learned });
    return [sink];
  };
  const run = await readExchanges(files, flags, version, sinksOf, { finishing: 'sorting', headers });
  const report = (sink as StatSink | null)?.report();
  if (report === undefined) throw new Error('no sink was made');
  const { pieces, notes } = output.whole(report, showCommand(files, flags));
  await writePieces(pieces);
  printNotes(notes, flags);
  return closeReading(run, flags);
}

/** Options that say something about groups, and so nothing about routes. */
const GROUP_OPTIONS = {
  by: '--by',
  metric: '--metric',
  percentiles: '--percentiles',
  slow: '--slow',
  bigRequest: '--big-request',
  bigResponse: '--big-response',
  every: '--every',
  limit: '--limit',
} as const;

async function printRoutes(
  files: readonly string[],
  flags: StatFlags,
  version: string,
  learner: RouteLearner,
): Promise<number> {
  const about = (Object.keys(GROUP_OPTIONS) as (keyof typeof GROUP_OPTIONS)[]).find(
    (name) => flags[name] !== undefined,
  );
  if (about !== undefined)
    throw usage(`${GROUP_OPTIONS[about]} is about groups, and --routes prints none`, 'leave one of them out');
  const order = parseSort(flags.sort ?? 'route');
  if (order.column !== 'route' && order.column !== 'count')
    throw usage(`--routes cannot be sorted by '${order.column}'`, 'by route or by count');
  const run = await readExchanges(files, flags, version, () => [learning(learner)]);
  const routes = learner.finish();
  const facts = routes.facts();
  if (order.column === 'count') facts.sort((a, b) => b.requests - a.requests);
  if (order.direction === (order.column === 'count' ? 'asc' : 'desc')) facts.reverse();
  const budget = flags.routeBudget ?? ROUTE_LIMITS.budget;
  const terminal = terminalFacts();
  if (flags.format === 'json') await writeAll(routesJson(facts, budget));
  else if (flags.format === 'csv')
    await writePieces(csvRecords(routeRecords(facts), { onTerminal: terminal.stdoutIsTty }));
  else {
    const lines = routesText(facts, {
      width: chooseWidth(terminal, Number.POSITIVE_INFINITY),
      style: chooseStyle(flags.color, terminal),
      budget,
    });
    await writeAll(`${lines.join('\n')}\n`);
  }
  printNotes(routesNotes(routes), flags);
  return closeReading(run, flags);
}

/** A sink that only teaches. */
function learning(learner: RouteLearner): ExchangeSink {
  return {
    exchange({ request, response }) {
      if (request !== null) learner.add(request.host, request.target, response?.status !== 404);
    },
    connection() {},
    drain: () => null,
    finish: async () => {},
    abort: async () => {},
  };
}

function readDictionary(path: string): PinnedRoutes {
  try {
    if (statSync(path).size > PINNED_LIMITS.characters * 4)
      throw new UserError('routes-file', 'this is too long for a dictionary of routes', {
        place: { file: path },
      });
    return PinnedRoutes.parse(readFileSync(path, 'utf8'), path);
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError('routes-file', `cannot be read: ${readProblem(error)}`, {
      place: { file: path },
      hint: 'wirelens stat FILE --routes prints such a dictionary',
      cause: error,
    });
  }
}

/** How to look at one exchange of the same files; null for standard input, which is gone. */
function showCommand(words: readonly string[], flags: StatFlags): string | null {
  const { files, expression } = separateWords(words, flags);
  const paths = [...(flags.read ?? []), ...files];
  if (paths.includes('-')) return null;
  const quoted = [...paths, ...selectionWords(expression, flags)].map((word) =>
    /^[\w./:@%+-]+$/.test(word) ? word : sanitise(`'${word.replaceAll("'", `'\\''`)}'`),
  );
  return `wirelens show ${quoted.join(' ')} ID`;
}

function printNotes(notes: readonly string[], { quiet }: StatFlags): void {
  if (quiet === true) return;
  for (const note of notes) process.stderr.write(`wirelens: ${note}\n`);
}
