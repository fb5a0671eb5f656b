import { UserError } from '../model/errors.ts';
import type { Connection, Exchange } from '../model/exchange.ts';
import type { CaptureFacts, RunClock } from '../model/packet.ts';
import type { ExchangeSink, RunRecord } from '../model/sink.ts';
import { loadEngine } from './engine.ts';
import { type RowCondition, SelectedRows } from './selected-rows.ts';
import { readingStore, type StoreFile } from './store-file.ts';
import { StoredConnections } from './stored-connections.ts';
import { StoredExchanges } from './stored-exchanges.ts';
import { findStoredInput, type Placement, type StoredInput, StoreFiles } from './stored-run.ts';

export type { RowCondition } from './selected-rows.ts';

export interface StoredReadingOptions {
  /** Gets the epoch before the first exchange is handed on: the earliest one of all runs. */
  readonly clock: RunClock;
  /** Only exchanges that meet it, and the connections that have one; null: all. */
  readonly where?: RowCondition | null;
  /** Lower-case names of header fields that the condition or a sink looks at. */
  readonly keptHeadersNeeded?: readonly string[];
  /** Called after every batch; `done` of `total` rows, by their numbers. */
  readonly onProgress?: (done: number, total: number) => void;
  /** When it turns true, reading stops and what was read is finished. */
  readonly stopped?: () => boolean;
}

/**
 * Takes what is known before the first exchange, and gives the sinks. `keptHeaders`: the header fields that were
 * kept in all files; null: not known.
 */
export type SinksOf = (
  captures: readonly CaptureFacts[],
  keptHeaders: readonly string[] | null,
) => readonly ExchangeSink[] | Promise<readonly ExchangeSink[]>;

/** Rows between two looks at the sinks. */
const BATCH_ROWS = 1_024;

/**
 * Reads what `analyze -o` wrote back into sinks: exchanges in the order of their numbers, each connection after
 * its last exchange with its final totals, then the run's record. What was stored comes back equal but for
 * places in the stream (startOffset, endOffset: -1) and `direction`, which follows the connection's client and
 * server. The ledger is that of the whole run, also when only some exchanges are selected.
 *
 * Parts of a rolled-over file (NAME-2.sqlite …) are put together. Several runs are read one after the other as
 * if they were one: numbers of exchanges, connections, captures and interfaces go on counting, times share the
 * earliest epoch, ledgers are added up.
 *
 * Holds one file in memory, the connections of which exchanges may still come, and a batch. Rejects with
 * UserError when a file is no store, of another version, damaged, or lacks a header field that is needed; the
 * sinks are aborted then.
 */
export async function readStoredExchanges(
  paths: readonly string[],
  sinks: readonly ExchangeSink[] | SinksOf,
  options: StoredReadingOptions,
): Promise<RunRecord> {
  let given: readonly ExchangeSink[] = typeof sinks === 'function' ? [] : sinks;
  const files = new StoreFiles(await loadEngine());
  try {
    const input = findStoredInput(files, paths);
    needHeaders(input, options.keptHeadersNeeded ?? []);
    options.clock.epochSeconds = input.epochSeconds;
    if (typeof sinks === 'function') given = await sinks(input.captures, keptInAll(input));
    await new StoredReading(files, input, given, options).readAll();
    const run: RunRecord = { clock: options.clock, captures: input.captures, ledger: input.ledger };
    for (const sink of given) await sink.finish(run);
    return run;
  } catch (error) {
    for (const sink of given) await sink.abort();
    throw error;
  } finally {
    files.close();
  }
}

function needHeaders({ runs }: StoredInput, needed: readonly string[]): void {
  for (const { run } of runs) {
    for (const { path, keptHeaders } of run.parts) {
      const missing = keptHeaders === null ? undefined : needed.find((name) => !keptHeaders.has(name));
      if (missing === undefined) continue;
      throw new UserError('header-not-kept', `the header field ${missing} was not kept in this file`, {
        place: { file: path },
        hint: `analyse the capture again with --keep-header ${missing}`,
      });
    }
  }
}

function keptInAll({ runs }: StoredInput): string[] | null {
  let common: string[] | null = null;
  for (const { run } of runs) {
    for (const { keptHeaders } of run.parts) {
      if (keptHeaders === null) return null;
      common = common === null ? [...keptHeaders] : common.filter((name) => keptHeaders.has(name));
    }
  }
  return common;
}

