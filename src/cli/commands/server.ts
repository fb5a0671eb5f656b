import { createEventLog, type EventLog, type LogLevel } from '../../metrics/event-log.ts';
import { describeError, EXIT, UserError } from '../../model/errors.ts';
import { isLoopback, type ListenAddress } from '../../model/listen-address.ts';
import { SQL_LIMITS, startServer } from '../../server/server.ts';
import { openDuckDbStore } from '../../store/duckdb/open.ts';
import type { StoreEvent } from '../../store/duckdb/store-event.ts';
import { onHangUp } from '../hang-ups.ts';
import { defaultDataFolder } from '../server/data-folder.ts';
import { stopSignal } from '../server/stop-signals.ts';
import { type AccessFlags, checkAccess, readSmallFile, readTokens } from '../server/token-files.ts';

export interface ServerFlags extends AccessFlags {
  readonly listen?: ListenAddress;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly maxConnections?: number;
  readonly openMetrics?: boolean;
  readonly data?: string;
  /** Seconds; null: none. */
  readonly keep?: number | null;
  /** Bytes; null: none. */
  readonly keepSize?: number | null;
  /** Bytes. */
  readonly storeMemory?: number;
  /** ns */
  readonly sqlTimeout?: number;
  readonly sqlRows?: number;
  /** false: --no-sql */
  readonly sql: boolean;
  /** ns */
  readonly stopTimeout?: number;
  readonly logLevel?: LogLevel;
  readonly logFormat?: 'auto' | 'json' | 'text';
}

const LISTEN: ListenAddress = { host: '127.0.0.1', port: 8080 };
const KEPT_BYTES = 20e9;
const STOP_MS = 10_000;

/**
 * Runs the server until it is told to stop.
 *
 * @returns the exit code
 * @throws UserError when it cannot begin
 */
export async function server(flags: ServerFlags, version: string): Promise<number> {
  const listen = flags.listen ?? LISTEN;
  const tokens = readTokens(flags, process.env);
  checkAccess(listen, tokens, flags);
  const tls = readTls(flags);
  const log = openLog(flags);
  if (tokens.agent !== null && tokens.reader !== null && tokens.agent.overlaps(tokens.reader))
    log.warn({}, 'a token is good for agents and readers alike');
  const directory = flags.data ?? defaultDataFolder(process.env, process.getuid?.() === 0);
  // From here on a signal ends it in order, also while the database is opened.
  const stopped = stopSignal();
  const store = await openDuckDbStore({
    directory,
    ...(flags.storeMemory === undefined ? {} : { memoryBytes: flags.storeMemory }),
    maxAgeSeconds: flags.keep ?? null,
    maxBytes: flags.keepSize === undefined ? KEPT_BYTES : flags.keepSize,
    log: (event) => logStoreEvent(log, event),
  });
  try {
    const running = await startServer({
      store,
      log,
      version,
      listen,
      agentTokens: tokens.agent,
      readerTokens: tokens.reader,
      tls,
      openMetrics: flags.openMetrics === true,
      localOnly: isLoopback(listen.host) && tokens.reader === null,
      sql: flags.sql ? sqlLimits(flags) : null,
      limits: flags.maxConnections === undefined ? {} : { connections: flags.maxConnections },
    });
    log.info(
      { url: running.url, data: directory, tokens: tokenWords(tokens), version },
      'wirelens server listens',
    );
    onHangUp(() => renew(running, flags, listen, log));
    const signal = await stopped;
    log.info({ signal }, 'stopping');
    const finished = await running.close(flags.stopTimeout === undefined ? STOP_MS : flags.stopTimeout / 1e6);
    if (!finished) log.warn({}, 'requests that took too long were cut off');
  } finally {
    await store.close();
  }
  log.info({}, 'stopped');
  return EXIT.fine;
}

function openLog({ logFormat = 'auto', logLevel = 'info' }: ServerFlags): EventLog {
  const text = logFormat === 'text' || (logFormat === 'auto' && process.stderr.isTTY === true);
  return createEventLog({
    level: logLevel,
    format: text ? 'text' : 'json',
    name: 'server',
    write: (line) => process.stderr.write(line),
  });
}

function sqlLimits({ sqlRows, sqlTimeout }: ServerFlags) {
  return {
    rows: sqlRows ?? SQL_LIMITS.rows,
    milliseconds: sqlTimeout === undefined ? SQL_LIMITS.milliseconds : Math.ceil(sqlTimeout / 1e6),
  };
}

function readTls({ tlsCert, tlsKey }: ServerFlags) {
  if (tlsCert === undefined && tlsKey === undefined) return null;
  if (tlsCert === undefined || tlsKey === undefined)
    throw new UserError('tls', '--tls-cert and --tls-key belong together', { exitCode: EXIT.usage });
  return { cert: readSmallFile(tlsCert), key: readSmallFile(tlsKey) };
}

type Running = Awaited<ReturnType<typeof startServer>>;

/** What was valid stays valid when the new files cannot be used. */
function renew(running: Running, flags: ServerFlags, listen: ListenAddress, log: EventLog): void {
  try {
    const tokens = readTokens(flags, process.env);
    checkAccess(listen, tokens, flags);
    running.renew(tokens, readTls(flags));
    log.info({ tokens: tokenWords(tokens) }, 'tokens and certificate were read again');
  } catch (error) {
    const reason = error instanceof UserError ? describeError(error) : String(error);
    log.error({ reason }, 'the new tokens or certificate cannot be used; the old ones stay');
  }
}

function tokenWords({ agent, reader }: ReturnType<typeof readTokens>): string {
  const words = (what: string, count: number | undefined) =>
    `${what} ${count === undefined ? 'open' : count}`;
  return `${words('agents', agent?.size)}, ${words('readers', reader?.size)}`;
}

function logStoreEvent(log: EventLog, { level, code, message, facts = {} }: StoreEvent): void {
  log[level]({ code, ...facts }, message);
}
