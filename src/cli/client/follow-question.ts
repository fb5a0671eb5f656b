import type { ServerClient } from '../../client/server-client.ts';
import { UserError } from '../../model/errors.ts';
import { sanitise } from '../../report/terminal-text.ts';
import { type AnswerRow, answerObject, answerRow, answerRows, numberOf, textOf } from './answer.ts';
import { ask, asUserError, pathWith } from './asking.ts';

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
 * Exchanges as the server gets them, each once, in the order in which they arrive. Goes on after the server was away, where it was.
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
    const lastId = await backlog(client, options.selection, ending.signal, hand);
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

/** Rows of one request; the server gives no more. */
const PAGE_ROWS = 2000;

/**
 * What is there since the begin that is asked for, in the order in which it arrived; gives the id to go on after, empty: from
 * now on. Each page says where the next one begins, so what comes meanwhile is on one page or in the stream.
 */
async function backlog(
  client: ServerClient,
  selection: URLSearchParams,
  signal: AbortSignal,
  hand: (rows: readonly AnswerRow[]) => Promise<void>,
): Promise<string> {
  if (!selection.has('from')) return '';
  const parameters = new URLSearchParams(selection);
  parameters.set('sort', 'id');
  parameters.set('order', 'asc');
  parameters.set('limit', String(PAGE_ROWS));
  for (let last = 0; ; ) {
    parameters.set('after_id', String(last));
    const answer = await ask(client, 'GET', pathWith('/api/v1/exchanges', parameters), { signal });
    const rows = answerRows(answer, 'exchanges');
    const reached = numberOf(answerObject(answer), 'last_id');
    if (reached === null || (reached <= last && rows.length > 0))
      throw new UserError('strange-answer', 'the server does not say where its answer ends', {
        hint: 'is it older than this program?',
      });
    if (rows.length > 0) await hand(rows);
    last = reached;
    if (textOf(answerObject(answer), 'next') === null || signal.aborted) return String(last);
  }
}

function parsedRow(data: string): AnswerRow {
  try {
    return answerRow(JSON.parse(data));
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError('strange-answer', 'the server sent an event that is no JSON', { cause: error });
  }
}
