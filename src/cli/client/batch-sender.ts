import { BACK_OFF_TIMES, BackOff, type BackOffTimes, waitMs } from '../../client/back-off.ts';
import type { ServerClient } from '../../client/server-client.ts';
import { retryAfterMs, type ServerResponse, verdictOf } from '../../client/server-response.ts';
import { ServerUnreachable } from '../../client/server-unreachable.ts';
import type { UserError } from '../../model/errors.ts';
import { answerObject, numberOf } from './answer.ts';
import { asUserError } from './asking.ts';

/** A sealed batch. */
export interface NumberedBatch {
  readonly number: number;
  readonly rows: number;
  readonly body: Uint8Array;
}

/** What a stream has at the server. */
export interface StoredBatches {
  has(number: number): boolean;
}

export interface BatchSenderOptions {
  readonly client: ServerClient;
  readonly stream: string;
  /** Headers that every batch carries. */
  readonly headers: Readonly<Record<string, string>>;
  /** Batches under way at once; `room` waits for less. */
  readonly parallel: number;
  /** For how long without any success batches are tried again, ms. */
  readonly retryForMs: number;
  /** Ends waiting and requests. */
  readonly signal: AbortSignal;
  /** Told of each failure that is tried again, in words. */
  readonly onRetry: (problem: string) => void;
  /** Called once, when no batch will be sent any more. */
  readonly onFailure: () => void;
  readonly backOff?: BackOffTimes;
}

/** Numbers of pairs that the server gives of what is missing; with so many there may be more. */
const MOST_MISSING = 1000;

/**
 * Sends batches, some at once, each until the server has it. What cannot succeed later ends it. A batch that was
 * stored although its answer was lost is told by its number, so nothing is stored twice.
 */
export class BatchSender {
  readonly #options: BatchSenderOptions;
  readonly #underWay = new Set<Promise<void>>();
  /** Sealed while as many as may be are under way; bounded by what one block of packets brings, see `room`. */
  #waiting: NumberedBatch[] = [];
  /** Since when nothing succeeds, by a clock that never goes back; null: something did. */
  #failingSinceMs: number | null = null;
  #failure: unknown = null;
  batches = 0;
  rows = 0;
  bytes = 0;
  stored = 0;
  joined = 0;
  /** Rows of batches that the server had before the first try of this run. */
  repeatedRows = 0;
  /** Rows of batches that an earlier try of this run had brought there, though its answer was lost. */
  lateRows = 0;

  constructor(options: BatchSenderOptions) {
    this.#options = options;
  }

  /** What ended it; null: nothing has. */
  get failure(): unknown {
    return this.#failure;
  }

  /** What the server has of the stream already. @throws UserError */
  async storedBatches(): Promise<StoredBatches> {
    const { stream, client } = this.#options;
    const path = `/api/v1/upload/streams/${stream}`;
    const { response } = await this.#untilAnswered('GET', path, {}).catch((error: unknown) => {
      throw asUserError(error);
    });
    let state: unknown;
    try {
      state = JSON.parse(response.body.toString('utf8'));
    } catch {
      throw client.failureOf({ ...response, status: 404, body: Buffer.alloc(0) });
    }
    const { missing } = answerObject(state);
    const pairs = Array.isArray(missing) ? (missing as readonly (readonly [number, number])[]) : [];
    const last = numberOf(answerObject(state), 'last') ?? 0;
    // Beyond the pairs that are told nothing is known; what is sent again is not stored again.
    const known = pairs.length < MOST_MISSING ? last : (pairs.at(-1)?.[1] ?? 0);
    return {
      has: (number) => number <= known && !pairs.some(([from, to]) => number >= from && number <= to),
    };
  }

  /** Sends it as soon as fewer than `parallel` others are under way. Never throws: see `failure`. */
  send(batch: NumberedBatch): void {
    if (this.#failure !== null) return;
    this.#waiting.push(batch);
    this.#sendWaiting();
  }

  #sendWaiting(): void {
    while (this.#underWay.size < this.#options.parallel) {
      const batch = this.#waiting.shift();
      if (batch === undefined) return;
      const sending: Promise<void> = this.#deliver(batch).then(
        () => {
          this.#underWay.delete(sending);
          this.#sendWaiting();
        },
        (error: unknown) => {
          this.#underWay.delete(sending);
          this.#waiting = [];
          if (this.#failure !== null) return;
          this.#failure = asUserError(error);
          this.#options.onFailure();
        },
      );
      this.#underWay.add(sending);
    }
  }

  /** Resolves when a batch would be sent at once; null: now. */
  room(): Promise<void> | null {
    if (this.#underWay.size < this.#options.parallel) return null;
    return this.#waitForRoom();
  }

  async #waitForRoom(): Promise<void> {
    while (this.#underWay.size >= this.#options.parallel) await Promise.race(this.#underWay);
  }

  /** Waits for all batches, those that wait to be sent too. */
  async settled(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
  }

  async #deliver({ number, rows, body }: NumberedBatch): Promise<void> {
    const { headers, stream } = this.#options;
    const { response, tries } = await this.#untilAnswered('POST', '/api/v1/upload', {
      headers: { ...headers, 'x-wirelens-stream': stream, 'x-wirelens-batch': String(number) },
      body,
    });
    let answer: unknown = null;
    try {
      answer = JSON.parse(response.body.toString('utf8'));
    } catch {
      // Told below.
    }
    const counts = answerObject(answer, 'an upload was answered with something else');
    this.batches += 1;
    this.rows += rows;
    this.bytes += body.byteLength;
    this.stored += numberOf(counts, 'stored') ?? 0;
    this.joined += numberOf(counts, 'joined') ?? 0;
    // A server of before says nothing of it.
    this.repeatedRows += numberOf(counts, 'repeated_rows') ?? 0;
    if (counts.repeated !== true) return;
    if (tries === 1) this.repeatedRows += rows;
    else this.lateRows += rows;
  }

  /** The first answer that is a success, and after how many tries. */
  async #untilAnswered(
    method: string,
    path: string,
    settings: { headers?: Readonly<Record<string, string>>; body?: Uint8Array },
  ): Promise<{ response: ServerResponse; tries: number }> {
    const { client, signal, onRetry } = this.#options;
    const backOff = new BackOff(this.#options.backOff ?? BACK_OFF_TIMES);
    for (let tries = 1; ; tries += 1) {
      let problem: unknown;
      let atLeastMs = 0;
      try {
        const response = await client.request(method, path, { ...settings, signal });
        const verdict = verdictOf(response);
        if (verdict === 'ok') {
          this.#failingSinceMs = null;
          return { response, tries };
        }
        problem = client.failureOf(response);
        // Something that is no Wirelens server will not become one within minutes.
        if (verdict !== 'retry' || (problem as UserError).code === 'no-wirelens-server') throw problem;
        atLeastMs = retryAfterMs(response) ?? 0;
      } catch (error) {
        if (!(error instanceof ServerUnreachable) || FINAL.has(error.code)) throw error;
        problem = error;
      }
      this.#failingSinceMs ??= performance.now();
      const failingMs = performance.now() - this.#failingSinceMs;
      if (failingMs >= this.#options.retryForMs || this.#failure !== null) throw problem;
      onRetry((problem as Error).message);
      const leftMs = this.#options.retryForMs - failingMs;
      if (!(await waitMs(Math.min(leftMs, backOff.next(atLeastMs)), signal))) throw problem;
    }
  }
}

/** What is wrong with the command line and not with the server. */
const FINAL = new Set(['unknown-host', 'certificate', 'not-tls', 'not-http', 'redirect']);
