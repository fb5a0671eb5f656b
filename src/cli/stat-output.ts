import { EXIT, UserError } from '../model/errors.ts';
import { statColumns } from '../stat/columns.ts';
import { type Asked, askedFor, type QuestionWords } from '../stat/question.ts';
import { sortColumn, sorted } from '../stat/sort.ts';
import { ASCII_LEVELS, BLOCKS } from '../stat/sparkline.ts';
import type { StatQuestion } from '../stat/stat-question.ts';
import { statJson, statRecords } from '../stat/stat-records.ts';
import type { StatReport } from '../stat/stat-report.ts';
import { statTable } from '../stat/stat-table.ts';
import { csvRecords } from './csv-records.ts';
import { isDuration, parseDuration } from './option-values.ts';
import { type ColorChoice, chooseStyle, chooseWidth, type TerminalFacts } from './terminal.ts';

/** Options of `stat` that say what its groups look like. */
export interface StatOutputFlags extends QuestionWords {
  readonly ascii?: boolean;
  readonly format: 'table' | 'json' | 'csv';
  readonly color: ColorChoice;
}

/** Groups in a table. */
const GROUPS_SHOWN = 20;
/** Time buckets of --every auto where no line has to hold them. */
const BUCKETS_WITHOUT_LINE = 60;

/** A report as text, in the form asked for. Throws UserError (usage) when the question is wrong. */
export class StatOutput {
  readonly question: StatQuestion;
  /** Header fields that must be kept for the groups. */
  readonly headers: readonly string[];
  readonly #flags: StatOutputFlags;
  readonly #terminal: TerminalFacts;
  readonly #asked: Asked;
  readonly #columns: ReturnType<typeof statColumns>;
  readonly #sortedBy: ReturnType<typeof sortColumn>;
  readonly #every: number | 'auto' | null;

  constructor(flags: StatOutputFlags, terminal: TerminalFacts) {
    this.#flags = flags;
    this.#terminal = terminal;
    this.#asked = askedFor(flags);
    this.question = this.#asked.question;
    this.headers = this.#asked.headers;
    this.#columns = statColumns(this.question);
    this.#sortedBy = sortColumn(this.#columns, this.#asked.sort);
    this.#every = everyOf(flags.every);
  }

  /** Width of the time buckets that are asked for, in ns; null: any, or none. */
  get everyNs(): number | null {
    return typeof this.#every === 'number' ? this.#every : null;
  }

  /**
   * Everything, in pieces, and what the reader should know beside it.
   *
   * @param show how `wirelens show` is called with the same captures; null: it cannot be
   */
  whole(report: StatReport, show: string | null): { pieces: Iterable<string>; notes: readonly string[] } {
    const notes = [...report.notes];
    const planned = this.#every === null ? null : report.plan(this.#every, BUCKETS_WITHOUT_LINE);
    if (planned?.note != null) notes.push(planned.note);
    const { format, limit } = this.#flags;
    if (format === 'table') return { pieces: [`${this.table(report, { show }).join('\n')}\n`], notes };
    const ordered = this.#ordered(report);
    const groups = ordered.slice(0, limit ?? ordered.length);
    const options = { report, columns: this.#columns, groups, buckets: planned?.buckets ?? null };
    const left = ordered.length - groups.length;
    if (left > 0 && format === 'csv') notes.push(`${left} more groups than --limit ${limit}`);
    if (format === 'json') return { pieces: statJson(options), notes };
    const onTerminal = this.#terminal.stdoutIsTty;
    return { pieces: csvRecords(statRecords(options), { onTerminal }), notes };
  }

  /** The lines of the table. `groups`: how many there is room for; `width`: cells of a line, that of the terminal when left out. */
  table(
    report: StatReport,
    { show = null, groups, width }: { show?: string | null; groups?: number; width?: number } = {},
  ): string[] {
    const terminal = this.#terminal;
    const { limit = GROUPS_SHOWN, color, ascii } = this.#flags;
    return statTable({
      report,
      columns: this.#columns,
      sortedBy: this.#sortedBy,
      groups: this.#ordered(report).slice(0, Math.min(limit, groups ?? limit)),
      width: width ?? chooseWidth(terminal, Number.POSITIVE_INFINITY),
      style: chooseStyle(color, terminal),
      levels: ascii === true || !hasUnicode(terminal) ? ASCII_LEVELS : BLOCKS,
      every: this.#every,
      show,
    });
  }

  #ordered(report: StatReport) {
    return sorted(report.groups, this.#sortedBy, this.#asked.sort.direction);
  }
}

/** ns, `auto`, or null when times are not asked for. */
function everyOf(text: string | undefined): number | 'auto' | null {
  if (text === undefined || text === 'auto') return text ?? null;
  const ns = isDuration(text) ? parseDuration(text) : 0;
  if (ns < 1000)
    throw new UserError('usage', `--every: '${text}' is no width of time`, {
      hint: 'such as 1us, 500ms, 10s, 5min or auto',
      exitCode: EXIT.usage,
    });
  return ns;
}

/** False when the locale says that the terminal takes another encoding. */
function hasUnicode({ env }: TerminalFacts): boolean {
  const locale = env.LC_ALL || env.LC_CTYPE || env.LANG || '';
  return locale === '' || /utf-?8/i.test(locale);
}
