import { readFileSync } from 'node:fs';
import type { ServerClient } from '../../client/server-client.ts';
import { EXCHANGE_COLUMNS } from '../../export/exchange-columns.ts';
import { EXIT } from '../../model/errors.ts';
import { jsonText } from '../../model/json-text.ts';
import { formatCount } from '../../report/units.ts';
import { agentLines } from '../client/agents-answer.ts';
import { type AnswerRow, answerRows } from '../client/answer.ts';
import { ask, pathWith } from '../client/asking.ts';
import { detailText } from '../client/detail-answer.ts';
import { createExchangeTable, type RowWriter, TABLE_COLUMNS } from '../client/exchange-rows.ts';
import { follow } from '../client/follow-question.ts';
import { pagesOf } from '../client/list-question.ts';
import {
  orderOf,
  type QueryFlags,
  type Question,
  questionOf,
  selectionOf,
  usage,
} from '../client/query-flags.ts';
import { RED_GROUPS, redLines } from '../client/red-answer.ts';
import { createCsvRows, createJsonRows } from '../client/row-formats.ts';
import { serverClient } from '../client/server-flags.ts';
import { type SqlAnswer, sqlAnswer, sqlLines } from '../client/sql-answer.ts';
import { csvRecords } from '../csv-records.ts';
import { finishOutput, StreamOutput } from '../stream-output.ts';
import { chooseStyle, chooseWidth, terminalFacts } from '../terminal.ts';

/** Exchanges printed unless told otherwise, as with LightObs. */
const USUAL_ROWS = 200;
const USUAL_GROUPS = 100;

/**
 * Asks a server, and prints what it answers. Data goes to standard output, everything else to standard error.
 *
 * @returns the exit code
 * @throws UserError when the server cannot be reached or refuses
 */
export async function query(flags: QueryFlags, version: string): Promise<number> {
  const question = questionOf(flags);
  const client = serverClient(flags, version, process.env);
  const ending = new AbortController();
  const output = new StreamOutput(process.stdout, () => ending.abort());
  const asking: Asking = {
    flags,
    client,
    output,
    ending,
    say: (line) => {
      if (flags.quiet !== true) process.stderr.write(`${line}\n`);
    },
  };
  try {
    await QUESTIONS[question](asking);
  } catch (error) {
    // The reader of the output has left: there is nobody to tell.
    if (!ending.signal.aborted) throw error;
  } finally {
    client.close();
  }
  await finishOutput(output);
  return EXIT.fine;
}

interface Asking {
  readonly flags: QueryFlags;
  readonly client: ServerClient;
  readonly output: StreamOutput;
  /** Aborted when the reader of the output leaves, and by Ctrl-C while following. */
  readonly ending: AbortController;
  readonly say: (line: string) => void;
}

const QUESTIONS: Readonly<Record<Question, (asking: Asking) => Promise<void>>> = {
  list,
  follow: following,
  id: detail,
  red,
  agents,
  sql,
};

async function list({ flags, client, output, ending, say }: Asking): Promise<void> {
  const limit = flags.limit ?? USUAL_ROWS;
  const order = orderOf(flags.sort);
  const writer = exchangeWriter(flags, output, false);
  const columns = flags.format === 'table' ? TABLE_COLUMNS : undefined;
  const pages = pagesOf(client, {
    selection: selectionOf(flags),
    order,
    columns,
    limit,
    signal: ending.signal,
  });
  let count = 0;
  for (;;) {
    const page = await pages.next();
    if (page.done === true) {
      writer.end();
      if (count === 0) say('no exchanges');
      else if (page.value) say(`there are more than these ${formatCount(count)}: --limit shows more`);
      return;
    }
    count += page.value.length;
    writer.write(page.value);
    const full = output.drain();
    if (full !== null) await full;
    if (ending.signal.aborted) return;
  }
}

async function following({ flags, client, output, ending, say }: Asking): Promise<void> {
  const writer = exchangeWriter(flags, output, true);
  const stop = (): void => ending.abort();
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  try {
    await follow(client, {
      selection: selectionOf(flags),
      limit: flags.limit ?? Number.POSITIVE_INFINITY,
      signal: ending.signal,
      onRows: (rows) => {
        writer.write(rows);
        return output.drain();
      },
      say: (line) => say(`wirelens: ${line}`),
    });
  } finally {
    process.off('SIGINT', stop);
    process.off('SIGTERM', stop);
  }
  writer.end();
}

async function detail({ flags, client, output, ending }: Asking): Promise<void> {
  const path = `/api/v1/exchanges/${encodeURIComponent(flags.id ?? '')}`;
  const answer = await ask(client, 'GET', path, { signal: ending.signal });
  if (flags.format === 'json') output.write(`${jsonText(answer)}\n`);
  else if (flags.format === 'csv') writeRows(flags, output, answerRows(answer, 'observations'), []);
  else output.write(detailText(answer, { ...terminalChoice(flags, 100) }));
}

