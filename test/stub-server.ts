import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { gunzipSync } from 'node:zlib';

/** What the stub does with the next request in place of an answer. */
export type Fault =
  | { readonly status: number; readonly headers?: Record<string, string>; readonly body?: string }
  /** Takes the request, does what it asks, and cuts the connection: the client cannot know. */
  | 'cut-after'
  | 'cut-before';

export interface StubUpload {
  readonly stream: string | undefined;
  readonly batch: number | undefined;
  readonly agent: string | undefined;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly rows: number;
  readonly body: { readonly columns: Readonly<Record<string, unknown>> };
}

export interface StubOptions {
  readonly token?: string;
  readonly tls?: { readonly key: string; readonly cert: string };
  readonly port?: number;
}

type Row = Record<string, string | number | null>;

/** A server as docs/server.md describes it, as far as clients notice, with faults on demand. Only for tests. */
export class StubServer {
  /** Ordered by id. */
  readonly rows: Row[] = [];
  /** Every upload that was stored, repeated ones left out. */
  readonly uploads: StubUpload[] = [];
  /** `METHOD path?query` of every request, in order. */
  readonly requests: string[] = [];
  readonly faults: ((request: IncomingMessage) => Fault | null | Promise<null>)[] = [];
  /** JSON answers by path, for questions that the stub does not understand. */
  readonly answers = new Map<string, unknown>();
  /** Bodies of POST /api/v1/sql. */
  readonly statements: unknown[] = [];
  readonly #batches = new Map<string, Set<number>>();
  readonly #sockets = new Set<Socket>();
  readonly #live = new Set<ServerResponse>();
  readonly #options: StubOptions;
  readonly #server;
  /** Rows of one page at most, so that paging is seen. */
  pageRows = 2000;
  repeated = 0;

  private constructor(options: StubOptions) {
    this.#options = options;
    const handle = (request: IncomingMessage, response: ServerResponse): void => {
      void this.#handle(request, response);
    };
    this.#server = options.tls === undefined ? createServer(handle) : createTlsServer(options.tls, handle);
    this.#server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
  }