class StoredReading {
  readonly #files: StoreFiles;
  readonly #input: StoredInput;
  readonly #sinks: readonly ExchangeSink[];
  readonly #options: StoredReadingOptions;
  readonly #where: RowCondition | null;

  constructor(
    files: StoreFiles,
    input: StoredInput,
    sinks: readonly ExchangeSink[],
    options: StoredReadingOptions,
  ) {
    this.#files = files;
    this.#input = input;
    this.#sinks = sinks;
    this.#options = options;
    this.#where = options.where ?? null;
  }

  async readAll(): Promise<void> {
    const everyConnection = this.#where === null;
    for (const { run, placement } of this.#input.runs) {
      const connections = new StoredConnections(placement);
      for (const { path } of run.parts) {
        if (this.#stopped()) break;
        await this.#readPart(this.#files.open(path), placement, connections);
      }
      this.#ended(connections.left(everyConnection));
    }
  }

  async #readPart(file: StoreFile, placement: Placement, connections: StoredConnections): Promise<void> {
    const part = readingStore(file.path, () => new PartRows(file, placement, connections, this.#where));
    try {
      let more = true;
      while (more && !this.#stopped()) {
        const { exchanges, ended } = readingStore(file.path, () => part.batch());
        for (const exchange of exchanges) for (const sink of this.#sinks) sink.exchange(exchange);
        this.#ended(ended);
        more = part.more;
        await this.#pause(part.lastId + placement.exchangesBefore);
      }
    } finally {
      readingStore(file.path, () => part.finalize());
    }
  }

  #ended(connections: readonly Connection[]): void {
    for (const connection of connections) for (const sink of this.#sinks) sink.connection(connection);
  }

  #stopped(): boolean {
    return this.#options.stopped?.() === true;
  }

  /** Lets sinks, signals and workers have their turn. */
  async #pause(done: number): Promise<void> {
    for (const sink of this.#sinks) {
      const drained = sink.drain();
      if (drained !== null) await drained;
    }
    this.#options.onProgress?.(done, this.#input.lastExchange);
    await new Promise(setImmediate);
  }
}

/** The rows of one file: its exchanges, then the connections that are left. */
class PartRows {
  readonly #connections: StoredConnections;
  readonly #rows: SelectedRows;
  readonly #exchanges: StoredExchanges;
  readonly #rest: Generator<Connection, void, void>;
  #exchangesLeft = true;
  #connectionsLeft = true;

  constructor(
    file: StoreFile,
    placement: Placement,
    connections: StoredConnections,
    where: RowCondition | null,
  ) {
    this.#connections = connections;
    this.#rows = new SelectedRows(file, where);
    this.#exchanges = new StoredExchanges(file, placement);
    connections.begin(file);
    this.#rest = connections.rest(where === null);
  }

  /** False: the batches that follow are empty. */
  get more(): boolean {
    return this.#exchangesLeft || this.#connectionsLeft;
  }

  get lastId(): number {
    return this.#rows.lastId;
  }

  /** Selected exchanges among the next rows, and connections that came to their end with them or before. */
  batch(): { exchanges: Exchange[]; ended: Connection[] } {
    const exchanges: Exchange[] = [];
    const ended: Connection[] = [];
    for (let count = 0; count < BATCH_ROWS && this.more; count += 1) {
      if (this.#exchangesLeft) this.#exchangesLeft = this.#nextExchange(exchanges, ended);
      else this.#connectionsLeft = this.#nextConnection(ended);
    }
    return { exchanges, ended };
  }

  finalize(): void {
    this.#rest.return();
    this.#connections.end();
    this.#rows.finalize();
    this.#exchanges.finalize();
  }

  #nextExchange(into: Exchange[], ended: Connection[]): boolean {
    const rows = this.#rows;
    if (!rows.next()) return false;
    const connection = this.#connections.next(rows.connectionId, rows.selected, ended);
    if (rows.selected) into.push(this.#exchanges.exchange(rows.row(), connection));
    return true;
  }

  #nextConnection(ended: Connection[]): boolean {
    const next = this.#rest.next();
    if (next.done === true) return false;
    ended.push(next.value);
    return true;
  }
}
