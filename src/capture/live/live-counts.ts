import type { LiveCounters } from '../../model/live.ts';
import type { CaptureFacts } from '../../model/packet.ts';
import type { LiveSocket } from './live-socket.ts';

export function emptyCounters(ringBytes: number): LiveCounters {
  return { received: 0, dropped: 0, freezes: 0, loopbackCopies: 0, ringUsedBytes: 0, ringBytes };
}

/** What the kernel cannot know. */
export interface OwnCounts {
  /** Packets given out. */
  readonly packets: number;
  /** Packets in the rest of blocks that contradicted themselves. */
  readonly damaged: number;
  /** The kernel does not filter, so it counts what the filter leaves out as well. */
  readonly unfiltered: boolean;
  readonly loopbackCopies: number;
}

/**
 * Brings the counters up to date. The kernel counts per socket and not per interface, so that the counts stand at the
 * first interface of the facts.
 */
export function count(counters: LiveCounters, facts: CaptureFacts, socket: LiveSocket, own: OwnCounts): void {
  const { received, dropped, freezes } = socket.count();
  counters.dropped = dropped + own.damaged;
  counters.received = own.unfiltered ? own.packets + counters.dropped : received;
  counters.freezes = freezes;
  counters.loopbackCopies = own.loopbackCopies;
  const { ring } = socket;
  counters.ringBytes = ring.ringBytes;
  counters.ringUsedBytes = ring.usedBlocks * ring.shape.blockBytes;
  const [first] = facts.interfaces;
  if (first === undefined) return;
  first.received = counters.received;
  first.dropped = counters.dropped;
}
