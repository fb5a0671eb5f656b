import { Worker } from 'node:worker_threads';
import { type CrewOptions, WorkerCrew } from './crew.ts';

/**
 * Starts threads that capture. Rejects with UserError as openLive does, and with `no-fanout` where the driver cannot divide
 * packets.
 */
export function startCrew(options: Omit<CrewOptions, 'start' | 'nowMs'>): Promise<WorkerCrew> {
  return WorkerCrew.open({
    ...options,
    start: (workerData) => new Worker(workerUrl(), { workerData, name: 'capture' }),
    nowMs: () => performance.now(),
  });
}

/** The compiled worker: beside this module, or under dist/ when this module runs from source. */
function workerUrl(): URL {
  const compiled = import.meta.url.replace(/\/src\/workers\/([^/]+)\.ts$/, '/dist/workers/$1.js');
  return new URL('./worker.js', compiled);
}
