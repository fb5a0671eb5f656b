import { readFileSync } from 'node:fs';
import { jsonRow } from '../../export/rows.ts';
import { EXIT, UserError } from '../../model/errors.ts';
import { sanitise } from '../../report/terminal-text.ts';
import {
  type Column,
  fitColumns,
  formatRow,
  formatTitles,
  type Row,
  type Widths,
} from '../../report/text-table.ts';
import { runSql, type SqlResult, type SqlValue } from '../../store/query.ts';
import { csvRecords } from '../csv-records.ts';
import { writePieces } from '../stream-output.ts';
import { type ColorChoice, chooseStyle, chooseWidth, terminalFacts } from '../terminal.ts';

/** Options of `wirelens sql` as the command line gives them. */
export interface SqlFlags {
  readonly format: 'table' | 'json' | 'csv';
  readonly limit?: number;
  readonly color: ColorChoice;
  readonly debug?: boolean;
}

/** Rows that decide the widths of a table's columns. */
const ROWS_MEASURED = 1000;

/**
 * Runs a query on a SQLite file and prints its rows.
 *
 * @returns the exit code
 * @throws UserError when the file cannot be read or the query is wrong
 */
export async function sql(file: string, query: string, flags: SqlFlags): Promise<number> {
  if (query === '-' && process.stdin.isTTY) {
    throw new UserError('usage', 'standard input is a terminal', {
      hint: 'give the query as an argument, or pipe it in',
      exitCode: EXIT.usage,
    });
  }
  const text = query === '-' ? readFileSync(0, 'utf8') : query;
  const result = await runSql(file, text, flags.limit === undefined ? {} : { limit: flags.limit });
  try {
    await writePieces(FORMATS[flags.format](result, flags));
  } finally {
    result.close();
  }
  if (result.more()) process.stderr.write(`more rows than --limit ${flags.limit}\n`);
  return EXIT.fine;
}

/** A query result as pieces of text. */
type Format = (result: SqlResult, flags: SqlFlags) => Iterable<string>;

const FORMATS: Readonly<Record<SqlFlags['format'], Format>> = {
  *json({ columns, rows }) {
    for (const row of rows) yield `${jsonRow(columns, row)}\n`;
  },
  *csv({ columns, rows }) {
    const onTerminal = terminalFacts().stdoutIsTty;
    yield* csvRecords([columns], { onTerminal });
    yield* csvRecords(rows, { onTerminal });
  },
  table: tableText,
};

function* tableText({ columns: names, rows }: SqlResult, flags: SqlFlags): Iterable<string> {
  const terminal = terminalFacts();
  const style = chooseStyle(flags.color, terminal);
  const width = chooseWidth(terminal, Number.POSITIVE_INFINITY);
  let columns: Column[] = [];
  let widths: Widths | null = null;
  let held: SqlValue[][] = [];
  const bounded = width !== Number.POSITIVE_INFINITY;
  const measure = (): Widths => {
    columns = names.map((name, index) => ({
      title: sanitise(name),
      align: held.some((row) => typeof row[index] === 'string') ? 'left' : 'right',
      shrinkTo: 8,
      cut: 'middle',
    }));
    return fitColumns(columns, held.map(cells), width);
  };
  const cells = (row: readonly SqlValue[]): Row =>
    row.map((value) => (value === null ? { text: 'null', paint: style.dim } : valueText(value)));
  const first = function* (): Iterable<string> {
    widths = measure();
    yield `${formatTitles(columns, widths, style)}\n`;
    for (const row of held) yield `${formatRow(columns, widths, cells(row), bounded)}\n`;
    held = [];
  };
  for (const row of rows) {
    if (widths === null) {
      held.push(row);
      if (held.length >= ROWS_MEASURED) yield* first();
    } else {
      yield `${formatRow(columns, widths, cells(row), bounded)}\n`;
    }
  }
  if (widths === null) yield* first();
}

function valueText(value: Exclude<SqlValue, null>): string {
  if (value instanceof Uint8Array) return `x'${Buffer.from(value).toString('hex')}'`;
  if (typeof value !== 'number' || Number.isInteger(value)) return sanitise(String(value));
  // Six digits are a nanosecond where the number is milliseconds; more is the noise of binary fractions.
  return String(Number(value.toFixed(6)));
}
