import type { Agent, ClientRequest, IncomingMessage, RequestOptions } from 'node:http';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { ServerUnreachable } from './server-unreachable.ts';

/** What a request may take. All in ms. */
export interface RequestTimes {
  /** To be connected, the TLS handshake included. */
  readonly connectMs: number;
  /** From the whole request being sent to the answer's head. */
  readonly firstByteMs: number;
  /** Everything, the answer's body included; Infinity: no bound, for answers that never end. */
  readonly wholeMs: number;
}

export interface OneRequest {
  readonly tls: boolean;
  readonly options: RequestOptions;
  readonly agent: Agent;
  readonly body: Uint8Array | null;
  readonly times: RequestTimes;
  readonly signal: AbortSignal | undefined;
  /** The server's address as it may be shown. */
  readonly shown: string;
}

/** An answer whose head is there. `release` must be called when its body is read or not wanted. */
export interface OpenAnswer {
  readonly message: IncomingMessage;
  readonly release: () => void;
}

/**
 * Sends one request and resolves with the head of the answer. A connection of before that the server has closed in
 * the same moment is not a failure: the request goes out once more on a new one. Every request of ours may come twice.
 */
export async function openAnswer(one: OneRequest): Promise<OpenAnswer> {
  try {
    return await attempt(one);
  } catch (error) {
    if (!(error instanceof StaleConnection)) throw error;
    return attempt(one);
  }
}

/** A kept connection was closed by the server before it saw the request. */
class StaleConnection extends Error {}

function attempt({ tls, options, agent, body, times, signal, shown }: OneRequest): Promise<OpenAnswer> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason as Error);
      return;
    }
    const request = (tls ? httpsRequest : httpRequest)({ ...options, agent });
    let phase: NodeJS.Timeout | undefined;
    let answer: IncomingMessage | null = null;
    // Once there is an answer, who reads it must see the reason.
    const end = (reason: Error): void => {
      (answer ?? request).destroy(reason);
    };
    const limit = (ms: number, what: string): void => {
      clearTimeout(phase);
      if (Number.isFinite(ms)) phase = setTimeout(() => end(tooLong(what, ms, shown)), ms);
    };
    const whole = Number.isFinite(times.wholeMs)
      ? setTimeout(() => end(tooLong('to answer', times.wholeMs, shown)), times.wholeMs)
      : undefined;
    const abort = (): void => {
      end(signal?.reason as Error);
    };
    signal?.addEventListener('abort', abort, { once: true });
    const release = (): void => {
      clearTimeout(phase);
      clearTimeout(whole);
      signal?.removeEventListener('abort', abort);
    };
    // Waiting for one of the connections that are allowed at once is not waiting for the server.
    request.on('socket', () => limit(times.connectMs, 'to be reached'));
    onConnected(request, tls, () => clearTimeout(phase));
    request.on('finish', () => limit(times.firstByteMs, 'to begin its answer'));
    request.on('response', (message) => {
      clearTimeout(phase);
      answer = message;
      resolve({ message, release });
    });
    request.on('error', (error: NodeJS.ErrnoException) => {
      release();
      const stale = request.reusedSocket && (error.code === 'ECONNRESET' || error.code === 'EPIPE');
      reject(stale ? new StaleConnection() : error);
    });
    request.end(body ?? undefined);
  });
}

/** Calls back when the request has a connection that is ready for it; at once with a kept one. */
function onConnected(request: ClientRequest, tls: boolean, ready: () => void): void {
  request.on('socket', (socket) => {
    if (request.reusedSocket || !socket.connecting) ready();
    else socket.once(tls ? 'secureConnect' : 'connect', ready);
  });
}

function tooLong(what: string, ms: number, shown: string): ServerUnreachable {
  return new ServerUnreachable('timeout', `${shown} took longer than ${ms / 1000} s ${what}`);
}
