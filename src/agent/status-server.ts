import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { EXPOSITION_TYPE } from '../metrics/exposition.ts';
import { UserError } from '../model/errors.ts';
import { type ListenAddress, listenText } from '../model/listen-address.ts';

/** How an agent is doing, for those who ask over HTTP. Texts are reasons, null: it is well. */
export interface StatusAnswers {
  /** Why the process should be ended: the capture does not turn any more. */
  unhealthy(): string | null;
  /** Why it is not ready: it does not capture, or the spool cannot be written. */
  unready(): string | null;
  /** Metrics as text for Prometheus. */
  metrics(): string;
}

export interface StatusServer {
  /** `http://127.0.0.1:9101` */
  readonly url: string;
  close(): Promise<void>;
}

/** Nobody asks with more. */
const HEADER_BYTES = 8 * 1024;
const CONNECTIONS = 64;
const REQUEST_MS = 5_000;

/**
 * Answers `GET /healthz`, `/readyz` and `/metrics`. Rejects with UserError when the address cannot be had.
 */
export async function startStatusServer(
  listen: ListenAddress,
  answers: StatusAnswers,
): Promise<StatusServer> {
  const server = createServer(
    {
      maxHeaderSize: HEADER_BYTES,
      requestTimeout: REQUEST_MS,
      headersTimeout: REQUEST_MS,
      keepAliveTimeout: REQUEST_MS,
      connectionsCheckingInterval: 1_000,
    },
    (request, response) => answer(request, response, answers),
  );
  server.maxConnections = CONNECTIONS;
  await listening(server, listen);
  // What goes wrong with one connection ends that connection.
  server.on('error', () => {});
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${listenText({ host: listen.host, port })}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function listening(server: Server, { host, port }: ListenAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException): void => {
      const taken = error.code === 'EADDRINUSE';
      reject(
        new UserError(
          'status-listen',
          taken
            ? `something listens on ${listenText({ host, port })} already`
            : `cannot listen on ${listenText({ host, port })}: ${error.message}`,
          { hint: "choose another address with --status-listen, or 'none'", cause: error },
        ),
      );
    };
    server.once('error', failed);
    server.listen({ host, port }, () => {
      server.off('error', failed);
      resolve();
    });
  });
}

function answer(request: IncomingMessage, response: ServerResponse, answers: StatusAnswers): void {
  const [path] = (request.url ?? '').split('?', 1);
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    end(response, 405, 'only GET and HEAD are answered\n', { allow: 'GET, HEAD' });
  } else if (path === '/healthz') told(response, answers.unhealthy());
  else if (path === '/readyz') told(response, answers.unready());
  else if (path === '/metrics') end(response, 200, answers.metrics(), { 'content-type': EXPOSITION_TYPE });
  else end(response, 404, 'there are /healthz, /readyz and /metrics\n');
}

function told(response: ServerResponse, reason: string | null): void {
  if (reason === null) end(response, 200, 'ok\n');
  else end(response, 503, `${reason}\n`);
}

function end(
  response: ServerResponse,
  status: number,
  text: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, {
    'content-type': 'text/plain; charset=utf-8',
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...headers,
  });
  response.end(text);
}
