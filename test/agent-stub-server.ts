import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';

/** How an upload is answered. `store`: as it should be. `forget`: stored, and the connection is cut before the answer. */
export type UploadAnswer =
  | 'store'
  | 'forget'
  | 'cut'
  | 'hang'
  | { readonly status: number; readonly body?: string; readonly headers?: Readonly<Record<string, string>> };

export interface Upload {
  readonly stream: string;
  readonly number: number;
  readonly headers: IncomingMessage['headers'];
  /** Of the batch, uncompressed. */
  readonly text: string;
}

/** A server that does what the contract says of uploads and reports, and fails as it is told to. */
export class AgentStubServer {
  /** Every upload that arrived, in order. */
  readonly uploads: Upload[] = [];
  /** Text by stream and number: what is stored. */
  readonly stored = new Map<string, string>();
  readonly reports: Record<string, unknown>[] = [];
  /** How the next uploads are answered; when it is empty, `usual`. */
  readonly plan: UploadAnswer[] = [];
  usual: UploadAnswer = 'store';
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(port = 0): Promise<AgentStubServer> {
    const server = createServer();
    const stub = new AgentStubServer(server);
    server.on('request', (request, response) => void stub.#take(request, response));
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', resolve);
    });
    return stub;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const pieces: Buffer[] = [];
    try {
      for await (const piece of request) pieces.push(piece as Buffer);
    } catch {
      return;
    }
    const body = Buffer.concat(pieces);
    if (request.method === 'PUT') {
      this.reports.push({
        agent: decodeURIComponent(request.url?.split('/').at(-1) ?? ''),
        ...(JSON.parse(body.toString()) as object),
      });
      response.writeHead(204).end();
      return;
    }
    this.#upload(request, response, body);
  }

  #upload({ headers }: IncomingMessage, response: ServerResponse, body: Buffer): void {
    const stream = String(headers['x-wirelens-stream']);
    const number = Number(headers['x-wirelens-batch']);
    const text = gunzipSync(body).toString();
    this.uploads.push({ stream, number, headers, text });
    const answer = this.plan.shift() ?? this.usual;
    if (answer === 'hang') return;
    if (answer === 'cut') {
      response.destroy();
      return;
    }
    if (typeof answer === 'object') {
      response.writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers });
      response.end(answer.body ?? JSON.stringify({ error: 'it was planned', code: 'planned' }));
      return;
    }
    const key = `${stream} ${number}`;
    const repeated = this.stored.has(key);
    if (repeated && this.stored.get(key) !== text) throw new Error(`${key} stands for two batches`);
    this.stored.set(key, text);
    if (answer === 'forget') response.destroy();
    else response.end(JSON.stringify({ stored: repeated ? 0 : 1, joined: 0, repeated }));
  }
}
