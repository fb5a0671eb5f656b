import type { UserError } from '../../../model/errors.ts';

/** Where the bytes of a recording go: in order, and without anybody waiting for them. */
export interface RecordingOutput {
  /** Why nothing more is written; null: nothing went wrong. */
  readonly failure: UserError | null;
  /** Bytes that were given and are not written yet. */
  readonly backlogBytes: number;
  /** Ends the file before and begins the next one. `flags`: of open(2), `w` overwrites and `wx` does not. */
  begin(path: string, flags: 'w' | 'wx'): void;
  /** The bytes must not change any more. */
  write(bytes: Uint8Array): void;
  /** Resolves when no more than so many bytes are waiting; null: that is so now. Never rejects. */
  below(bytes: number): Promise<void> | null;
  /** Resolves when everything is on the disk, or has failed. Never rejects. */
  finish(): Promise<void>;
}
