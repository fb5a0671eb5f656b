import { performance } from 'node:perf_hooks';
import { BackOff, type BackOffTimes, waitMs } from '../client/back-off.ts';
import type { RequestSettings } from '../client/server-client.ts';
import type { ServerResponse } from '../client/server-response.ts';
import type { EventLog } from '../metrics/event-log.ts';
import type { UserError } from '../model/errors.ts';
import { type Identity, identityHeaders } from './identity.ts';
import { ProblemTeller } from './problem-teller.ts';
import type { RefusedBatches } from './refused-batches.ts';
import type { Spool } from './spool/spool.ts';
import type { BatchOutcome, SpooledBatch } from './spool/spool-facts.ts';
import type { TokenSource } from './token.ts';
import { outcomeOfAnswer, outcomeOfError, type UploadOutcome } from './upload-outcome.ts';

/** The part of ServerClient that is needed. */
export interface UploadClient {
  request(method: string, path: string, settings?: RequestSettings): Promise<ServerResponse>;
  failureOf(response: ServerResponse): UserError;
}

export interface UploaderOptions {
  readonly spool: Pick<Spool, 'stream' | 'take' | 'settle' | 'arrival'>;
  readonly client: UploadClient;
  readonly token: TokenSource;
  readonly identity: Identity;
  /** Content type of a batch. */
  readonly contentType: string;
  readonly backOff: BackOffTimes;
  /** Wait before the next try when somebody must put something right first, ms. */
  readonly slowMs: number;
  /** For the answer to one request, ms. */
  readonly timeoutMs: number;
  readonly refused: RefusedBatches;
  readonly log: EventLog;
  /** 0 to 1; left alone outside of tests. */
  readonly random?: () => number;
}

export interface UploadCounts {
  /** Answers and failures by reason: `stored`, `repeated`, `http-503`, `refused`, `timeout`, … */
  readonly byResult: ReadonlyMap<string, number>;
  readonly bytesSent: number;
  /** performance.now() of the last batch that was stored; null: none was. */
  readonly storedMs: number | null;
  /** Why nothing gets through now; null: all is well. */
  readonly problem: string | null;
}

/** Batches under way at once while all goes well. A server makes several durable in the time of one. */
export const BATCHES_AT_ONCE = 4;
/** Answers are short. */
const ANSWER_BYTES = 64 * 1024;

/** What comes after a try. */
interface Step {
  /** Before the next one. */
  readonly waitForMs: number;
  /** Something waits, and the next try may succeed by itself. */
  readonly goesOn: boolean;
}

const AT_ONCE: Step = { waitForMs: 0, goesOn: true };

/**
 * Sends what waits in the spool, the oldest first, until it is stopped: a few batches at once while all goes well, one
 * at a time while something fails. A batch leaves the spool when the server said that it is stored, or that it will
 * never take it. Waits go by a clock that never steps.
 */
export class Uploader {
  readonly #options: UploaderOptions;
  readonly #backOff: BackOff;
  readonly #problems: ProblemTeller;
  readonly #stop = new AbortController();
  readonly #cut = new AbortController();
  readonly #byResult = new Map<string, number>();
  #bytesSent = 0;
  #storedMs: number | null = null;
  #running: Promise<void> | null = null;

  constructor(options: UploaderOptions) {
    this.#options = options;
    this.#backOff = new BackOff(options.backOff, options.random ?? Math.random);
    this.#problems = new ProblemTeller(options.log, 'exchanges cannot be sent', 'exchanges are sent again');
  }

