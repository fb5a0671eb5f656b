import type { Connection, Exchange } from '../model/exchange.ts';
import type { LiveSource } from '../model/live.ts';
import type { ExchangeSink, RunRecord } from '../model/sink.ts';
import type { FromWorker, WorkerReport } from './messages.ts';
import { BatchWriter } from './packed-batch.ts';

/**
 * Batches of a worker that the main thread has not used yet. When there are so many the worker waits, the ring fills,
 * and what it cannot take is counted by the kernel as dropped: nothing else grows.
 */
export const BATCHES_UNDER_WAY = 8;
/** While nothing comes out, counts are sent so often. */
const REPORT_MS = 100;

/** A worker's way out: gathers exchanges while packets are read, and sends them between blocks of packets. */
export class Outbox implements ExchangeSink {
  readonly #source: LiveSource;
  readonly #post: (message: FromWorker) => void;
  readonly #batch = new BatchWriter();
  #run: RunRecord | null = null;
  #underWay = 0;
  #room: (() => void) | null = null;
  #reportedMs = Number.NEGATIVE_INFINITY;

  constructor(source: LiveSource, post: (message: FromWorker) => void) {
    this.#source = source;
    this.#post = post;
  }

  begin(run: RunRecord): void {
    this.#run = run;
  }

  exchange(exchange: Exchange): void {
    this.#batch.exchange(exchange);
  }

  connection(connection: Connection): void {
    this.#batch.connection(connection);
  }

  drain(): Promise<void> | null {
    this.#send();
    if (this.#underWay < BATCHES_UNDER_WAY) return null;
    return new Promise((resolve) => {
      this.#room = resolve;
    });
  }

  /** The main thread has used a batch. */
  used(): void {
    this.#underWay -= 1;
    this.#room?.();
    this.#room = null;
  }

  async finish(): Promise<void> {
    this.#send();
  }

  async abort(): Promise<void> {}

  get report(): WorkerReport {
    const { counters, facts } = this.#source;
    if (this.#run === null) throw new Error('nothing was begun');
    return { facts: facts[0], counters, ledger: { ...this.#run.ledger } };
  }

  #send(): void {
    const batch = this.#batch.take();
    const nowMs = performance.now();
    if (batch !== null) {
      this.#underWay += 1;
      this.#post({ kind: 'batch', batch, report: this.report });
    } else if (nowMs - this.#reportedMs >= REPORT_MS) this.#post({ kind: 'report', report: this.report });
    else return;
    this.#reportedMs = nowMs;
  }
}
