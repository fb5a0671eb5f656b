import { Ledger } from '../model/ledger.ts';
import type { Limits } from '../model/limits.ts';
import {
  type LiveCounters,
  type LiveDriver,
  type LiveNotice,
  type LiveSource,
  unknownCounters,
} from '../model/live.ts';
import { type CaptureFacts, emptyPacket, type RunClock } from '../model/packet.ts';
import { packError, unpackError } from '../model/sent-error.ts';
import { type ExchangeSink, feedSinks, type RunRecord } from '../model/sink.ts';
import { Inbox } from './inbox.ts';
import { added, MergedFacts } from './merged-facts.ts';
import type { FromWorker, ToWorker, WorkerReport, WorkerSettings } from './messages.ts';
import { BATCHES_UNDER_WAY } from './outbox.ts';
import { type PackedBatch, readBatch } from './packed-batch.ts';

/** The main thread's end of the line to a worker: a Worker, or what a test puts there. */
export interface CrewPort {
  postMessage(message: ToWorker): void;
  on(event: 'message', listener: (message: FromWorker) => void): unknown;
  on(event: 'error', listener: (error: unknown) => void): unknown;
  /** The worker has ended. */
  on(event: 'exit', listener: () => void): unknown;
}

export interface CrewOptions {
  readonly workers: number;
  /** Its limits may change on the way, and are those of all workers together. */
  readonly settings: Omit<WorkerSettings, 'epochSeconds'>;
  readonly clock: RunClock;
  readonly onNotice: (notice: LiveNotice) => void;
  /** Starts a worker. */
  readonly start: (settings: WorkerSettings) => CrewPort;
  /** Milliseconds of a clock that never goes back. */
  readonly nowMs: () => number;
}

/** The same notice of another worker within this time is the same thing that happened. */
const SAME_NOTICE_MS = 5_000;

interface Member {
  readonly port: CrewPort;
  ended: boolean;
  /** Messages that nobody has looked at. */
  readonly messages: FromWorker[];
  /** null before the first. */
  counters: LiveCounters | null;
  ledger: WorkerReport['ledger'] | null;
}

/**
 * Several threads that capture the same interfaces, each a share of the connections (PACKET_FANOUT by flow), with rings of
 * their own: capture, decoding and matching run beside each other, and exchanges come together here.
 *
 *     kernel ─┬─► worker: ring ─► pipeline ─► Outbox ─┐
 *             └─► worker: ring ─► pipeline ─► Outbox ─┴─► Inbox ─► sinks
 *
 * As a LiveSource it has no packets of its own; `run` feeds the sinks.
 */
export class WorkerCrew implements LiveSource {
  driver: LiveDriver = 'afpacket';
  shortcomings: readonly string[] = [];
  readonly counters = unknownCounters();
  readonly packet = emptyPacket();
  /** Each worker marks what its own drops have touched. */
  onDrops: LiveSource['onDrops'] = null;
  readonly facts: readonly CaptureFacts[];
  readonly ledger = new Ledger();
  readonly #options: CrewOptions;
  readonly #members: readonly Member[];
  readonly #merged: MergedFacts;
  readonly #inbox = new Inbox();
  readonly #told = new Map<string, { readonly worker: number; readonly ms: number }>();
  #wake: (() => void) | null = null;
  #stopped = false;
  /** What the workers have of the limits. */
  #share: Limits;

  /**
   * Opens the first worker, whose group the others join, and lets packets in when all have opened: all that come after this
   * resolves are taken. Rejects with what a worker rejects with.
   */
  static async open(options: CrewOptions): Promise<WorkerCrew> {
    // Times are counted from here, for there is no first packet that all know.
    options.clock.epochSeconds = Math.floor(Date.now() / 1000);
    const { epochSeconds } = options.clock;
    const members: Member[] = [];
    const { capture } = options.settings;
    const limits = shareOf(options.settings.limits, options.workers);
    const start = (fanoutGroup: number | 'new'): Member => {
      const member = memberOf(
        options.start({
          ...options.settings,
          ...{ capture: { ...capture, fanoutGroup }, limits, epochSeconds },
        }),
      );
      members.push(member);
      return member;
    };
    try {
      const first = await said('opened', start(capture.fanoutGroup));
      const others = Array.from({ length: options.workers - 1 }, () =>
        said('opened', start(first.fanoutGroup)),
      );
      const all = [first, ...(await Promise.all(others))];
      for (const { port } of members) port.postMessage({ kind: 'begin' });
      await Promise.all(members.map((member) => said('begun', member)));
      return new WorkerCrew(options, members, all);
    } catch (error) {
      await Promise.all(members.map(dismissed));
      throw error;
    }
  }