  get counts(): UploadCounts {
    return {
      byResult: this.#byResult,
      bytesSent: this.#bytesSent,
      storedMs: this.#storedMs,
      problem: this.#problems.current,
    };
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /**
   * Sends what waits until nothing does, somebody must put something right first, or `limitMs` have gone by; then ends.
   * What is left stays in the spool. To be called once.
   */
  async stop(limitMs: number): Promise<void> {
    // Whoever waits for the next batch or the next try need not wait any longer.
    this.#stop.abort();
    const limit = setTimeout(() => this.#cut.abort(), limitMs);
    try {
      await this.#running;
      if (limitMs > 0) await this.#drain();
    } finally {
      clearTimeout(limit);
    }
  }

  /** Ends `stop` at once, and the request that is under way. */
  cut(): void {
    this.#cut.abort();
  }

  async #run(): Promise<void> {
    while (await this.#options.spool.arrival(this.#stop.signal)) {
      const { waitForMs } = await this.#next();
      if (waitForMs > 0 && !(await waitMs(waitForMs, this.#stop.signal))) return;
    }
  }

  /** Goes on through failures that pass: the spool of a pod may go with it. */
  async #drain(): Promise<void> {
    // The server may be back since the waits have grown long.
    this.#backOff.succeeded();
    while (!this.#cut.signal.aborted) {
      const { waitForMs, goesOn } = await this.#next();
      if (!goesOn || !(await waitMs(waitForMs, this.#cut.signal))) return;
    }
  }

  /** Sends the oldest batches. */
  async #next(): Promise<Step> {
    const { spool, slowMs } = this.#options;
    let batches: readonly SpooledBatch[];
    try {
      batches = await spool.take(this.#problems.current === null ? BATCHES_AT_ONCE : 1);
    } catch (error) {
      this.#problems.failed(`the spool cannot be read: ${(error as Error).message}`);
      return { waitForMs: slowMs, goesOn: false };
    }
    if (batches.length === 0) return { waitForMs: 0, goesOn: false };
    const outcomes = await Promise.all(batches.map((batch) => this.#try(batch)));
    for (const outcome of outcomes) this.#count(outcome);
    const { done, failed } = await this.#settled(batches, outcomes);
    spool.settle(done);
    if (done.length > 0) {
      this.#backOff.succeeded();
      this.#problems.succeeded();
    }
    return failed === null ? AT_ONCE : this.#after(failed);
  }

  /** What the oldest batches came to, up to the first that has to be sent again. null: it was cut off. */
  async #settled(
    batches: readonly SpooledBatch[],
    outcomes: readonly (UploadOutcome | null)[],
  ): Promise<{ done: BatchOutcome[]; failed: UploadOutcome | null }> {
    const { refused, log } = this.#options;
    const done: BatchOutcome[] = [];
    for (const [index, outcome] of outcomes.entries()) {
      if (outcome?.kind === 'stored') {
        this.#storedMs = performance.now();
        done.push('sent');
      } else if (outcome?.kind === 'never') {
        const batch = batches[index] as SpooledBatch;
        // Kept before it leaves the spool, to be looked at; the queue goes on.
        log.error(
          {
            batch: batch.number,
            exchanges: batch.rows,
            answer: outcome.problem,
            kept: await refused.keep(batch),
          },
          'the server refused a batch for good; its exchanges are lost',
        );
        done.push('refused');
      } else return { done, failed: outcome ?? null };
    }
    return { done, failed: null };
  }

  #after(failed: UploadOutcome): Step {
    const { slowMs, random = Math.random } = this.#options;
    if (failed.kind === 'slowly') {
      this.#problems.failed(failed.problem);
      return { waitForMs: slowMs / 2 + random() * (slowMs / 2), goesOn: false };
    }
    if (failed.kind !== 'later') return AT_ONCE;
    this.#problems.failed(failed.problem);
    return { waitForMs: Math.max(1, this.#backOff.next(failed.afterMs)), goesOn: true };
  }

  /** null: it was cut off because the agent ends. */
  async #try({ number, body }: SpooledBatch): Promise<UploadOutcome | null> {
    const { client, token, identity, spool, timeoutMs, contentType } = this.#options;
    const noToken = token.problem();
    if (noToken !== null) return { kind: 'slowly', problem: noToken, reason: 'no-token' };
    try {
      const response = await client.request('POST', '/api/v1/upload', {
        headers: {
          'content-type': contentType,
          'content-encoding': 'gzip',
          accept: 'application/json',
          'x-wirelens-stream': spool.stream,
          'x-wirelens-batch': String(number),
          ...identityHeaders(identity),
        },
        body,
        signal: this.#cut.signal,
        timeoutMs,
        maxBytes: ANSWER_BYTES,
      });
      this.#bytesSent += body.length;
      return outcomeOfAnswer(response, (answer) => client.failureOf(answer));
    } catch (error) {
      return this.#cut.signal.aborted ? null : outcomeOfError(error);
    }
  }

  #count(outcome: UploadOutcome | null): void {
    if (outcome === null) return;
    const result = outcome.kind === 'stored' ? (outcome.repeated ? 'repeated' : 'stored') : outcome.reason;
    this.#byResult.set(result, (this.#byResult.get(result) ?? 0) + 1);
  }
}