async function red({ flags, client, output, ending, say }: Asking): Promise<void> {
  const by = flags.red === true ? ['route'] : groupsOf(flags.red ?? '');
  const parameters = selectionOf(flags);
  const limit = flags.limit ?? USUAL_GROUPS;
  if (by.length > 0) parameters.set('by', by.join(','));
  if (flags.bucket !== undefined) parameters.set('bucket', flags.bucket);
  // One more than is shown tells whether there are more.
  parameters.set('limit', String(Math.min(limit + 1, 10_000)));
  const answer = await ask(client, 'GET', pathWith('/api/v1/red', parameters), { signal: ending.signal });
  const all = answerRows(answer, 'groups');
  const rows = all.slice(0, limit);
  if (flags.format === 'table') {
    const bucketed = flags.bucket !== undefined;
    const lines = redLines(rows, { by, bucketed, ...terminalChoice(flags) });
    output.write(`${lines.join('\n')}\n`);
  } else writeRows(flags, output, rows, by);
  if (all.length > rows.length)
    say(`there are more than these ${formatCount(rows.length)}: --limit shows more`);
}

/** `all`, or names of groups separated by commas. */
function groupsOf(text: string): string[] {
  if (text === 'all') return [];
  const names = text.split(',').map((name) => name.trim());
  const wrong = names.find((name) => !(RED_GROUPS as readonly string[]).includes(name));
  if (wrong !== undefined)
    throw usage(
      `--red: there is no group '${wrong}'`,
      `groups: ${RED_GROUPS.join(', ')}, or all for one line`,
    );
  return names;
}

async function agents({ flags, client, output, ending }: Asking): Promise<void> {
  const answer = await ask(client, 'GET', '/api/v1/agents', { signal: ending.signal });
  const rows = answerRows(answer, 'agents');
  if (flags.format !== 'table') writeRows(flags, output, rows, ['agent']);
  else output.write(`${agentLines(rows, { ...terminalChoice(flags), nowMs: Date.now() }).join('\n')}\n`);
}

async function sql({ flags, client, output, ending, say }: Asking): Promise<void> {
  const text = flags.sql === '-' ? statementFromStdin() : flags.sql;
  const body = Buffer.from(
    JSON.stringify({ sql: text, ...(flags.limit === undefined ? {} : { limit: flags.limit }) }),
  );
  const answer = sqlAnswer(
    await ask(client, 'POST', '/api/v1/sql', {
      headers: { 'content-type': 'application/json' },
      body,
      signal: ending.signal,
    }),
  );
  writeSql(flags, output, answer);
  if (answer.truncated)
    say(`there are more rows than these ${formatCount(answer.rows.length)}: --limit shows more`);
}

function statementFromStdin(): string {
  if (process.stdin.isTTY)
    throw usage('standard input is a terminal', 'give the statement as an argument, or pipe it in');
  return readFileSync(0, 'utf8');
}

function writeSql(flags: QueryFlags, output: StreamOutput, answer: SqlAnswer): void {
  const { columns, rows } = answer;
  if (flags.format === 'table') {
    output.write(`${sqlLines(answer, terminalChoice(flags)).join('\n')}\n`);
  } else if (flags.format === 'json') {
    for (const row of rows) {
      const fields = columns.map((name, index) => `${jsonText(name)}:${jsonText(row[index])}`);
      output.write(`{${fields.join(',')}}\n`);
    }
  } else {
    const records = rows.map((row) => row.map((one) => (typeof one === 'boolean' ? String(one) : one)));
    const onTerminal = terminalFacts().stdoutIsTty;
    for (const piece of csvRecords([columns, ...records], { onTerminal })) output.write(piece);
  }
}

function terminalChoice({ color }: QueryFlags, otherwise = Number.POSITIVE_INFINITY) {
  const terminal = terminalFacts();
  return { width: chooseWidth(terminal, otherwise), style: chooseStyle(color, terminal) };
}

function exchangeWriter(flags: QueryFlags, output: StreamOutput, live: boolean): RowWriter {
  if (flags.format === 'table')
    return createExchangeTable({ output, live, now: Date.now, ...terminalChoice(flags) });
  return plainWriter(flags, output, [
    'id',
    ...EXCHANGE_COLUMNS.map(({ name }) => name).filter((name) => name !== 'id'),
  ]);
}

function plainWriter(flags: QueryFlags, output: StreamOutput, columns: readonly string[]): RowWriter {
  if (flags.format === 'json') return createJsonRows(output);
  return createCsvRows(output, {
    columns,
    terminal: terminalFacts().stdoutIsTty,
    safe: flags.csvSafe === true,
  });
}

function writeRows(
  flags: QueryFlags,
  output: StreamOutput,
  rows: readonly AnswerRow[],
  columns: readonly string[],
): void {
  const writer = plainWriter(flags, output, columns);
  writer.write(rows);
  writer.end();
}