  private constructor(options: CrewOptions, members: readonly Member[], all: readonly Opened[]) {
    this.#options = options;
    this.#members = members;
    const [{ driver, shortcomings, facts }] = all;
    this.driver = driver;
    this.shortcomings = shortcomings;
    this.#share = shareOf(options.settings.limits, members.length);
    this.#merged = new MergedFacts(facts);
    this.facts = [this.#merged.facts];
    all.forEach((one, worker) => {
      members[worker].counters = one.counters;
      this.#merged.take(worker, one.facts);
    });
    this.#count();
    for (const { port } of members) {
      port.on('message', () => this.#wake?.());
      port.on('exit', () => this.#wake?.());
    }
  }

  get stopped(): boolean {
    return this.#stopped;
  }

  get nowNs(): number | null {
    const { epochSeconds } = this.#options.clock;
    const { lastNs } = this.#merged.facts;
    if (lastNs === null || epochSeconds === null) return null;
    return Math.max(lastNs, (Date.now() - epochSeconds * 1000) * 1e6);
  }

  next(): boolean {
    return false;
  }

  /** Resolves when a worker has sent something, and at least every `tickMs`. False: all have ended. */
  async more(): Promise<boolean> {
    if (this.#members.every(({ ended, messages }) => ended && messages.length === 0)) return false;
    if (this.#members.some(({ messages }) => messages.length > 0)) {
      // Keys, timers and signals get their turn.
      await new Promise((resolve) => setImmediate(resolve));
      return true;
    }
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      timer = setTimeout(resolve, this.#options.settings.capture.tickMs);
    });
    clearTimeout(timer);
    this.#wake = null;
    return true;
  }

  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    for (const { port, ended } of this.#members) if (!ended) port.postMessage({ kind: 'stop' });
  }

  async close(): Promise<void> {
    await Promise.all(this.#members.map(dismissed));
  }

  /** Feeds the sinks until all workers have ended. `onProgress`: called between batches, a few times a second at least. */
  run(sinks: readonly ExchangeSink[], onProgress: () => void): Promise<RunRecord> {
    const run: RunRecord = { clock: this.#options.clock, captures: this.facts, ledger: this.ledger };
    return feedSinks(run, sinks, async () => {
      do {
        this.#members.forEach((member, worker) => {
          for (const message of member.messages.splice(0)) this.#take(worker, message, sinks);
        });
        this.#count();
        this.#passLimits();
        for (const sink of sinks) {
          const drained = sink.drain();
          if (drained !== null) await drained;
        }
        onProgress();
      } while (await this.more());
    });
  }

  #take(worker: number, message: FromWorker, sinks: readonly ExchangeSink[]): void {
    const member = this.#members[worker];
    switch (message.kind) {
      case 'opened':
      case 'begun':
        return;
      case 'notice':
        this.#tell(worker, message.notice);
        return;
      case 'failed':
        throw unpackError(message.error);
    }
    const { facts, counters, ledger } = message.report;
    member.counters = counters;
    member.ledger = ledger;
    this.#merged.take(worker, facts);
    if (message.kind !== 'batch') return;
    this.#give(worker, message.batch, sinks);
    if (!member.ended) member.port.postMessage({ kind: 'used' });
  }

  #give(worker: number, batch: PackedBatch, sinks: readonly ExchangeSink[]): void {
    const { exchanges, connections } = this.#inbox.take(worker, readBatch(batch), (number) =>
      this.#merged.interfaceNumber(worker, number),
    );
    for (const exchange of exchanges) for (const sink of sinks) sink.exchange(exchange);
    for (const connection of connections) for (const sink of sinks) sink.connection(connection);
  }

