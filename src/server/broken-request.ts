import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';

/** What the HTTP parser and its clock refuse before there is a request. */
const KNOWN: Readonly<Record<string, readonly [status: number, code: string, sentence: string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'request-timeout', 'the request did not come in time'],
  HPE_HEADER_OVERFLOW: [431, 'headers-too-large', 'the header section is too large'],
};
const OTHERWISE = [400, 'bad-request', 'this is not a request that HTTP allows'] as const;

/** Answers what is no request on its bare connection, and closes it. Returns the code of the answer, for counting. */
export function answerBrokenRequest(error: Error & { code?: string }, socket: Socket): string {
  const [status, code, sentence] = KNOWN[error.code ?? ''] ?? OTHERWISE;
  if (error.code === 'ECONNRESET' || socket.destroyed) {
    socket.destroy();
    return 'connection-lost';
  }
  const body = JSON.stringify({ error: sentence, code });
  if (socket.writable) {
    socket.end(
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: application/json; charset=utf-8\r\n` +
        `Content-Length: ${Buffer.byteLength(body)}\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n${body}`,
    );
  }
  socket.destroySoon();
  return code;
}
