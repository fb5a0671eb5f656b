import type { HeaderField, Message, RequestMessage, ResponseMessage } from '../model/exchange.ts';
import type { Direction } from '../model/stream.ts';
import type { ValueReader, ValueWriter } from './values.ts';

/**
 * Messages as values. Fields are read in the order in which they are written: those of a literal are computed from the first
 * to the last. Written out twice, because an object that is put together of two takes ten times as long.
 */

export function writeRequest(to: ValueWriter, request: RequestMessage): void {
  writeMessage(to, request);
  to.text(request.method);
  to.text(request.target);
  to.text(request.host);
  to.text(request.userAgent);
}

export function readRequest(from: ValueReader): RequestMessage {
  return {
    version: from.text(),
    firstByteNs: from.next<number>(),
    lastByteNs: from.next<number | null>(),
    packet: from.next<number>(),
    capture: from.next<number>(),
    direction: from.next<Direction>(),
    startOffset: from.next<number>(),
    endOffset: from.next<number>(),
    sequence: from.next<number>(),
    acknowledges: from.next<number>(),
    headerBytes: from.next<number>(),
    bodyBytes: from.next<number>(),
    lostBytes: from.next<number>(),
    mediaType: from.textOrNull(),
    headers: readHeaders(from),
    method: from.text(),
    target: from.text(),
    host: from.textOrNull(),
    userAgent: from.textOrNull(),
  };
}

export function writeResponse(to: ValueWriter, response: ResponseMessage): void {
  writeMessage(to, response);
  to.put(response.status);
  to.text(response.reason);
}

export function readResponse(from: ValueReader): ResponseMessage {
  return {
    version: from.text(),
    firstByteNs: from.next<number>(),
    lastByteNs: from.next<number | null>(),
    packet: from.next<number>(),
    capture: from.next<number>(),
    direction: from.next<Direction>(),
    startOffset: from.next<number>(),
    endOffset: from.next<number>(),
    sequence: from.next<number>(),
    acknowledges: from.next<number>(),
    headerBytes: from.next<number>(),
    bodyBytes: from.next<number>(),
    lostBytes: from.next<number>(),
    mediaType: from.textOrNull(),
    headers: readHeaders(from),
    status: from.next<number | null>(),
    reason: from.text(),
  };
}

function writeMessage(to: ValueWriter, message: Message): void {
  const { headers } = message;
  to.text(message.version);
  to.put(message.firstByteNs);
  to.put(message.lastByteNs);
  to.put(message.packet);
  to.put(message.capture);
  to.put(message.direction);
  to.put(message.startOffset);
  to.put(message.endOffset);
  to.put(message.sequence);
  to.put(message.acknowledges);
  to.put(message.headerBytes);
  to.put(message.bodyBytes);
  to.put(message.lostBytes);
  to.text(message.mediaType);
  to.put(headers.length);
  for (const { name, value } of headers) {
    to.text(name);
    to.text(value);
  }
}

function readHeaders(from: ValueReader): HeaderField[] {
  const headers: HeaderField[] = [];
  for (let left = from.next<number>(); left > 0; left -= 1)
    headers.push({ name: from.text(), value: from.text() });
  return headers;
}
