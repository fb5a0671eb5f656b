import { openLive } from '../capture/live/open-live.ts';
import { compileFilter } from '../capture/packet-filter/compile-filter.ts';
import { parseFilter } from '../filter/filter.ts';
import { UserError } from '../model/errors.ts';
import type { LiveSource } from '../model/live.ts';
import type { RunClock } from '../model/packet.ts';
import { packError } from '../model/sent-error.ts';
import { runPipeline } from '../pipeline.ts';
import { matching } from '../report/selection.ts';
import type { FromWorker, ToWorker, WorkerSettings } from './messages.ts';
import { Outbox } from './outbox.ts';

/** The worker's end of the line to the main thread: a MessagePort, or what a test puts there. */
export interface WorkerPort {
  postMessage(message: FromWorker): void;
  on(event: 'message', listener: (message: ToWorker) => void): unknown;
  close(): void;
}

/**
 * What a worker does: captures its share of the connections and sends the exchanges, until it is told to stop. Never
 * rejects: what goes wrong is sent.
 */
export async function work(port: WorkerPort, settings: WorkerSettings, open = openLive): Promise<void> {
  const { promise: begun, resolve: begin } = withResolvers();
  let source: LiveSource | null = null;
  let outbox: Outbox | null = null;
  let isStopped = false;
  port.on('message', (message) => {
    switch (message.kind) {
      case 'begin':
        begin();
        return;
      case 'used':
        outbox?.used();
        return;
      case 'limits':
        // The stages look at these as they go.
        Object.assign(settings.limits, message.limits);
        return;
      case 'stop':
        isStopped = true;
        source?.stop();
        begin();
    }
  });
  const post = (message: FromWorker): void => port.postMessage(message);
  const { limits, where, reveal, checksums, keepHeaders } = settings;
  try {
    const clock: RunClock = { epochSeconds: settings.epochSeconds };
    const filter = settings.filter === null ? null : await compileFilter(settings.filter);
    let fanoutGroup = 0;
    source = await open({
      ...settings.capture,
      ...{ clock, limits, filter, begun },
      onNotice: (notice) => post({ kind: 'notice', notice }),
      onFanoutGroup: (group) => {
        fanoutGroup = group;
      },
    });
    if (source.driver !== 'afpacket') {
      await source.close();
      throw new UserError(
        'no-fanout',
        `the driver ${source.driver} takes all packets and cannot divide them`,
        {
          hint: 'leave --workers out',
        },
      );
    }
    if (isStopped) source.stop();
    const way = new Outbox(source, post);
    outbox = way;
    const { driver, shortcomings, facts, counters } = source;
    post({ kind: 'opened', driver, shortcomings, fanoutGroup, facts: facts[0], counters });
    // The source waits for the same, and did so before.
    await begun;
    post({ kind: 'begun' });
    const condition = where === null ? null : parseFilter(where);
    const selected =
      condition === null ? way : matching((exchange) => condition.matches(exchange, clock), way);
    await runPipeline(source, clock, [selected], {
      ...{ ports: null, limits, reveal, checksums, keepHeaders },
    });
    post({ kind: 'ended', report: way.report });
  } catch (error) {
    post({ kind: 'failed', error: packError(error) });
  } finally {
    // The thread ends when nothing is left that keeps it.
    port.close();
  }
}

function withResolvers(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => {};
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
