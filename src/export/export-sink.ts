import type { CaptureFacts, RunClock } from '../model/packet.ts';
import type { ExchangeSink } from '../model/sink.ts';
import type { TextOutput } from '../model/text-output.ts';

/** What every sink of this folder needs. */
export interface ExportOptions {
  /** Takes the data; flushed when the run ends. */
  readonly output: TextOutput;
  readonly clock: RunClock;
  /** May grow while packets are read. */
  readonly captures: readonly CaptureFacts[];
  /** Of Wirelens, for formats that name their creator. */
  readonly version: string;
}

/** A sink that writes a format in which not everything has a place. */
export interface ExportSink extends ExchangeSink {
  /** What the format could not hold, in sentences for standard error; complete after `finish`. */
  notices(): readonly string[];
}

/** `abort` of a sink that has nothing of its own to take back: what was handed on goes out. */
export function flushing({ output }: ExportOptions): () => Promise<void> {
  return () => output.flush();
}
