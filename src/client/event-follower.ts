import type { UserError } from '../model/errors.ts';
import { BACK_OFF_TIMES, BackOff, type BackOffTimes, waitMs } from './back-off.ts';
import { EventStream, type ServerEvent } from './event-stream.ts';
import type { OpenAnswer } from './one-request.ts';
import { retryAfterMs, type ServerResponse, verdictOf } from './server-response.ts';
import { ServerUnreachable } from './server-unreachable.ts';

export type { ServerEvent } from './event-stream.ts';

export interface EventsOptions {
  /** Ends it; it then resolves. */
  readonly signal: AbortSignal;
  /** Where to go on: the id of the last event known; empty: only what comes from now on. */
  readonly lastId?: string;
  /** Told when the connection was lost, with the reason, and (null) when it is there again. */
  readonly onState?: (problem: string | null) => void;
  /** Silence after which the connection counts as lost, ms (45,000): servers send a comment every 15 s. */
  readonly silenceMs?: number;
  readonly backOff?: BackOffTimes;
}

/** What the loop needs of the client. */
export interface FollowerClient {
  readonly failureOf: (response: ServerResponse) => UserError;
  readonly told: (error: unknown) => unknown;
  readonly shown: string;
}

/** Opens the stream; anything but 200 comes as a whole answer. */
export type OpenStream = (
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
) => Promise<OpenAnswer | ServerResponse>;

const SILENCE_MS = 45_000;

/**
 * Reads server-sent events. When the connection is lost it comes back with back-off and with `Last-Event-ID`, so that
 * nothing is missed that the server still has. While `onEvent` is busy, nothing more is read.
 *
 * @throws ServerUnreachable when the first connection fails: a wrong address must not look like silence
 * @throws UserError when the server refuses
 */
export async function followEvents(
  open: OpenStream,
  onEvent: (event: ServerEvent) => void | Promise<void>,
  options: EventsOptions,
  client: FollowerClient,
): Promise<void> {
  const { signal, onState } = options;
  const backOff = new BackOff(options.backOff ?? BACK_OFF_TIMES);
  let lastId = options.lastId ?? '';
  let begun = false;
  while (!signal.aborted) {
    let problem: string;
    let atLeastMs = 0;
    try {
      const opened = await open(lastId === '' ? {} : { 'last-event-id': lastId }, signal);
      if ('status' in opened) {
        const verdict = verdictOf(opened);
        if (!begun || verdict === 'refused' || verdict === 'denied') throw client.failureOf(opened);
        problem = client.failureOf(opened).message;
        atLeastMs = retryAfterMs(opened) ?? 0;
      } else {
        if (begun) onState?.(null);
        begun = true;
        const stream = new EventStream(lastId);
        try {
          await readEvents(opened, stream, onEvent, options, () => backOff.succeeded());
        } finally {
          lastId = stream.lastId;
        }
        problem = `${client.shown} ended the stream`;
        atLeastMs = stream.retryMs ?? 0;
      }
    } catch (error) {
      if (signal.aborted) return;
      const told = client.told(error);
      if (!begun || !(told instanceof ServerUnreachable)) throw told;
      problem = told.message;
    }
    if (signal.aborted) return;
    onState?.(problem);
    await waitMs(backOff.next(atLeastMs), signal);
  }
}

async function readEvents(
  { message, release }: OpenAnswer,
  stream: EventStream,
  onEvent: (event: ServerEvent) => void | Promise<void>,
  { signal, silenceMs = SILENCE_MS }: EventsOptions,
  onBytes: () => void,
): Promise<void> {
  const silent = new ServerUnreachable('timeout', `the server was silent for ${silenceMs / 1000} s`);
  let timer = setTimeout(() => message.destroy(silent), silenceMs);
  try {
    for await (const chunk of message as AsyncIterable<Buffer>) {
      clearTimeout(timer);
      onBytes();
      for (const event of stream.push(chunk)) {
        const busy = onEvent(event);
        if (busy !== undefined) await busy;
        if (signal.aborted) return;
      }
      timer = setTimeout(() => message.destroy(silent), silenceMs);
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new ServerUnreachable('not-http', 'the server sent an event that is too large');
  } finally {
    clearTimeout(timer);
    release();
    message.destroy();
  }
}
