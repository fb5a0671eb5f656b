import type { BatchNumber, BatchOrigin, RowBatch } from '../../model/row-batch.ts';
import type { SentError } from '../../model/sent-error.ts';
import type { AgentReport, SqlLimits } from '../exchange-store.ts';
import type { ListTask } from './list-rows.ts';
import type { RedTask } from './red-rows.ts';
import type { StoreEvent } from './store-event.ts';

/** What goes between a server's thread and the thread that owns the database. */

export interface WorkerSettings {
  readonly directory: string;
  readonly memoryBytes: number;
  readonly maxAgeSeconds: number | null;
  readonly maxBytes: number | null;
  readonly diskReserveBytes: number;
}

export type Question =
  | {
      readonly kind: 'append';
      readonly batch: RowBatch;
      readonly origin: BatchOrigin;
      readonly number: BatchNumber | null;
      readonly bytes: number;
    }
  | { readonly kind: 'stream'; readonly stream: string }
  | { readonly kind: 'report'; readonly report: AgentReport; readonly receivedUs: number }
  | { readonly kind: 'agents' }
  | { readonly kind: 'list'; readonly task: ListTask }
  | { readonly kind: 'get'; readonly key: string }
  | { readonly kind: 'red'; readonly task: RedTask }
  | { readonly kind: 'sql'; readonly text: string; readonly limits: SqlLimits }
  | { readonly kind: 'facts' }
  | { readonly kind: 'tidy' }
  | { readonly kind: 'close' };

export type ToStore =
  | { readonly id: number; readonly question: Question }
  /** The answer to that question is no longer wanted. */
  | { readonly cancel: number };

export type SentStoreError =
  | SentError
  | {
      readonly kind: 'unavailable';
      readonly code: string;
      readonly message: string;
      readonly retry: boolean;
    };

export type FromStore =
  | { readonly kind: 'opened' }
  | { readonly kind: 'not-opened'; readonly error: SentStoreError }
  | { readonly kind: 'answer'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'error'; readonly id: number; readonly error: SentStoreError }
  | { readonly kind: 'committed'; readonly afterId: number }
  | { readonly kind: 'log'; readonly event: StoreEvent };