  static async start(options: StubOptions = {}): Promise<StubServer> {
    const stub = new StubServer(options);
    await new Promise<void>((resolve) => stub.#server.listen(options.port ?? 0, '127.0.0.1', resolve));
    return stub;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `${this.#options.tls === undefined ? 'http' : 'https'}://127.0.0.1:${this.port}`;
  }

  get followers(): number {
    return this.#live.size;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Cuts all live streams. */
  cutLive(): void {
    for (const response of this.#live) response.socket?.destroy();
  }

  add(...rows: Row[]): void {
    for (const row of rows) {
      this.rows.push(row);
      for (const response of this.#live) response.write(eventOf(row));
    }
  }

  stored(stream: string): readonly number[] {
    return [...(this.#batches.get(stream) ?? [])].sort((a, b) => a - b);
  }

  forget(stream: string, batch: number): void {
    this.#batches.get(stream)?.delete(batch);
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://stub');
    this.requests.push(`${request.method} ${request.url}`);
    const fault = (await this.faults.shift()?.(request)) ?? null;
    if (fault === 'cut-before') {
      request.socket.destroy();
      return;
    }
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    if (fault !== null && fault !== 'cut-after') {
      response.writeHead(fault.status, { 'content-type': 'application/json', ...fault.headers });
      response.end(fault.body ?? JSON.stringify({ error: 'as the test wants it', code: 'a-fault' }));
      return;
    }
    const { token } = this.#options;
    if (token !== undefined && request.headers.authorization !== `Bearer ${token}`) {
      send(response, 401, { error: 'wrong token', code: 'wrong-token' });
      return;
    }
    const answer = this.#answer(request, response, url, Buffer.concat(chunks));
    if (fault === 'cut-after') request.socket.destroy();
    else if (answer !== null) send(response, answer.status, answer.body);
  }

  #answer(
    request: IncomingMessage,
    response: ServerResponse,
    url: URL,
    body: Buffer,
  ): { status: number; body: unknown } | null {
    const { pathname, searchParams } = url;
    if (this.answers.has(pathname)) {
      if (request.method === 'POST') this.statements.push(JSON.parse(body.toString()));
      return { status: 200, body: this.answers.get(pathname) };
    }
    if (pathname === '/api/v1/upload') return { status: 200, body: this.#store(request, body) };
    const stream = /^\/api\/v1\/upload\/streams\/([\w.-]+)$/.exec(pathname);
    if (stream !== null) return { status: 200, body: this.#state(stream[1]) };
    if (pathname === '/api/v1/exchanges') return { status: 200, body: this.#page(searchParams) };
    if (pathname === '/api/v1/live') {
      this.#follow(request, response);
      return null;
    }
    return { status: 404, body: { error: 'there is no such thing', code: 'not-found' } };
  }

  #store(request: IncomingMessage, body: Buffer): unknown {
    const { headers } = request;
    const decoded = JSON.parse(gunzipSync(body).toString()) as {
      rows: number;
      columns: Record<string, unknown>;
    };
    const stream = headers['x-wirelens-stream'] as string | undefined;
    const batch = headers['x-wirelens-batch'] === undefined ? undefined : Number(headers['x-wirelens-batch']);
    if (stream !== undefined && batch !== undefined) {
      const batches = this.#batches.get(stream) ?? new Set();
      this.#batches.set(stream, batches);
      if (batches.has(batch)) {
        this.repeated += 1;
        return { stored: 0, joined: 0, repeated_rows: 0, repeated: true };
      }
      batches.add(batch);
    }
    const agent = headers['x-wirelens-agent'] as string | undefined;
    this.uploads.push({ stream, batch, agent, headers, rows: decoded.rows, body: decoded });
    return { stored: decoded.rows, joined: 0, repeated_rows: 0, repeated: false };
  }

  #state(stream: string): unknown {
    const numbers = this.stored(stream);
    const last = numbers.at(-1) ?? 0;
    const has = new Set(numbers);
    const missing: [number, number][] = [];
    for (let number = 1; number < last; number += 1) {
      if (has.has(number)) continue;
      const open = missing.at(-1);
      if (open !== undefined && open[1] === number - 1) open[1] = number;
      else missing.push([number, number]);
    }
    return { last, missing };
  }

  #page(parameters: URLSearchParams): unknown {
    const sort = parameters.get('sort') === 'id' ? 'id' : 'started_us';
    const sign = parameters.get('order') === 'asc' ? 1 : -1;
    const address = parameters.get('address');
    const matching = this.rows
      .filter((row) => address === null || row.client === address || row.server === address)
      .filter((row) => Number(row.id) > Number(parameters.get('after_id') ?? 0))
      .sort((a, b) => sign * (Number(a[sort]) - Number(b[sort]) || Number(a.id) - Number(b.id)));
    const from = Number(parameters.get('cursor') ?? 0);
    const count = Math.min(Number(parameters.get('limit') ?? 100), this.pageRows);
    const more = from + count < matching.length;
    const exchanges = matching.slice(from, from + count);
    const newest = Math.max(0, ...this.rows.map(({ id }) => Number(id)));
    const last_id = more ? Number(exchanges.at(-1)?.id) : newest;
    return { exchanges, next: more ? String(from + count) : null, last_id };
  }

  #follow(request: IncomingMessage, response: ServerResponse): void {
    const lastId = request.headers['last-event-id'];
    const newest = Number(this.rows.at(-1)?.id ?? 0);
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(`retry: 20\nid: ${lastId ?? newest}\n\n`);
    if (lastId !== undefined)
      for (const row of this.rows) if (Number(row.id) > Number(lastId)) response.write(eventOf(row));
    this.#live.add(response);
    response.on('close', () => this.#live.delete(response));
  }
}

function eventOf(row: Row): string {
  return `event: exchange\nid: ${row.id}\ndata: ${JSON.stringify(row)}\n\n`;
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

/** An exchange as a server answers it. */
export function storedRow(id: number, more: Row = {}): Row {
  const startedUs = 1_795_246_920_000_000 + id * 1_000_000;
  return {
    id,
    started: `${new Date(startedUs / 1000).toISOString().slice(0, -1)}000Z`,
    started_us: startedUs,
    started_ns: 0,
    connection_id: 1,
    position: id,
    client: '10.244.0.5',
    client_port: 41_002,
    server: '10.244.1.7',
    server_port: 8080,
    method: 'GET',
    host: 'shop.test',
    target: `/cart/${id}`,
    path: `/cart/${id}`,
    route: '/cart/{id}',
    http_version: '1.1',
    response_http_version: '1.1',
    status: 200,
    reason: 'OK',
    outcome: 'complete',
    ending: null,
    pairing: 'exact',
    connect_ms: null,
    send_ms: 0.25,
    wait_ms: 12.5,
    receive_ms: 1.5,
    total_ms: 14.25,
    request_header_bytes: 80,
    request_body_bytes: 0,
    response_header_bytes: 120,
    response_body_bytes: 1000,
    uid: id.toString(16).padStart(16, '0'),
    agent: 'node-a',
    node: 'node-a',
    pod: null,
    namespace: null,
    ...more,
  };
}
