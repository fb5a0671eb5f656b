import type { Exchange, RequestMessage, ResponseMessage } from '../model/exchange.ts';
import { connectNs, receiveNs, sendNs, startNs, totalNs, waitNs } from '../model/phases.ts';
import { counted, formatBytes, formatDuration } from './units.ts';

/** A phase is the reason when it takes at least this part of the total. */
const DOMINANT_SHARE = 0.5;
/** A response body of this size explains its own duration. */
const LARGE_BODY_BYTES = 1_000_000;

/**
 * Why an exchange was slow or failed, in one short phrase, as far as its packets show it: what went wrong
 * comes before what TCP did, and that before where the time went. null: the packets show no reason.
 *
 * @param captureEndNs time of the run's last packet, ns since its epoch; null while that is not known
 */
export function why(exchange: Exchange, captureEndNs: number | null): string | null {
  return failure(exchange, captureEndNs) ?? transport(exchange) ?? slowPhase(exchange);
}

/** Like `why`, but silent about exchanges that are merely slow: for lists in which most rows are fine. */
export function whyOdd(exchange: Exchange, captureEndNs: number | null): string | null {
  return failure(exchange, captureEndNs) ?? transport(exchange);
}

/** Why an exchange is in a list of failures: what went wrong, else what the server said and when. */
export function whyFailed(exchange: Exchange, captureEndNs: number | null): string | null {
  const odd = whyOdd(exchange, captureEndNs);
  if (odd !== null || exchange.response === null) return odd;
  const wait = waitNs(exchange);
  const after = wait === null ? '' : ` after ${formatDuration(wait)}`;
  return `server answered ${exchange.response.status}${after}`;
}

/** How long a request without an answer was seen waiting, in ns. */
export function waitedNs(exchange: Exchange, captureEndNs: number | null): number | null {
  const { request, connection } = exchange;
  if (request === null) return null;
  const from = request.lastByteNs ?? request.firstByteNs;
  const until = exchange.ending === 'capture-ended' ? (captureEndNs ?? connection.lastNs) : connection.lastNs;
  return Math.max(0, until - from);
}

/** What the exchange lacks and who is to blame; null for complete ones. */
function failure(exchange: Exchange, captureEndNs: number | null): string | null {
  const { request, response, outcome, tcp } = exchange;
  if (outcome === 'complete') return null;
  if (request === null) return withoutRequest(exchange);
  if (response !== null) return endingPhrase(exchange, whereBrokenOff(exchange, request, response));
  if (request.lastByteNs === null && request.lostBytes === 0) {
    return endingPhrase(exchange, 'before the request was sent whole');
  }
  const waited = waitedNs(exchange, captureEndNs);
  const ending = endingPhrase(
    exchange,
    waited === null ? 'without an answer' : `${formatDuration(waited)} after the request`,
  );
  if (tcp.requestRetransmissions === 0) return ending;
  return `request retransmitted ${times(tcp.requestRetransmissions)}, ${ending}`;
}

/** An answer alone: its request is missing, unless the capture holds everything that its client sent. */
function withoutRequest({ connection, client, position }: Exchange): string {
  const sent = client === connection.client ? connection.fromClient : connection.fromServer;
  if (connection.opening !== 'seen' || sent.gaps > 0) return 'the request is not in the capture';
  if (sent.payloadBytes === 0) return 'the client had sent nothing';
  return position === 1 ? 'what the client sent is no HTTP request' : 'no request waited for it';
}

/** Where an exchange with an answer broke off. Only where the answer came early may it have been in the request. */
function whereBrokenOff(exchange: Exchange, request: RequestMessage, response: ResponseMessage): string {
  const isAnswerCut = !exchange.anomalies.includes('early-response') || request.endOffset >= 0;
  if (!isAnswerCut && response.endOffset >= 0) return 'before the request was sent whole';
  // Both broke off, or it was read from a store, which does not say which of them did.
  if (!isAnswerCut) return 'before request and answer were whole';
  return response.bodyBytes > 0 ? `after ${formatBytes(response.bodyBytes)} of the body` : 'in the answer';
}

