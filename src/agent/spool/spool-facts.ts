import type { EventLog } from '../../metrics/event-log.ts';
import type { SpoolOutcomes } from './account.ts';

export interface SpoolOptions {
  readonly directory: string;
  /** Bytes of all segments together; beyond it the oldest segment goes. */
  readonly limitBytes: number;
  /** Bytes of batches in memory that wait for the disk; beyond it the oldest go. */
  readonly queueBytes?: number;
  readonly log: EventLog;
}

/** A batch that waits to be sent. */
export interface SpooledBatch {
  /** Grows; not every number is used. */
  readonly number: number;
  readonly rows: number;
  readonly body: Buffer;
}

/** What became of exchanges since this process opened the spool, and what waits now. */
export interface SpoolCounts extends SpoolOutcomes {
  readonly waitingRows: number;
  readonly waitingBatches: number;
  readonly waitingBytes: number;
  /** Segments on the disk, also parts that are done with. */
  readonly fileBytes: number;
}

/** What became of a batch. */
export type BatchOutcome = 'sent' | 'refused';
