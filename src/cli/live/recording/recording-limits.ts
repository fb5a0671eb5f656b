/** Bounds of a recording in progress. */
export interface RecordingLimits {
  /** Bytes that wait for the disk; from there on the pipeline waits too, the ring fills, and the kernel counts drops. */
  readonly backlogBytes: number;
  /** ms after which packets in memory go to the file: what a crash loses at most. */
  readonly flushMs: number;
  /** The same for a pipe, where somebody is watching. */
  readonly pipeFlushMs: number;
  /** ms between two notes of the kernel's counters in the file, where they have changed. */
  readonly countersMs: number;
  /** Names of a recording's own files that are remembered, so that a repeated hour does not overwrite the first. */
  readonly namesRemembered: number;
}

export const RECORDING_LIMITS: RecordingLimits = Object.freeze({
  backlogBytes: 64 * 1024 * 1024,
  flushMs: 500,
  pipeFlushMs: 100,
  countersMs: 10_000,
  namesRemembered: 10_000,
});