  #tell(worker: number, notice: LiveNotice): void {
    const ms = this.#options.nowMs();
    for (const [text, told] of this.#told) if (ms - told.ms >= SAME_NOTICE_MS) this.#told.delete(text);
    const told = this.#told.get(notice.text);
    if (told !== undefined && told.worker !== worker) return;
    this.#told.set(notice.text, { worker, ms });
    this.#options.onNotice(notice);
  }

  /** Who holds the limits may change them while the capture runs, as an agent does that takes too much memory. */
  #passLimits(): void {
    const limits = shareOf(this.#options.settings.limits, this.#members.length);
    const names = Object.keys(limits) as (keyof Limits)[];
    if (names.every((name) => limits[name] === this.#share[name])) return;
    this.#share = limits;
    for (const { port, ended } of this.#members) if (!ended) port.postMessage({ kind: 'limits', limits });
  }

  /** The sums of what the workers have counted. */
  #count(): void {
    const { counters, ledger } = this;
    const all = this.#members.flatMap((member) => (member.counters === null ? [] : [member.counters]));
    counters.received = all.reduce((sum: number | null, one) => added(sum, one.received), null);
    counters.dropped = all.reduce((sum: number | null, one) => added(sum, one.dropped), null);
    counters.freezes = all.reduce((sum: number | null, one) => added(sum, one.freezes), null);
    counters.loopbackCopies = all.reduce((sum, one) => sum + one.loopbackCopies, 0);
    counters.ringUsedBytes = all.reduce((sum, one) => sum + one.ringUsedBytes, 0);
    counters.ringBytes = all.reduce((sum, one) => sum + one.ringBytes, 0);
    ledger.become(this.#members.flatMap((member) => (member.ledger === null ? [] : [member.ledger])));
  }
}

/** Limits of what all connections together may take are divided. */
function shareOf(limits: Limits, workers: number): Limits {
  const share = (whole: number): number => Math.ceil(whole / workers);
  return {
    ...limits,
    connections: share(limits.connections),
    closedConnections: share(limits.closedConnections),
    pendingBytesTotal: share(limits.pendingBytesTotal),
    sightingHeldBytes: share(limits.sightingHeldBytes),
    fragmentedDatagrams: share(limits.fragmentedDatagrams),
    fragmentBytes: share(limits.fragmentBytes),
  };
}

type Opened = Extract<FromWorker, { kind: 'opened' }>;

function memberOf(port: CrewPort): Member {
  const member: Member = { port, ended: false, messages: [], counters: null, ledger: null };
  let isOver = false;
  port.on('message', (message) => {
    if (message.kind === 'ended' || message.kind === 'failed') isOver = true;
    member.messages.push(message);
  });
  port.on('error', (error) => {
    isOver = true;
    member.messages.push({ kind: 'failed', error: packError(error) });
  });
  port.on('exit', () => {
    member.ended = true;
    if (isOver) return;
    const error = new Error('a thread that captures has ended without a word');
    member.messages.push({ kind: 'failed', error: packError(error) });
  });
  return member;
}

/** Resolves when the worker has said this; rejects with why it cannot. */
function said<Kind extends FromWorker['kind']>(
  kind: Kind,
  { port, messages }: Member,
): Promise<Extract<FromWorker, { kind: Kind }>> {
  return new Promise((resolve, reject) => {
    const look = (): void => {
      for (const message of messages) {
        if (message.kind === 'failed') reject(unpackError(message.error));
        else if (message.kind === kind) resolve(message as Extract<FromWorker, { kind: Kind }>);
      }
    };
    port.on('message', look);
    port.on('error', look);
    port.on('exit', look);
    look();
  });
}

/** Tells the worker to end, takes what it still sends, and resolves when it has. */
function dismissed({ port, ended }: Member): Promise<void> {
  if (ended) return Promise.resolve();
  return new Promise((resolve) => {
    port.on('exit', resolve);
    // One that waits for room would never come to its end.
    port.on('message', ({ kind }) => {
      if (kind === 'batch') port.postMessage({ kind: 'used' });
    });
    for (let room = 0; room < BATCHES_UNDER_WAY; room += 1) port.postMessage({ kind: 'used' });
    port.postMessage({ kind: 'stop' });
  });
}
