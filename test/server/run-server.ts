import { createEventLog } from '../../src/metrics/event-log.ts';
import { type RunningServer, type ServerOptions, startServer } from '../../src/server/server.ts';
import { TokenSet } from '../../src/server/tokens.ts';
import { RowBatchBuilder } from '../../src/transfer/batch-builder.ts';
import { encodeBatch } from '../../src/transfer/encode-batch.ts';
import { MemoryStore } from './memory-store.ts';

export const AGENT_TOKEN = 'agent-token-0123456789';
export const READER_TOKEN = 'reader-token-0123456789';

export interface TestServer {
  readonly url: string;
  readonly store: MemoryStore;
  readonly running: RunningServer;
  /** Lines that it logged. */
  readonly log: readonly string[];
  /** `body` of an object is sent as JSON. */
  ask(method: string, path: string, options?: AskOptions): Promise<Answer>;
}

export interface AskOptions {
  readonly token?: string | null;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array | object;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: answers are what is tested
  readonly json: any;
}

/** A server on a free port of this machine with a store in memory and a token of each kind. */
export async function runServer(options: Partial<ServerOptions> = {}): Promise<TestServer> {
  const store = new MemoryStore();
  const log: string[] = [];
  const running = await startServer({
    store,
    log: createEventLog({ level: 'debug', format: 'json', name: 'server', write: (line) => log.push(line) }),
    version: '0.1.0',
    listen: { host: '127.0.0.1', port: 0 },
    agentTokens: TokenSet.parse(AGENT_TOKEN, 'test'),
    readerTokens: TokenSet.parse(READER_TOKEN, 'test'),
    ...options,
  });
  return { url: running.url, store, running, log, ask: (...args) => ask(running.url, ...args) };
}

export async function ask(
  url: string,
  method: string,
  path: string,
  options: AskOptions = {},
): Promise<Answer> {
  const { token = tokenFor(method, path), headers = {}, body } = options;
  const isPlain = body === undefined || typeof body === 'string' || body instanceof Uint8Array;
  const answer = await fetch(url + path, {
    method,
    headers: {
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: (isPlain ? body : JSON.stringify(body)) as never }),
  });
  const text = await answer.text();
  return { status: answer.status, headers: answer.headers, text, json: parsed(text) };
}

function tokenFor(method: string, path: string): string {
  const ofAgents =
    path.startsWith('/api/v1/upload') || (method === 'PUT' && path.startsWith('/api/v1/agents'));
  return ofAgents ? AGENT_TOKEN : READER_TOKEN;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A row with everything that must be there. */
export function exchangeRow(changes: Readonly<Record<string, string | number | null>> = {}) {
  return {
    started_us: 1_795_246_920_000_000,
    started_ns: 0,
    connection_id: 1,
    position: 1,
    client: '10.0.0.1',
    client_port: 40_000,
    server: '10.0.0.2',
    server_port: 80,
    method: 'GET',
    host: 'shop.example',
    target: '/cart?id=1',
    path: '/cart',
    route: '/cart',
    http_version: '1.1',
    response_http_version: '1.1',
    status: 200,
    reason: 'OK',
    outcome: 'complete',
    ending: null,
    pairing: 'exact',
    send_ms: 0.25,
    wait_ms: 12.5,
    receive_ms: 1,
    total_ms: 13.75,
    request_header_bytes: 100,
    request_body_bytes: 0,
    response_header_bytes: 150,
    response_body_bytes: 850,
    request_retransmissions: 0,
    response_retransmissions: 0,
    request_out_of_order: 0,
    response_out_of_order: 0,
    client_zero_windows: 0,
    server_zero_windows: 0,
    anomaly_count: 0,
    places: 1,
    uid: '00000001000000ff',
    ...changes,
  };
}

/** The gzip'd body of an upload. */
export function batchBody(rows: readonly ReturnType<typeof exchangeRow>[]): Buffer {
  const builder = new RowBatchBuilder();
  for (const row of rows) builder.add(row);
  return encodeBatch(builder.take());
}

export const BATCH_HEADERS = {
  'content-type': 'application/vnd.wirelens.batch+json',
  'content-encoding': 'gzip',
  'x-wirelens-agent': 'node-1',
};
