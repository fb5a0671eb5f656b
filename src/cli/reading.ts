import { statSync } from 'node:fs';
import { openCaptures } from '../capture/open.ts';
import type { Filter } from '../filter/filter.ts';
import { KeptFields } from '../match/http1/kept-fields.ts';
import { EXIT, UserError } from '../model/errors.ts';
import { LIMITS, type Limits } from '../model/limits.ts';
import type { CaptureFacts, RunClock } from '../model/packet.ts';
import type { ExchangeSink, RunRecord } from '../model/sink.ts';
import { type Observers, runPipeline } from '../pipeline.ts';
import { matching } from '../report/selection.ts';
import { isStoreFile } from '../store/sqlite-magic.ts';
import { damageLines } from './closing.ts';
import { choosesPackets, packetSelection, separateWords } from './packet-selection.ts';
import { Progress } from './progress.ts';
import { StoppableSource } from './stoppable-source.ts';
import { type ColorChoice, type TerminalFacts, terminalFacts } from './terminal.ts';

/** Options that every command which reads exchanges has in common; see addInputOptions. */
export interface ReadingFlags {
  readonly read?: readonly string[];
  readonly packets?: number;
  readonly port?: readonly number[];
  /** See PacketFlags. */
  readonly packetFilter?: string;
  readonly host?: readonly string[];
  readonly net?: readonly string[];
  readonly keepHeader?: readonly string[];
  readonly checksums?: boolean;
  readonly reveal?: boolean;
  readonly where?: string;
  readonly maxConnections?: number;
  readonly quiet?: boolean;
  readonly progress: boolean;
  readonly color: ColorChoice;
  readonly debug?: boolean;
}

/** What sinks need to know before the first exchange comes. */
export interface ReadingContext {
  readonly clock: RunClock;
  /** Filled while packets are read; known from the beginning where a SQLite file is read. */
  readonly captures: readonly CaptureFacts[];
  readonly limits: Limits;
  readonly terminal: TerminalFacts;
  readonly version: string;
  /** Names of the header fields that exchanges keep; null: whatever the SQLite file holds. */
  readonly keptHeaders: readonly string[] | null;
  /** Every input is a file that is there as a whole, so that nobody waits for the first rows. */
  readonly fromFiles: boolean;
  /** Ends reading early; what is open comes out. */
  stop(): void;
}

/** Makes the sinks that exchanges go to; called once, before the first exchange. */
export type SinksOf = (context: ReadingContext) => readonly ExchangeSink[] | Promise<readonly ExchangeSink[]>;

export interface ReadingOptions extends Observers {
  /** What the command needs captures for: SQLite files are refused with this. `the packets` */
  readonly capturesFor?: string;
  readonly limits?: Partial<Limits>;
  /** Lower-case names of header fields that the command looks at beside those of --where. */
  readonly headers?: readonly string[];
  /** False: rows go to the terminal, where a progress line would be in the way. */
  readonly showProgress?: boolean;
  /** What goes on after the last packet, for the progress line. */
  readonly finishing?: string;
}

export interface Reading extends RunRecord {
  /** Reading was ended before the input was. */
  readonly stoppedEarly: boolean;
  /** The exchanges came out of SQLite files, so that no packet was seen. */
  readonly fromStore: boolean;
}

/**
 * Reads exchanges from captures, or from SQLite files that `analyze` wrote, into the sinks that `sinksOf` gives.
 * `--where` selects before the sinks.
 *
 * @throws UserError when the input cannot be used
 */
export async function readExchanges(
  files: readonly string[],
  flags: ReadingFlags,
  version: string,
  sinksOf: SinksOf,
  options: ReadingOptions = {},
): Promise<Reading> {
  const separated = separateWords(files, flags);
  const paths = [...(flags.read ?? []), ...separated.files];
  checkPaths(paths);
  const filter = flags.where === undefined ? null : await parsed(flags.where);
  const { expression } = separated;
  const parts: Parts = { paths, expression, flags, version, filter, sinksOf, options };
  return areStores(paths, options) ? readStores(parts) : readCaptures(parts);
}

