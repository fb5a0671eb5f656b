import { performance } from 'node:perf_hooks';
import type { Exchange } from '../model/exchange.ts';
import type { ExchangeSink } from '../model/sink.ts';
import type { SealedBatch } from './spool/segment.ts';

/** The part of BatchEncoder that is needed. */
export interface ExchangeEncoder {
  add(exchange: Exchange): void;
  readonly rows: number;
  readonly bytes: number;
  take(): Buffer;
}

export interface AgentSinkOptions {
  readonly encoder: ExchangeEncoder;
  /** Takes a whole batch, at once. */
  readonly append: (batch: SealedBatch) => void;
  /** What is sent of an exchange; null: nothing. */
  readonly shown: (exchange: Exchange) => Exchange | null;
  /** Exchanges of a batch at most. */
  readonly batchRows: number;
  /** A batch is sealed so long after its first exchange, ms. */
  readonly batchMs: number;
  /** Milliseconds of a clock that never goes back. */
  readonly now?: () => number;
}

/** Bytes before compression after which a batch is sealed, however few exchanges it has. */
const BATCH_BYTES = 2 * 1024 * 1024;

/** Gathers exchanges into batches. Never makes the capture wait. */
export class AgentSink implements ExchangeSink {
  readonly #options: AgentSinkOptions;
  readonly #now: () => number;
  #begunMs: number | null = null;
  #exchanges = 0;
  #ended = false;

  constructor(options: AgentSinkOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
  }

  /** Exchanges that came, those left out by `shown` not counted. */
  get exchanges(): number {
    return this.#exchanges;
  }

  exchange(exchange: Exchange): void {
    const { encoder, shown, batchRows } = this.#options;
    const sent = shown(exchange);
    if (sent === null) return;
    this.#exchanges += 1;
    this.#begunMs ??= this.#now();
    encoder.add(sent);
    if (encoder.rows >= batchRows || encoder.bytes >= BATCH_BYTES) this.#seal();
  }

  /** To be called a few times a second: seals a batch that is old enough. */
  tick(): void {
    if (this.#begunMs !== null && this.#now() - this.#begunMs >= this.#options.batchMs) this.#seal();
  }

  connection(): void {}

  drain(): null {
    return null;
  }

  async finish(): Promise<void> {
    this.#end();
  }

  /** The capture failed; what came before is good. */
  async abort(): Promise<void> {
    this.#end();
  }

  #end(): void {
    if (!this.#ended) this.#seal();
    this.#ended = true;
  }

  #seal(): void {
    const { encoder, append } = this.#options;
    this.#begunMs = null;
    const { rows } = encoder;
    if (rows > 0) append({ rows, body: encoder.take() });
  }
}