function endingPhrase(exchange: Exchange, when: string): string {
  switch (exchange.ending) {
    case 'reset-by-client':
      return `reset by the client ${when}`;
    case 'reset-by-server':
      return `reset by the server ${when}`;
    case 'closed-by-client':
      return `closed by the client ${when}`;
    case 'closed-by-server':
      return `closed by the server ${when}`;
    case 'capture-ended':
      return `capture ended ${when}`;
    case 'evicted':
      return `given up ${when}: more connections than the limit`;
    case 'lost-in-capture':
      return lostPhrase(exchange);
    case 'broken-framing':
      return 'the chunks of the body cannot be read';
    default:
      return `ended ${when}`;
  }
}

function lostPhrase(exchange: Exchange): string {
  const lost = (exchange.request?.lostBytes ?? 0) + (exchange.response?.lostBytes ?? 0);
  if (exchange.response === null) return 'the answer is missing in the capture';
  return lost > 0 ? `${formatBytes(lost)} missing in the capture` : 'the rest is missing in the capture';
}

/** What TCP and the order of messages did to the exchange; null when they were quiet. */
function transport(exchange: Exchange): string | null {
  const { connection, request, response, tcp } = exchange;
  const connect = connectNs(exchange);
  if (exchange.position === 1 && connection.synRetransmissions > 0) {
    const took = connect === null ? '' : `, connecting took ${formatDuration(connect)}`;
    return `SYN retransmitted ${times(connection.synRetransmissions)}${took}`;
  }
  const both = tcp.requestRetransmissions > 0 && tcp.responseRetransmissions > 0;
  if (both) {
    return `request retransmitted ${times(tcp.requestRetransmissions)}, response ${times(tcp.responseRetransmissions)}`;
  }
  if (tcp.requestRetransmissions > 0) return `request retransmitted ${times(tcp.requestRetransmissions)}`;
  if (tcp.responseRetransmissions > 0) return `response retransmitted ${times(tcp.responseRetransmissions)}`;
  if (tcp.clientZeroWindows > 0)
    return `client read slowly: its window closed ${times(tcp.clientZeroWindows)}`;
  if (tcp.serverZeroWindows > 0)
    return `server read slowly: its window closed ${times(tcp.serverZeroWindows)}`;
  const lost = (request?.lostBytes ?? 0) + (response?.lostBytes ?? 0);
  if (lost > 0) return `${formatBytes(lost)} missing in the capture`;
  if (exchange.anomalies.includes('pipelined')) return 'queued behind an earlier request (pipelined)';
  return null;
}

/** Which phase took most of the time; null when none did or the total is not known. */
function slowPhase(exchange: Exchange): string | null {
  const total = totalNs(exchange);
  if (total === null || total === 0) return null;
  const send = sendNs(exchange) ?? 0;
  const wait = waitNs(exchange) ?? 0;
  const receive = receiveNs(exchange) ?? 0;
  const least = total * DOMINANT_SHARE;
  if (send >= least) return slowSend(exchange, send);
  if (wait >= least) return `server took ${formatDuration(wait)} to answer`;
  if (receive >= least) return slowReceive(exchange, receive);
  return null;
}

function slowSend(exchange: Exchange, send: number): string {
  const goAhead = exchange.interim.find((interim) => interim.status === 100);
  const start = startNs(exchange);
  if (goAhead !== undefined && goAhead.timeNs - start >= send * DOMINANT_SHARE) {
    return `client waited ${formatDuration(goAhead.timeNs - start)} for 100 Continue`;
  }
  const bytes = exchange.request?.bodyBytes ?? 0;
  if (bytes === 0) return `slow sender: ${formatDuration(send)} for the head of the request`;
  return `slow sender: ${formatBytes(bytes)} of request body in ${formatDuration(send)}`;
}

function slowReceive(exchange: Exchange, receive: number): string {
  const bytes = exchange.response?.bodyBytes ?? 0;
  const size = bytes >= LARGE_BODY_BYTES ? 'large response' : 'slow response body';
  const rate = receive > 0 ? `, ${formatBytes((bytes * 1e9) / receive)}/s` : '';
  return `${size}: ${formatBytes(bytes)} in ${formatDuration(receive)}${rate}`;
}

function times(count: number): string {
  return count === 1 ? 'once' : count === 2 ? 'twice' : counted(count, 'time');
}
