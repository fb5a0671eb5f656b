import type { Exchange, HeaderField, Message } from '../../model/exchange.ts';
import { phasesOf, startNs } from '../../model/phases.ts';
import { rfc3339 } from '../../model/time-text.ts';
import { absoluteUrl, type NameValue, queryOf } from './har-url.ts';

/** Times in ms; -1: does not apply, or the packets do not show it. */
export interface HarTimings {
  readonly blocked: number;
  readonly dns: number;
  readonly connect: number;
  readonly send: number;
  readonly wait: number;
  readonly receive: number;
  readonly ssl: number;
}

const MEDIA_TYPE_UNKNOWN = 'x-unknown';
const UNKNOWN = -1;
const NO_COOKIES: readonly never[] = [];

/** An entry of HAR 1.2 (`log.entries`), with our own facts under names that begin with `_`. */
export type HarEntry = Readonly<Record<string, unknown>>;

export interface HarEntryFacts {
  readonly entry: HarEntry;
  /** When the entry begins, ns since the run's epoch: the order of entries. */
  readonly beginsNs: number;
}

/**
 * The entry of an exchange that has a request.
 *
 * An entry is one bar in a waterfall: its phases follow on each other without a break. So it begins when the
 * handshake would have begun if the request had followed it at once; `send`, `wait` and `receive` are then drawn
 * where they were. `_started` is the time of the request's first byte.
 */
export function harEntry(exchange: Exchange, epochSeconds: number | null): HarEntryFacts | null {
  const { request, response, connection } = exchange;
  if (request === null) return null;
  const phases = phasesOf(exchange);
  const { connectNs, sendNs, waitNs, receiveNs } = phases;
  const beginsNs = startNs(exchange) - (connectNs ?? 0);
  const knownNs = (connectNs ?? 0) + (sendNs ?? 0) + (waitNs ?? 0) + (receiveNs ?? 0);
  const entry = {
    startedDateTime: rfc3339(epochSeconds, Math.floor(beginsNs / 1000) * 1000, 6),
    time: knownNs / 1e6,
    request: {
      method: request.method,
      url: absoluteUrl(request, exchange.server),
      httpVersion: `HTTP/${request.version}`,
      cookies: NO_COOKIES,
      headers: headersOf(request, [
        ['host', request.host],
        ['user-agent', request.userAgent],
      ]),
      queryString: queryOf(request.target),
      headersSize: request.headerBytes,
      bodySize: request.bodyBytes,
      _target: request.target,
    },
    response: responseOf(exchange),
    cache: {},
    timings: timings(connectNs, sendNs, waitNs, receiveNs),
    serverIPAddress: exchange.server.address,
    connection: String(connection.id),
    _id: exchange.id,
    _started: rfc3339(epochSeconds, startNs(exchange), 9),
    _position: exchange.position,
    _client: exchange.client.text,
    _server: exchange.server.text,
    _outcome: exchange.outcome,
    _ending: exchange.ending,
    _pairing: exchange.pairing,
    _anomalies: exchange.anomalies,
    _interim: exchange.interim.map(({ status, timeNs }) => ({
      status,
      time: rfc3339(epochSeconds, timeNs, 9),
    })),
    _packets: {
      request: { capture: request.capture, packet: request.packet },
      response: response === null ? null : { capture: response.capture, packet: response.packet },
    },
    _lostBytes: { request: request.lostBytes, response: response?.lostBytes ?? 0 },
    _tcp: exchange.tcp,
  };
  return { entry, beginsNs };
}

const milliseconds = (ns: number | null): number => (ns === null ? UNKNOWN : ns / 1e6);

function timings(
  connectNs: number | null,
  sendNs: number | null,
  waitNs: number | null,
  receiveNs: number | null,
): HarTimings {
  return {
    blocked: UNKNOWN,
    dns: UNKNOWN,
    connect: milliseconds(connectNs),
    send: milliseconds(sendNs),
    wait: milliseconds(waitNs),
    receive: milliseconds(receiveNs),
    ssl: UNKNOWN,
  };
}

/** The fields kept of a message. Those that have a place of their own come first, unless they were kept twice. */
function headersOf(message: Message, placed: readonly (readonly [string, string | null])[]): NameValue[] {
  const kept = message.headers.map(({ name, value }: HeaderField) => ({ name, value }));
  const has = (name: string): boolean => kept.some((field) => field.name === name);
  const first: NameValue[] = [];
  for (const [name, value] of [...placed, ['content-type', message.mediaType] as const]) {
    if (value !== null && !has(name)) first.push({ name, value });
  }
  return [...first, ...kept];
}

function responseOf({ response, ending, outcome }: Exchange): HarEntry {
  if (response === null) {
    return {
      status: 0,
      statusText: '',
      httpVersion: '',
      cookies: NO_COOKIES,
      headers: [],
      content: { size: 0, mimeType: MEDIA_TYPE_UNKNOWN },
      redirectURL: '',
      headersSize: UNKNOWN,
      bodySize: UNKNOWN,
      // Where browsers put the reason of a failed request, so that they show it as one.
      _error: ending ?? outcome,
    };
  }
  return {
    status: response.status ?? 0,
    statusText: response.reason,
    httpVersion: `HTTP/${response.version}`,
    cookies: NO_COOKIES,
    headers: headersOf(response, []),
    content: { size: response.bodyBytes, mimeType: response.mediaType ?? MEDIA_TYPE_UNKNOWN },
    redirectURL: response.headers.find(({ name }) => name === 'location')?.value ?? '',
    headersSize: response.headerBytes,
    bodySize: response.bodyBytes,
  };
}