/** Prints what is wrong with the captures; the exit code that follows from it. */
export function closeReading(run: RunRecord, flags: ReadingFlags): number {
  if (flags.quiet !== true)
    for (const line of damageLines(run.captures)) process.stderr.write(`wirelens: ${line}\n`);
  return run.captures.some((capture) => capture.damage !== null) ? EXIT.salvaged : EXIT.fine;
}

interface Parts {
  readonly paths: readonly string[];
  /** A packet filter as for tcpdump. */
  readonly expression: string | null;
  readonly flags: ReadingFlags;
  readonly version: string;
  readonly filter: Filter | null;
  readonly sinksOf: SinksOf;
  readonly options: ReadingOptions;
}

async function readCaptures(parts: Parts): Promise<Reading> {
  const { paths, expression, flags, version, filter, sinksOf, options } = parts;
  const accepts = await packetSelection(expression, flags);
  const limits = chosenLimits(flags, options);
  const clock: RunClock = { epochSeconds: null };
  const source = new StoppableSource(await openCaptures(paths, { clock, limits }));
  const release = stopOnSignals(source);
  const terminal = terminalFacts();
  const keepHeaders = [...new Set([...(flags.keepHeader ?? []), ...neededHeaders(filter, options)])];
  try {
    const given = await sinksOf({
      clock,
      captures: source.facts,
      limits,
      terminal,
      version,
      keptHeaders: new KeptFields(keepHeaders).names,
      fromFiles: paths.every(isRegularFile),
      stop: () => source.stop(),
    });
    const progress = startProgress(flags, terminal, options, plainBytes(paths));
    const sinks = given.map((sink) =>
      filter === null ? sink : matching((exchange) => filter.matches(exchange, clock), sink),
    );
    if (progress !== null) sinks.unshift(announcing(progress, options.finishing ?? 'finishing'));
    const run = await runPipeline(source, clock, sinks, {
      ports: flags.port === undefined ? null : new Set(flags.port),
      accepts,
      limits,
      reveal: flags.reveal === true,
      checksums: flags.checksums === true,
      keepHeaders,
      onProgress: () => progress?.update(source.facts),
      ...(flags.packets === undefined ? {} : { packetLimit: flags.packets }),
      ...observersOf(options),
    }).finally(() => progress?.clear());
    return { ...run, stoppedEarly: source.stopped, fromStore: false };
  } finally {
    release();
    await source.close();
  }
}

async function readStores(parts: Parts): Promise<Reading> {
  const { paths, expression, flags, version, filter, sinksOf, options } = parts;
  checkStoreFlags(flags, expression);
  const [{ readStoredExchanges }, { sqlFunctions }] = await Promise.all([
    import('../store/exchange-reader.ts'),
    import('../filter/sql-functions.ts'),
  ]);
  const clock: RunClock = { epochSeconds: null };
  const stopping = new Stopping();
  const release = stopOnSignals(stopping);
  const terminal = terminalFacts();
  const progress = startProgress(flags, terminal, options, null);
  const ports = flags.port === undefined ? null : new Set(flags.port);
  try {
    const run = await readStoredExchanges(
      paths,
      async (captures, keptHeaders) => {
        const given = await sinksOf({
          clock,
          captures,
          limits: chosenLimits(flags, options),
          terminal,
          version,
          keptHeaders,
          fromFiles: true,
          stop: () => stopping.stop(),
        });
        const sinks = given.map((sink) =>
          ports === null
            ? sink
            : matching(({ client, server }) => ports.has(client.port) || ports.has(server.port), sink),
        );
        if (progress !== null) sinks.unshift(announcing(progress, options.finishing ?? 'finishing'));
        return sinks;
      },
      {
        clock,
        where:
          filter === null
            ? null
            : { ...filter.sql(), prepare: (database) => database.register(sqlFunctions()) },
        keptHeadersNeeded: neededHeaders(filter, options),
        onProgress: (done, total) => progress?.rows(done, total),
        stopped: () => stopping.stopped,
      },
    );
    return { ...run, stoppedEarly: stopping.stopped, fromStore: true };
  } finally {
    progress?.clear();
    release();
  }
}

function neededHeaders(filter: Filter | null, { headers }: ReadingOptions): readonly string[] {
  return [...(headers ?? []), ...(filter?.headers ?? [])];
}

/** Something that can be told to end early. */
class Stopping {
  stopped = false;

