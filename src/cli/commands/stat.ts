import { readFileSync, statSync } from 'node:fs';
import { csvRow } from '../../export/rows.ts';
import { EXIT, UserError } from '../../model/errors.ts';
import type { ExchangeSink } from '../../model/sink.ts';
import { sanitise } from '../../report/terminal-text.ts';
import { statColumns } from '../../stat/columns.ts';
import { askedFor, type QuestionWords } from '../../stat/question.ts';
import { PINNED_LIMITS, PinnedRoutes } from '../../stat/routes/pinned-routes.ts';
import { RouteLearner } from '../../stat/routes/route-learner.ts';
import { ROUTE_LIMITS } from '../../stat/routes/route-limits.ts';
import { routeRecords, routesJson, routesNotes, routesText } from '../../stat/routes-text.ts';
import { parseSort, sortColumn, sorted } from '../../stat/sort.ts';
import { ASCII_LEVELS, BLOCKS } from '../../stat/sparkline.ts';
import { statJson, statRecords } from '../../stat/stat-records.ts';
import { createStatSink, type StatSink } from '../../stat/stat-sink.ts';
import { statTable } from '../../stat/stat-table.ts';
import { isDuration, parseDuration } from '../option-values.ts';
import { closeReading, type ReadingContext, type ReadingFlags, readExchanges } from '../reading.ts';
import { writeAll, writePieces } from '../stream-output.ts';
import { chooseStyle, chooseWidth, type TerminalFacts, terminalFacts } from '../terminal.ts';

/** Options of `wirelens stat` as the command line gives them. */
export interface StatFlags extends ReadingFlags, QuestionWords {
  readonly routes?: boolean;
  readonly routeBudget?: number;
  readonly routesFile?: string;
  readonly ascii?: boolean;
  readonly format: 'table' | 'json' | 'csv';
}

/** Groups in a table. */
const GROUPS_SHOWN = 20;
/** Time buckets of --every auto where no line has to hold them. */
const BUCKETS_WITHOUT_LINE = 60;

/**
 * Groups requests and prints the groups. Data goes to standard output, everything else to standard error.
 *
 * @returns the exit code
 * @throws UserError when the input cannot be used or the question is wrong
 */
export async function stat(files: readonly string[], flags: StatFlags, version: string): Promise<number> {
  const pinned = flags.routesFile === undefined ? null : readDictionary(flags.routesFile);
  if (flags.plainRoutes && (pinned !== null || flags.routeBudget !== undefined || flags.routes))
    throw usage('--plain-routes learns nothing', 'leave out the other options about routes');
  const learner = new RouteLearner({
    pinned,
    countPaths: flags.routes === true,
    limits: flags.routeBudget === undefined ? {} : { budget: flags.routeBudget },
  });
  return flags.routes === true
    ? printRoutes(files, flags, version, learner)
    : printGroups(files, flags, version, learner);
}

function usage(message: string, hint: string): UserError {
  return new UserError('usage', message, { hint, exitCode: EXIT.usage });
}

async function printGroups(
  files: readonly string[],
  flags: StatFlags,
  version: string,
  learner: RouteLearner,
): Promise<number> {
  const { question, sort, headers } = askedFor(flags);
  const columns = statColumns(question);
  const sortedBy = sortColumn(columns, sort);
  const every = everyOf(flags.every);
  let sink: StatSink | null = null;
  const sinksOf = ({ clock, captures }: ReadingContext): ExchangeSink[] => {
    const learned = question.by.some((one) => one.learned) ? learner : null;
    sink = createStatSink(question, { clock, captures, learner: learned });
    return [sink];
  };
  const run = await readExchanges(files, flags, version, sinksOf, { finishing: 'sorting', headers });
  const report = (sink as StatSink | null)?.report();
  if (report === undefined) throw new Error('no sink was made');
  const ordered = sorted(report.groups, sortedBy, sort.direction);
  const notes = [...report.notes];
  const planned = every === null ? null : report.plan(every, BUCKETS_WITHOUT_LINE);
  if (planned?.note != null) notes.push(planned.note);
  if (flags.format === 'table') {
    const terminal = terminalFacts();
    const lines = statTable({
      report,
      columns,
      sortedBy,
      groups: ordered.slice(0, flags.limit ?? GROUPS_SHOWN),
      width: chooseWidth(terminal, Number.POSITIVE_INFINITY),
      style: chooseStyle(flags.color, terminal),
      levels: flags.ascii === true || !hasUnicode(terminal) ? ASCII_LEVELS : BLOCKS,
      every,
      show: showCommand([...(flags.read ?? []), ...files]),
    });
    await writeAll(`${lines.join('\n')}\n`);
  } else {
    const groups = ordered.slice(0, flags.limit ?? ordered.length);
    const options = { report, columns, groups, buckets: planned?.buckets ?? null };
    await writePieces(flags.format === 'json' ? statJson(options) : csvOf(statRecords(options)));
    const left = ordered.length - groups.length;
    if (left > 0 && flags.format === 'csv') notes.push(`${left} more groups than --limit ${flags.limit}`);
  }
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
  if (flags.format === 'json') await writeAll(routesJson(facts, budget));
  else if (flags.format === 'csv') await writePieces(csvOf(routeRecords(facts)));
  else {
    const terminal = terminalFacts();
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
    throw new UserError('routes-file', `cannot be read: ${(error as Error).message}`, {
      place: { file: path },
      hint: 'wirelens stat FILE --routes prints such a dictionary',
      cause: error,
    });
  }
}

/** ns, `auto`, or null when times are not asked for. */
function everyOf(text: string | undefined): number | 'auto' | null {
  if (text === undefined || text === 'auto') return text ?? null;
  const ns = isDuration(text) ? parseDuration(text) : 0;
  if (ns < 1000)
    throw usage(`--every: '${text}' is no width of time`, 'such as 1us, 500ms, 10s, 5min or auto');
  return ns;
}

/** False when the locale says that the terminal takes another encoding. */
function hasUnicode({ env }: TerminalFacts): boolean {
  const locale = env.LC_ALL || env.LC_CTYPE || env.LANG || '';
  return locale === '' || /utf-?8/i.test(locale);
}

/** How to look at one exchange of the same files; null for standard input, which is gone. */
function showCommand(paths: readonly string[]): string | null {
  if (paths.includes('-')) return null;
  const words = paths.map((path) =>
    /^[\w./:@%+-]+$/.test(path) ? path : sanitise(`'${path.replaceAll("'", `'\\''`)}'`),
  );
  return `wirelens show ${words.join(' ')} ID`;
}

function* csvOf(records: Iterable<readonly (string | number | null)[]>): Iterable<string> {
  for (const record of records) yield `${csvRow(record)}\r\n`;
}

function printNotes(notes: readonly string[], { quiet }: StatFlags): void {
  if (quiet === true) return;
  for (const note of notes) process.stderr.write(`wirelens: ${note}\n`);
}
