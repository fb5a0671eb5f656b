import type { AddressInfo } from 'node:net';
import type { Server as TlsServer } from 'node:tls';
import type { EventLog } from '../metrics/event-log.ts';
import { EXIT, UserError } from '../model/errors.ts';
import { type ListenAddress, listenText } from '../model/listen-address.ts';
import type { ExchangeStore, SqlLimits } from '../store/exchange-store.ts';
import { type AppTls, createApp } from './app.ts';
import type { ServerContext } from './context.ts';
import { SERVER_LIMITS, type ServerLimits } from './limits.ts';
import { LiveFeed } from './live-feed.ts';
import { ServerMetrics } from './server-metrics.ts';
import type { TokenSet } from './tokens.ts';
import { Slots, UploadGate } from './upload-gate.ts';

export interface ServerOptions {
  /** Stays the caller's: it is closed by the caller, after the server. */
  readonly store: ExchangeStore;
  readonly log: EventLog;
  readonly version: string;
  readonly listen: ListenAddress;
  /** null: none is asked for. */
  readonly agentTokens: TokenSet | null;
  readonly readerTokens: TokenSet | null;
  readonly tls?: AppTls | null;
  /** `/metrics` without a token. */
  readonly openMetrics?: boolean;
  /** Answer to localhost and addresses only; see ServerContext.localOnly. */
  readonly localOnly?: boolean;
  /** null: no SQL of people. */
  readonly sql?: SqlLimits | null;
  readonly limits?: Partial<ServerLimits>;
  /** Unix time in ms; left out: the clock. */
  readonly nowMs?: () => number;
}

export interface RunningServer {
  /** `http://127.0.0.1:8080` */
  readonly url: string;
  /** New tokens and certificates, for connections and requests from now on. */
  renew(tokens: { agent: TokenSet | null; reader: TokenSet | null }, tls: AppTls | null): void;
  /**
   * Stops: not ready, takes no new connections, ends live streams, finishes what runs. After `timeoutMs` what still runs
   * is cut off. Resolves to whether everything was finished.
   */
  close(timeoutMs?: number): Promise<boolean>;
}

export const SQL_LIMITS: SqlLimits = Object.freeze({ rows: 10_000, milliseconds: 30_000 });
const STOP_MS = 10_000;
/** Idle connections are looked for so often while the server stops. */
const IDLE_CHECK_MS = 100;

/** Begins to listen. @throws UserError when the address cannot be had or the certificate is not usable */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { store, log, listen } = options;
  const limits = { ...SERVER_LIMITS, ...options.limits };
  const sql = options.sql === undefined ? SQL_LIMITS : options.sql;
  const metrics = new ServerMetrics(options.version);
  const context: ServerContext = {
    store,
    log,
    version: options.version,
    // An answer that takes as long as SQL may take is not idle.
    limits: { ...limits, idleMs: Math.max(limits.idleMs, (sql?.milliseconds ?? 0) + 15_000) },
    tokens: { agent: options.agentTokens, reader: options.readerTokens },
    metrics,
    gate: new UploadGate(limits.uploadsBytes),
    questions: new Slots(limits.questions, 'questions'),
    statements: new Slots(limits.statements, 'SQL statements'),
    feed: new LiveFeed({
      store,
      limits,
      onEvent: () => metrics.liveEvents.add(),
      onFailure: (error) => log.warn({ error }, 'a live stream ended'),
    }),
    sql,
    openMetrics: options.openMetrics === true,
    localOnly: options.localOnly === true,
    stopping: false,
    nowUs: () => Math.round((options.nowMs ?? Date.now)() * 1000),
  };
  const { tls = null } = options;
  const app = await made(context, tls);
  const { server } = app;
  server.maxConnections = limits.connections;
  server.on('drop', () => metrics.connectionsDropped.add());
  await app.ready();
  try {
    await app.listen({ host: listen.host, port: listen.port, backlog: 1024 });
  } catch (error) {
    context.feed.close();
    throw listenError(listen, error as NodeJS.ErrnoException);
  }
  const { port } = server.address() as AddressInfo;
  let closing: Promise<boolean> | null = null;
  return {
    url: `${tls === null ? 'http' : 'https'}://${listenText({ host: listen.host, port })}`,
    renew: (tokens, newTls) => {
      if (newTls !== null)
        (server as unknown as TlsServer).setSecureContext({ ...newTls, minVersion: 'TLSv1.2' });
      context.tokens.agent = tokens.agent;
      context.tokens.reader = tokens.reader;
    },
    close: (timeoutMs = STOP_MS) => {
      closing ??= stop(timeoutMs);
      return closing;
    },
  };

  async function stop(timeoutMs: number): Promise<boolean> {
    context.stopping = true;
    context.feed.close();
    const closed = app.close().then(() => true);
    // A connection that was busy when the stop began is idle later.
    const idle = setInterval(() => server.closeIdleConnections(), IDLE_CHECK_MS);
    let timer: NodeJS.Timeout | undefined;
    const cut = new Promise<boolean>((resolve) => {
      timer = setTimeout(() => {
        server.closeAllConnections();
        resolve(false);
      }, timeoutMs);
    });
    const finished = await Promise.race([closed, cut]);
    clearTimeout(timer);
    await closed;
    clearInterval(idle);
    return finished;
  }
}

async function made(context: ServerContext, tls: AppTls | null) {
  try {
    return await createApp(context, tls);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (tls !== null && (code?.startsWith('ERR_OSSL') || code?.startsWith('ERR_TLS')))
      throw new UserError('tls', 'the certificate and its key cannot be used', {
        hint: 'both must be PEM files that belong together',
        exitCode: EXIT.usage,
        cause: error,
      });
    throw error;
  }
}

const LISTEN_HINTS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program listens there; choose another port with --listen',
  EACCES: 'ports below 1024 need rights; choose another one with --listen',
  EADDRNOTAVAIL: 'this machine has no such address',
  ENOTFOUND: 'this name is not known',
};

function listenError(listen: ListenAddress, error: NodeJS.ErrnoException): UserError {
  const hint = LISTEN_HINTS[error.code ?? ''];
  return new UserError('listen', `cannot listen on ${listenText(listen)} (${error.code ?? error.message})`, {
    ...(hint === undefined ? {} : { hint }),
    cause: error,
  });
}
