import type { CaptureFacts, RunClock } from '../../model/packet.ts';
import type { ExchangeSink } from '../../model/sink.ts';
import { BatchEncoder } from '../../transfer/batch-encoder.ts';
import type { NumberedBatch, StoredBatches } from './batch-sender.ts';

export interface UploadSinkOptions {
  readonly clock: RunClock;
  readonly captures: readonly CaptureFacts[];
  /** A batch is sealed when it has so many rows, or so many bytes before compression. */
  readonly batchRows: number;
  readonly batchBytes: number;
  /** Batches that need not be sent. */
  readonly stored: StoredBatches;
  readonly send: (batch: NumberedBatch) => void;
  /** See BatchSender.room. */
  readonly room: () => Promise<void> | null;
  /**
   * True once reading was told to end. What comes out then is not what a whole run gives, so it goes into no batch: the
   * number of a batch must stand for the same rows in every run.
   */
  readonly stopped: () => boolean;
}

/** Gathers exchanges in batches that are the same in every run over the same input. */
export class UploadSink implements ExchangeSink {
  readonly #options: UploadSinkOptions;
  #encoder: BatchEncoder;
  #number = 1;
  /** Of encoders that were filled and thrown away. */
  #leftOutBefore = 0;
  exchanges = 0;
  /** Rows and batches that the server had before. */
  skippedRows = 0;
  skippedBatches = 0;

  constructor(options: UploadSinkOptions) {
    this.#options = options;
    this.#encoder = new BatchEncoder(options);
  }

  /** Values that no batch may carry. */
  get valuesLeftOut(): number {
    return this.#leftOutBefore + this.#encoder.valuesLeftOut;
  }

  exchange(exchange: Parameters<ExchangeSink['exchange']>[0]): void {
    if (this.#options.stopped()) return;
    this.#encoder.add(exchange);
    this.exchanges += 1;
    const { batchRows, batchBytes } = this.#options;
    if (this.#encoder.rows >= batchRows || this.#encoder.bytes >= batchBytes) this.#seal();
  }

  connection(): void {}

  drain(): Promise<void> | null {
    return this.#options.room();
  }

  async finish(): Promise<void> {
    if (!this.#options.stopped() && this.#encoder.rows > 0) this.#seal();
  }

  async abort(): Promise<void> {}

  #seal(): void {
    const { rows } = this.#encoder;
    const number = this.#number;
    this.#number += 1;
    if (this.#options.stored.has(number)) {
      this.skippedRows += rows;
      this.skippedBatches += 1;
      this.#leftOutBefore += this.#encoder.valuesLeftOut;
      this.#encoder = new BatchEncoder(this.#options);
      return;
    }
    this.#options.send({ number, rows, body: this.#encoder.take() });
  }
}
