import type { LiveOptions } from '../capture/live/live-options.ts';
import type { FilterWishes } from '../capture/packet-filter/compile-filter.ts';
import type { LedgerCounts } from '../model/ledger.ts';
import type { Limits } from '../model/limits.ts';
import type { LiveCounters, LiveDriver, LiveNotice } from '../model/live.ts';
import type { CaptureFacts } from '../model/packet.ts';
import type { SentError } from '../model/sent-error.ts';
import type { PackedBatch } from './packed-batch.ts';

/** What goes between the main thread and a worker, which captures its share of the connections. */

/** What a worker is started with. */
export interface WorkerSettings {
  readonly capture: Pick<
    LiveOptions,
    'interfaces' | 'driver' | 'snaplen' | 'ringBytes' | 'promiscuous' | 'tickMs' | 'handoverMs'
  > & { readonly fanoutGroup: number | 'new' };
  /** null: all packets. */
  readonly filter: FilterWishes | null;
  readonly limits: Limits;
  /** The run's epoch, the same for all workers. */
  readonly epochSeconds: number;
  /** A condition on exchanges: others are counted and not sent. null: all are. */
  readonly where: string | null;
  readonly reveal: boolean;
  readonly checksums: boolean;
  readonly keepHeaders: readonly string[];
}

export type ToWorker =
  /** All workers have opened: packets may come. */
  | { readonly kind: 'begin' }
  /** A batch was used; there is room for a further one. */
  | { readonly kind: 'used' }
  /** The worker's share of limits that have changed. */
  | { readonly kind: 'limits'; readonly limits: Limits }
  /** What is open comes out, then the worker ends. */
  | { readonly kind: 'stop' };

/** What a worker has seen and counted since it began. */
export interface WorkerReport {
  readonly facts: CaptureFacts;
  readonly counters: LiveCounters;
  readonly ledger: LedgerCounts;
}

export type FromWorker =
  | {
      readonly kind: 'opened';
      readonly driver: LiveDriver;
      readonly shortcomings: readonly string[];
      readonly fanoutGroup: number;
      readonly facts: CaptureFacts;
      readonly counters: LiveCounters;
    }
  /** Packets are taken from now on. */
  | { readonly kind: 'begun' }
  | { readonly kind: 'notice'; readonly notice: LiveNotice }
  /** Numbers of exchanges, connections and interfaces are the worker's own. */
  | { readonly kind: 'batch'; readonly batch: PackedBatch; readonly report: WorkerReport }
  /** Nothing has come out; only the counts are new. */
  | { readonly kind: 'report'; readonly report: WorkerReport }
  | { readonly kind: 'ended'; readonly report: WorkerReport }
  | { readonly kind: 'failed'; readonly error: SentError };
