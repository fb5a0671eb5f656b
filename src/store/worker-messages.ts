import type { BatchCounts } from './batch.ts';
import type { FinalRows } from './final-rows.ts';

/** Main thread to worker. Handled in order. */
export type ToWorker =
  | {
      readonly kind: 'batch';
      readonly buffer: ArrayBuffer;
      readonly counts: BatchCounts;
      readonly part: number;
    }
  /** The part is complete: write it to `path` (which exists), make it durable, begin an empty one. */
  | { readonly kind: 'seal'; readonly path: string; readonly rows: FinalRows; readonly part: number };

/** Worker to main thread. */
export type FromWorker =
  /** A batch was stored; here is its buffer back. */
  | {
      readonly kind: 'stored';
      readonly buffer: ArrayBuffer;
      readonly databaseBytes: number;
      readonly part: number;
    }
  | { readonly kind: 'sealed'; readonly fileBytes: number; readonly part: number; readonly busyMs: number }
  /** Nothing more will be stored. `errno` is the system's name (ENOSPC …) where it was the file. */
  | { readonly kind: 'failed'; readonly message: string; readonly errno: string | null };