  stop(): void {
    this.stopped = true;
  }
}

/** Options about packets mean nothing where there are none. */
function checkStoreFlags(flags: ReadingFlags, expression: string | null): void {
  const { packets, checksums, keepHeader, reveal } = flags;
  const given = [
    [packets !== undefined, '--packets'],
    [checksums === true, '--checksums'],
    [keepHeader !== undefined, '--keep-header'],
    [reveal === true, '--reveal'],
    [choosesPackets(expression, flags), 'a choice of packets (--host, --net, a packet filter)'],
  ] as const;
  for (const [isGiven, name] of given) {
    if (isGiven)
      throw usage(`${name} is about captures, and a SQLite file is read`, 'name the capture instead');
  }
}

function observersOf({ onPacket, onSegment, onSighting, tap }: Observers): Observers {
  return {
    ...(onPacket === undefined ? {} : { onPacket }),
    ...(onSegment === undefined ? {} : { onSegment }),
    ...(onSighting === undefined ? {} : { onSighting }),
    ...(tap === undefined ? {} : { tap }),
  };
}

async function parsed(text: string): Promise<Filter> {
  // Loaded only when asked for: most runs have no filter.
  const { parseFilter } = await import('../filter/filter.ts');
  return parseFilter(text);
}

function chosenLimits(flags: ReadingFlags, { limits }: ReadingOptions): Limits {
  return {
    ...LIMITS,
    ...limits,
    ...(flags.maxConnections === undefined ? {} : { connections: flags.maxConnections }),
  };
}

function usage(message: string, hint: string): UserError {
  return new UserError('usage', message, { hint, exitCode: EXIT.usage });
}

function checkPaths(paths: readonly string[]): void {
  if (paths.length === 0) throw usage('no file is named', 'name a capture, or - for standard input');
  if (paths.filter((path) => path === '-').length > 1)
    throw usage('standard input can be read only once', 'give - once');
  if (paths.includes('-') && process.stdin.isTTY) {
    throw usage('standard input is a terminal', 'pipe a capture into it: tcpdump -w - | wirelens analyze -');
  }
}

/** True when all are SQLite files, false when none is. */
function areStores(paths: readonly string[], { capturesFor }: ReadingOptions): boolean {
  const stores = paths.filter((path) => path !== '-' && isStoreFile(path));
  if (stores.length === 0) return false;
  if (capturesFor !== undefined) {
    throw usage(`${stores[0]} is a SQLite file, which does not hold ${capturesFor}`, 'name the capture');
  }
  if (stores.length < paths.length)
    throw usage('captures and SQLite files cannot be read together', 'name either captures or SQLite files');
  return true;
}

/** The first signal ends reading and everything read so far is reported; the second ends the process. */
export function stopOnSignals(source: { readonly stopped: boolean; stop(): void }): () => void {
  const stop = (): void => {
    if (source.stopped) process.exit(130);
    source.stop();
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  return () => {
    process.off('SIGINT', stop);
    process.off('SIGTERM', stop);
  };
}

function startProgress(
  flags: ReadingFlags,
  terminal: TerminalFacts,
  { showProgress }: ReadingOptions,
  totalBytes: number | null,
): Progress | null {
  if (!flags.progress || flags.quiet === true || !terminal.stderrIsTty || showProgress === false) return null;
  return new Progress({
    totalBytes,
    write: (text) => process.stderr.write(text),
    columns: process.stderr.columns ?? 80,
    now: () => performance.now(),
  });
}

/** A sink that only says when the last packet is through and the others finish. */
function announcing(progress: Progress, text: string): ExchangeSink {
  return {
    exchange() {},
    connection() {},
    drain: () => null,
    finish: async () => progress.phase(text),
    abort: async () => {},
  };
}

/** Size of all captures together; null where reading will not count in these bytes. */
function plainBytes(paths: readonly string[]): number | null {
  let bytes = 0;
  for (const path of paths) {
    const stat = path === '-' ? undefined : statSync(path, { throwIfNoEntry: false });
    if (stat === undefined || !stat.isFile()) return null;
    bytes += stat.size;
  }
  return bytes;
}

function isRegularFile(path: string): boolean {
  return path !== '-' && statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}
