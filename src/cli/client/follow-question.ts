import type { ServerClient } from '../../client/server-client.ts';
import { UserError } from '../../model/errors.ts';
import { sanitise } from '../../report/terminal-text.ts';
import { type AnswerRow, answerRow, numberOf } from './answer.ts';
import { asUserError, pathWith } from './asking.ts';
import { pagesOf } from './list-question.ts';

export interface FollowOptions {
  /** From selectionOf; with a begin (`from`), what is there since then comes first. */
  readonly selection: URLSearchParams;
  /** Ends after so many exchanges. */
  readonly limit: number;
  readonly signal: AbortSignal;
  /** Takes rows; what it gives back is waited for. */
  readonly onRows: (rows: readonly AnswerRow[]) => Promise<void> | null;
  /** A line for people: the server is away, or back. */
  readonly say: (line: string) => void;
}

/**
 * Exchanges as the server gets them, in the order of its ids. Goes on after the server was away, where it was.
 *
 * @throws UserError
 */
export async function follow(client: ServerClient, options: FollowOptions): Promise<void> {
  const { onRows, say } = options;
  const ending = new AbortController();
  const end = (): void => ending.abort();
  options.signal.addEventListener('abort', end, { once: true });
  let left = options.limit;
  const hand = async (rows: readonly AnswerRow[]): Promise<void> => {
    const wanted = rows.slice(0, left);
    left -= wanted.length;
    const full = onRows(wanted);
    if (full !== null) await full;
    if (left <= 0) ending.abort();
  };
  try {
    const lastId = await backlog(client, options, ending.signal, hand);
    const live = new URLSearchParams(options.selection);
    live.delete('from');
    if (ending.signal.aborted) return;
    await client.events(
      pathWith('/api/v1/live', live),
      ({ event, data }) => (event === 'exchange' && left > 0 ? hand([parsedRow(data)]) : undefined),
      {
        signal: ending.signal,
        lastId,
        onState: (problem) =>
          say(
            problem === null ? 'the server is back' : `${sanitise(problem)}; trying again until it is back`,
          ),
      },
    );
  } catch (error) {
    if (ending.signal.aborted && !(error instanceof UserError)) return;
    throw asUserError(error);
  } finally {
    options.signal.removeEventListener('abort', end);
  }
}

/** What is there since the begin that is asked for; gives the id to go on after, empty: from now on. */
async function backlog(
  client: ServerClient,
  { selection, limit }: FollowOptions,
  signal: AbortSignal,
  hand: (rows: readonly AnswerRow[]) => Promise<void>,
): Promise<string> {
  if (!selection.has('from')) return '';
  let last = await newestId(client, signal);
  const order = { sort: 'id', order: 'asc' } as const;
  for await (const rows of pagesOf(client, { selection, order, limit, signal })) {
    for (const row of rows) last = Math.max(last, numberOf(row, 'id') ?? 0);
    await hand(rows);
  }
  return String(last);
}

/** The highest id of all: what comes later has a higher one, whatever is asked for. */
async function newestId(client: ServerClient, signal: AbortSignal): Promise<number> {
  const order = { sort: 'id', order: 'desc' } as const;
  let newest = 0;
  for await (const rows of pagesOf(client, { selection: new URLSearchParams(), order, limit: 1, signal }))
    for (const row of rows) newest = Math.max(newest, numberOf(row, 'id') ?? 0);
  return newest;
}

function parsedRow(data: string): AnswerRow {
  try {
    return answerRow(JSON.parse(data));
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError('strange-answer', 'the server sent an event that is no JSON', { cause: error });
  }
}
