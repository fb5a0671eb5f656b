import { readFileSync } from 'node:fs';
import { Agent } from '../../agent/agent.ts';
import { Spool } from '../../agent/spool/spool.ts';
import { fixedToken, type TokenSource, tokenFile } from '../../agent/token.ts';
import { BATCHES_AT_ONCE } from '../../agent/uploader.ts';
import { steadyMemory } from '../../capture/live/steady-memory.ts';
import { ServerClient } from '../../client/server-client.ts';
import type { EventLog } from '../../metrics/event-log.ts';
import { EXIT, UserError } from '../../model/errors.ts';
import { readProblem } from '../../model/read-problem.ts';
import { formatBytes } from '../../report/units.ts';
import { BATCH_TYPE } from '../../transfer/batch-columns.ts';
import { BatchEncoder } from '../../transfer/batch-encoder.ts';
import { DropTeller } from '../live/drop-teller.ts';
import { type LiveContext, type LiveParts, runLive } from '../live/live-run.ts';
import { openSource } from '../live/source.ts';
import type { AgentSettings } from './agent-settings.ts';

/**
 * Signals that end an agent. It may be process 1 of a container, for which nothing ends by itself. Where somebody looks
 * on, SIGHUP means that the terminal is gone; elsewhere that a token has changed, and that is read with a request.
 */
const SIGNALS: readonly NodeJS.Signals[] = process.stderr.isTTY
  ? ['SIGINT', 'SIGTERM', 'SIGHUP']
  : ['SIGINT', 'SIGTERM'];
const SIGNALLED = 130;
/** Nobody watches the packets of an agent, and its batches wait longer than that. */
const HANDOVER_MS = 250;

/** One run of an agent: from the spool that is opened to the spool that is closed. */
export class AgentRun {
  readonly #settings: AgentSettings;
  readonly #version: string;
  readonly #log: EventLog;
  readonly #open: typeof openSource;
  #agent: Agent | null = null;
  #phase: 'opening' | 'capturing' | 'stopping' = 'opening';

  /** `open`: what opens the source; left alone outside of tests. */
  constructor(settings: AgentSettings, version: string, log: EventLog, open: typeof openSource = openSource) {
    this.#settings = settings;
    this.#version = version;
    this.#log = log;
    this.#open = open;
  }

  /**
   * Captures and sends until it is stopped. Resolves to the exit code.
   *
   * @throws UserError when nothing can be captured, the spool cannot be used, or an option is wrong
   */
  async run(): Promise<number> {
    const release = this.#onSignals();
    try {
      const token = this.#token();
      const client = this.#client(token);
      await steadyMemory();
      const { spoolDirectory, spoolLimitBytes, spoolQueueBytes } = this.#settings;
      const spool = await Spool.open({
        directory: spoolDirectory,
        limitBytes: spoolLimitBytes,
        queueBytes: spoolQueueBytes,
        log: this.#log,
      });
      try {
        await this.#capture(spool, client, token);
      } finally {
        await this.#stop(spool);
        client.close();
      }
      return EXIT.fine;
    } finally {
      release();
    }
  }

  async #capture(spool: Spool, client: ServerClient, token: TokenSource): Promise<void> {
    const { expression, live, limits } = this.#settings;
    const log = this.#log;
    await runLive(expression, live, this.#version, (context) => this.#parts(context, spool, client, token), {
      limits,
      signals: SIGNALS,
      // Notices go to the log.
      open: async (words, flags, options) => {
        const opened = await this.#open(words, flags, {
          ...options,
          handoverMs: HANDOVER_MS,
          onNotice: ({ code, text }) => log.warn({ code }, text),
        });
        log.info({}, opened.line);
        for (const shortcoming of opened.source.shortcomings) log.warn({}, shortcoming);
        return opened;
      },
    });
  }

  async #parts(
    { clock, captures, limits, source }: LiveContext,
    spool: Spool,
    client: ServerClient,
    token: TokenSource,
  ): Promise<LiveParts> {
    const settings = this.#settings;
    const log = this.#log;
    const agent = new Agent({
      ...{ client, token, spool, source, limits, log },
      ...{ maskParameters: settings.maskParameters, dropHeaders: settings.dropHeaders },
      includeOwn: settings.includeOwn,
      identity: settings.identity,
      version: this.#version,
      interfaces: settings.live.interface ?? ['any'],
      encoder: new BatchEncoder({ clock, captures }),
      contentType: BATCH_TYPE,
      batchRows: settings.batchRows,
      batchMs: settings.batchMs,
      spoolDirectory: settings.spoolDirectory,
      spoolLimitBytes: settings.spoolLimitBytes,
      backOff: settings.backOff,
      slowMs: settings.slowMs,
      timeoutMs: settings.uploadTimeoutMs,
      heartbeatMs: settings.heartbeatMs,
      maxMemoryBytes: settings.maxMemoryBytes,
    });
    const status = await agent.start(settings.statusListen);
    this.#agent = agent;
    this.#phase = 'capturing';
    const { waitingBatches, waitingRows } = spool.counts;
    log.info(
      {
        server: client.address.text,
        spool: `${settings.spoolDirectory} (at most ${formatBytes(settings.spoolLimitBytes)})`,
        waiting_batches: waitingBatches,
        waiting_exchanges: waitingRows,
        status,
        ...settings.identity,
      },
      `agent ${settings.identity.agent} sends exchanges to ${client.address.text}`,
    );
    const drops = new DropTeller({ now: () => performance.now(), tell: (line) => log.warn({}, line) });
    return {
      sinks: [agent.sink],
      onTick: () => {
        agent.tick();
        drops.tick(source.counters);
      },
    };
  }

  async #stop(spool: Spool): Promise<void> {
    this.#phase = 'stopping';
    const agent = this.#agent;
    if (agent === null) {
      await spool.close();
      return;
    }
    const { stopTimeoutMs } = this.#settings;
    this.#log.info(
      { waiting_exchanges: spool.counts.waitingRows },
      'the capture has ended; sending what waits',
    );
    await agent.stop(stopTimeoutMs);
    const { exchanges, sent, lost, waiting } = agent.totals;
    this.#log.info({ exchanges, sent, lost, waiting }, 'stopped');
  }

  #token(): TokenSource {
    const { token, tokenFile: path } = this.#settings;
    return path === null ? fixedToken(token) : tokenFile(path);
  }

  #client(token: TokenSource): ServerClient {
    const { serverUrl, tlsCaFile, token: fixed } = this.#settings;
    return new ServerClient({
      url: serverUrl,
      token: fixed ?? token.current,
      tlsCa: tlsCaFile === null ? undefined : readAuthority(tlsCaFile),
      // The batches under way, and the heartbeat.
      connections: BATCHES_AT_ONCE + 1,
      userAgent: `wirelens/${this.#version}`,
    });
  }

  /** While packets are taken, the capture listens to signals itself. */
  #onSignals(): () => void {
    const stop = (): void => {
      if (this.#phase === 'opening') process.exit(SIGNALLED);
      if (this.#phase === 'stopping') this.#agent?.hurry();
    };
    for (const signal of SIGNALS) process.on(signal, stop);
    return () => {
      for (const signal of SIGNALS) process.off(signal, stop);
    };
  }
}

function readAuthority(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new UserError('unreadable', `the authority for TLS cannot be read: ${readProblem(error)}`, {
      place: { file },
      hint: 'check the path',
      cause: error,
    });
  }
}
