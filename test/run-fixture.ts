import { join } from 'node:path';
import { goldenFolders } from '../scripts/expected-exchanges.mjs';
import { openCaptures } from '../src/capture/open.ts';
import { LIMITS } from '../src/model/limits.ts';
import type { CaptureFacts, RunClock } from '../src/model/packet.ts';
import type { ExchangeSink, RunRecord } from '../src/model/sink.ts';
import { runPipeline } from '../src/pipeline.ts';

export type SinkOf = (context: { clock: RunClock; captures: readonly CaptureFacts[] }) => ExchangeSink;

/** Runs the capture of a golden folder through the whole program into a sink. */
export async function runFixture(name: string, sinkOf: SinkOf, reveal = false): Promise<RunRecord> {
  const fixture = goldenFolders().find((one) => one.name === name);
  if (fixture === undefined) throw new Error(`no fixture ${name}`);
  const clock: RunClock = { epochSeconds: null };
  const source = await openCaptures([join(fixture.folder, fixture.capture)], { clock, limits: LIMITS });
  const sink = sinkOf({ clock, captures: source.facts });
  return runPipeline(source, clock, [sink], { ports: null, limits: LIMITS, reveal, checksums: false });
}

export function fixtureNames(): string[] {
  return goldenFolders().map(({ name }) => name);
}
