import { openCaptures } from '../capture/open.ts';
import type { Limits } from '../model/limits.ts';
import type { CaptureFacts, RunClock } from '../model/packet.ts';
import type { ExchangeSink, RunRecord } from '../model/sink.ts';
import { runPipeline } from '../pipeline.ts';
import type { CaptureRun } from '../redact/capture-redaction.ts';

export interface CaptureRunOptions {
  readonly limits: Limits;
  /** Read no more than so many packets. */
  readonly packets?: number;
  /** Called between blocks of packets. */
  readonly onProgress?: (captures: readonly CaptureFacts[]) => void;
}

/** Reads the captures from the beginning every time it is called; `last` is what the latest run knows. */
export interface RepeatableRun {
  readonly run: CaptureRun;
  last(): RunRecord | null;
}

/**
 * Makes a run over captures that can be repeated with the same result: same packets, connection numbers and places.
 * Rejects as openCaptures does.
 */
export function repeatableRun(paths: readonly string[], options: CaptureRunOptions): RepeatableRun {
  let last: RunRecord | null = null;
  const run: CaptureRun = async ({ onExchange, ...observers }, begin) => {
    const clock: RunClock = { epochSeconds: null };
    const source = await openCaptures(paths, { clock, limits: options.limits });
    begin?.({
      clock,
      get captures() {
        return source.facts;
      },
    });
    const sink: ExchangeSink = {
      exchange: onExchange ?? (() => {}),
      connection: () => {},
      drain: () => null,
      finish: async () => {},
      abort: async () => {},
    };
    last = await runPipeline(source, clock, [sink], {
      ports: null,
      limits: options.limits,
      reveal: true,
      checksums: false,
      onProgress: () => options.onProgress?.(source.facts),
      ...(options.packets === undefined ? {} : { packetLimit: options.packets }),
      ...observers,
    });
  };
  return { run, last: () => last };
}
