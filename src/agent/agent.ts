import { performance } from 'node:perf_hooks';
import type { BackOffTimes } from '../client/back-off.ts';
import type { EventLog } from '../metrics/event-log.ts';
import type { Limits } from '../model/limits.ts';
import type { ListenAddress } from '../model/listen-address.ts';
import type { LiveSource } from '../model/live.ts';
import { agentMetrics, type MetricFacts } from './agent-metrics.ts';
import type { ReportFacts } from './agent-report.ts';
import { AgentSink, type ExchangeEncoder } from './agent-sink.ts';
import { Heartbeat } from './heartbeat.ts';
import type { Identity } from './identity.ts';
import { MemoryGuard } from './memory-guard.ts';
import { RefusedBatches } from './refused-batches.ts';
import { ShownExchange, type ShownOptions } from './shown-exchange.ts';
import type { Spool } from './spool/spool.ts';
import { type StatusServer, startStatusServer } from './status-server.ts';
import type { TokenSource } from './token.ts';
import { type UploadClient, Uploader } from './uploader.ts';

export interface AgentOptions extends ShownOptions {
  readonly identity: Identity;
  readonly version: string;
  readonly interfaces: readonly string[];
  readonly source: Pick<LiveSource, 'counters' | 'facts'>;
  /** Of the pipeline that runs; see MemoryGuard. */
  readonly limits: Limits;
  readonly encoder: ExchangeEncoder;
  readonly contentType: string;
  readonly batchRows: number;
  readonly batchMs: number;
  readonly spool: Spool;
  readonly spoolDirectory: string;
  readonly spoolLimitBytes: number;
  readonly client: UploadClient;
  readonly token: TokenSource;
  readonly backOff: BackOffTimes;
  readonly slowMs: number;
  readonly timeoutMs: number;
  readonly heartbeatMs: number;
  readonly maxMemoryBytes: number;
  readonly log: EventLog;
}

/** The capture turns a few times a second; longer than this without a turn, and something hangs. */
const STUCK_MS = 15_000;
/** Of --stop-timeout, kept for the last report. */
const MS_PER_S = 1000;

/** The parts of an agent behind the capture: sink, spool, uploader, heartbeat, status. */
export class Agent {
  readonly sink: AgentSink;
  readonly #options: AgentOptions;
  readonly #shown: ShownExchange;
  readonly #uploader: Uploader;
  readonly #heartbeat: Heartbeat;
  readonly #memory: MemoryGuard;
  readonly #started = new Date();
  #turnedMs = performance.now();
  #capturing = true;
  #status: StatusServer | null = null;

