import { waitMs } from '../client/back-off.ts';
import { classify } from '../client/server-response.ts';
import type { EventLog } from '../metrics/event-log.ts';
import { type ReportFacts, reportJson } from './agent-report.ts';
import { ProblemTeller } from './problem-teller.ts';
import { outcomeOfError } from './upload-outcome.ts';
import type { UploadClient } from './uploader.ts';

export interface HeartbeatOptions {
  readonly client: UploadClient;
  readonly facts: () => ReportFacts;
  readonly everyMs: number;
  readonly log: EventLog;
}

const ANSWER_BYTES = 64 * 1024;
const TIMEOUT_MS = 10_000;
/** The last one, while the agent ends. */
const LAST_TIMEOUT_MS = 2_000;

/** Tells the server regularly how this agent is doing. A report that does not arrive is not repeated: the next one is. */
export class Heartbeat {
  readonly #options: HeartbeatOptions;
  readonly #problems: ProblemTeller;
  readonly #stop = new AbortController();
  #running: Promise<void> | null = null;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
    this.#problems = new ProblemTeller(options.log, 'heartbeats do not arrive', 'heartbeats arrive again');
  }

  get problem(): string | null {
    return this.#problems.current;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Sends a last one, so that the server knows the final counts; then ends. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
    await this.#beat(LAST_TIMEOUT_MS, undefined);
  }

  async #run(): Promise<void> {
    const { everyMs } = this.#options;
    // Agents that were started together must not report together.
    let nextMs = Math.min(1000, everyMs) * Math.random();
    while (await waitMs(nextMs, this.#stop.signal)) {
      await this.#beat(TIMEOUT_MS, this.#stop.signal);
      nextMs = everyMs * (0.95 + 0.1 * Math.random());
    }
  }

  async #beat(timeoutMs: number, signal: AbortSignal | undefined): Promise<void> {
    const { client, facts } = this.#options;
    const report = facts();
    try {
      const response = await client.request(
        'PUT',
        `/api/v1/agents/${encodeURIComponent(report.identity.agent)}`,
        {
          headers: { 'content-type': 'application/json', accept: 'application/json' },
          body: Buffer.from(reportJson(report)),
          timeoutMs,
          signal,
          maxBytes: ANSWER_BYTES,
        },
      );
      if (classify(response.status) === 'ok') this.#problems.succeeded();
      else this.#problems.failed(client.failureOf(response).message);
    } catch (error) {
      if (signal?.aborted) return;
      const outcome = outcomeOfError(error);
      if (outcome.kind !== 'stored') this.#problems.failed(outcome.problem);
    }
  }
}
