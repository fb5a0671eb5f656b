import type { Limits } from '../../model/limits.ts';
import type { RunClock } from '../../model/packet.ts';
import type { FollowNotice } from './report.ts';
import type { FileWatch } from './watch.ts';

export interface FollowOptions {
  /** Set by the first packet that is read, unless it is set already. */
  readonly clock: RunClock;
  readonly limits: Limits;
  /** Pause between two looks at the files; changes that the system tells of shorten it. */
  readonly pollMs: number;
  /**
   * How long packets of a file wait for earlier ones of another file that also grows, at most. The same time
   * without anything new makes a file one that another has followed.
   */
  readonly mergeWaitMs: number;
  /** Also files that were there before, and not only the newest one of each target. */
  readonly fromStart: boolean;
  /** Ends when no file has grown for so long; null: goes on until it is stopped. */
  readonly idleMs: number | null;
  /** The file system; the real one by default. Closed with the source. */
  readonly watch?: FileWatch;
  /** Told at once of what a user should know. */
  readonly onNotice?: (notice: FollowNotice) => void;
  /** Called whenever everything that is there has been read, before each pause. */
  readonly onWait?: () => void;
  /** Bytes of one read, at least 1. Left alone outside of tests. */
  readonly blockBytes?: number;
}