  constructor(options: AgentOptions) {
    this.#options = options;
    const { spool, client, token, identity, log } = options;
    this.#shown = new ShownExchange(options);
    this.sink = new AgentSink({
      encoder: options.encoder,
      append: (batch) => spool.append(batch),
      shown: (exchange) => this.#shown.of(exchange),
      batchRows: options.batchRows,
      batchMs: options.batchMs,
    });
    const refused = new RefusedBatches(options.spoolDirectory);
    this.#uploader = new Uploader({
      ...{ spool, client, token, identity, log, refused },
      contentType: options.contentType,
      backOff: options.backOff,
      slowMs: options.slowMs,
      timeoutMs: options.timeoutMs,
    });
    this.#heartbeat = new Heartbeat({
      client,
      log,
      facts: () => this.#report(),
      everyMs: options.heartbeatMs,
    });
    this.#memory = new MemoryGuard({ limits: options.limits, limitBytes: options.maxMemoryBytes, log });
  }

  /**
   * Begins to send. Rejects with UserError when `listen` cannot be had.
   *
   * @returns where the status is answered; null: nowhere
   */
  async start(listen: ListenAddress | null): Promise<string | null> {
    if (listen !== null) {
      this.#status = await startStatusServer(listen, {
        unhealthy: () => this.#unhealthy(),
        unready: () => this.#unready(),
        metrics: agentMetrics(this.#options.version, () => this.#metricFacts()),
      });
    }
    this.#uploader.start();
    this.#heartbeat.start();
    return this.#status?.url ?? null;
  }

  /** Between blocks of packets, a few times a second. */
  tick(): void {
    this.#turnedMs = performance.now();
    this.sink.tick();
    this.#memory.tick(this.#turnedMs);
  }

  /**
   * The capture has ended: what is gathered goes to the disk, and for `limitMs` to the server. The rest stays in the
   * spool for the next start.
   */
  async stop(limitMs: number): Promise<void> {
    this.#capturing = false;
    const endMs = performance.now() + limitMs;
    await this.sink.finish();
    const { spool } = this.#options;
    await spool.settled();
    await this.#uploader.stop(Math.max(0, endMs - performance.now()));
    await this.#heartbeat.stop();
    await spool.close();
    await this.#status?.close();
  }

  /** Ends `stop` early: what was not sent stays in the spool. */
  hurry(): void {
    this.#uploader.cut();
  }

  /** How many exchanges came, were sent, were lost and wait. */
  get totals(): { exchanges: number; sent: number; lost: number; waiting: number } {
    const { counts } = this.#options.spool;
    return {
      exchanges: this.sink.exchanges,
      sent: counts.sent,
      lost: counts.droppedFull + counts.droppedUnwritten + counts.damaged + counts.refused,
      waiting: counts.waitingRows,
    };
  }

  #unhealthy(): string | null {
    const stuckMs = performance.now() - this.#turnedMs;
    return this.#capturing && stuckMs > STUCK_MS
      ? `the capture has not turned for ${Math.round(stuckMs / MS_PER_S)} s`
      : null;
  }

  #unready(): string | null {
    if (!this.#capturing) return 'the capture has ended';
    const { failure } = this.#options.spool;
    if (failure !== null) return `the spool cannot be written: ${failure}`;
    return this.#unhealthy();
  }

  #report(): ReportFacts {
    const { identity, version, interfaces, spool, source } = this.#options;
    const { counts, failure } = spool;
    const { user, system } = process.cpuUsage();
    const unwritable = failure === null ? null : `the spool cannot be written: ${failure}`;
    return {
      ...{ identity, version, interfaces, started: this.#started },
      packets: this.#packets,
      packetsDropped: source.counters.dropped ?? 0,
      exchanges: this.sink.exchanges,
      exchangesSent: counts.sent,
      exchangesDropped: this.totals.lost,
      backlogBatches: counts.waitingBatches,
      backlogBytes: counts.waitingBytes,
      rssBytes: process.memoryUsage.rss(),
      cpuSeconds: (user + system) / 1e6,
      problem: this.#uploader.counts.problem ?? unwritable ?? this.#unhealthy(),
    };
  }

  #metricFacts(): MetricFacts {
    const { spool, source, spoolLimitBytes, maxMemoryBytes } = this.#options;
    const { dropped, ringBytes, ringUsedBytes } = source.counters;
    const upload = this.#uploader.counts;
    return {
      packets: this.#packets,
      packetsDropped: dropped,
      ringShare: ringBytes > 0 ? ringUsedBytes / ringBytes : null,
      exchanges: this.sink.exchanges,
      ownExchanges: this.#shown.own,
      spool: spool.counts,
      spoolLimitBytes,
      upload,
      secondsSinceStored: upload.storedMs === null ? null : (performance.now() - upload.storedMs) / MS_PER_S,
      memoryLimitBytes: maxMemoryBytes,
      timesAboveMemory: this.#memory.timesAbove,
      limitsShare: this.#memory.share,
      capturing: this.#capturing && this.#unhealthy() === null,
      spoolWritable: spool.failure === null,
    };
  }

  get #packets(): number {
    return this.#options.source.facts.reduce((sum, { packets }) => sum + packets, 0);
  }
}
