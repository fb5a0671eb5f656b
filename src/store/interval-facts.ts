import { Ledger } from '../model/ledger.ts';
import type { CaptureFacts, CaptureInterface } from '../model/packet.ts';
import type { RunRecord } from '../model/sink.ts';
import { type Counter, LEDGER_MEANINGS } from './final-rows.ts';

/**
 * Divides the record of a run that goes on into records of its intervals. Each balances on its own, and together they
 * are the record of the whole run: what is under way when an interval ends (requests without their answer yet, bytes
 * that wait for earlier ones, open connections) counts in the interval in which it comes to its end.
 */
export class IntervalFacts {
  #ledger = new Ledger();
  #captures: readonly CaptureFacts[] = [];

  /** The record from the last call to now. `last`: the run is over, and nothing is under way any more. */
  next(run: RunRecord, last: boolean): RunRecord {
    const ledger = last ? copyOf(run.ledger) : settled(run.ledger);
    const captures = structuredClone(run.captures) as CaptureFacts[];
    const record: RunRecord = {
      clock: run.clock,
      captures: captures.map((capture, index) => captureSince(capture, this.#captures[index])),
      ledger: ledgerSince(ledger, this.#ledger),
    };
    this.#ledger = ledger;
    this.#captures = captures;
    return record;
  }
}

const COUNTERS = Object.keys(LEDGER_MEANINGS) as Counter[];

function copyOf(ledger: Ledger): Ledger {
  return ledgerSince(ledger, new Ledger());
}

function ledgerSince(now: Ledger, before: Ledger): Ledger {
  const since = new Ledger();
  for (const counter of COUNTERS) since[counter] = now[counter] - before[counter];
  now.notUsed.forEach((count, reason) => {
    since.notUsed[reason] = count - before.notUsed[reason];
  });
  return since;
}

/** Only what has come to its end: the wholes of Ledger.imbalances are what their parts add up to. */
function settled(ledger: Ledger): Ledger {
  const copy = copyOf(ledger);
  let reasons = 0;
  for (const count of copy.notUsed) reasons += count;
  copy.packetsRead = copy.segments + reasons;
  copy.payloadBytes = copy.deliveredBytes + copy.duplicateBytes + copy.cutBytes + copy.discardedBytes;
  // Bytes of half a head were delivered, and are nothing yet: they wait on both sides.
  const understood = copy.headBytes + copy.bodyBytes + copy.otherProtocolBytes + copy.unparsedBytes;
  copy.payloadBytes -= copy.deliveredBytes - understood;
  copy.deliveredBytes = understood;
  copy.requests = copy.paired + copy.unanswered;
  copy.responses = copy.paired + copy.orphans + copy.interim;
  copy.connectionsOpened = copy.connectionsClosed;
  return copy;
}

function captureSince(now: CaptureFacts, before: CaptureFacts | undefined): CaptureFacts {
  if (before === undefined) return now;
  const packets = now.packets - before.packets;
  return {
    ...now,
    packets,
    capturedBytes: now.capturedBytes - before.capturedBytes,
    originalBytes: now.originalBytes - before.originalBytes,
    fileBytes: now.fileBytes - before.fileBytes,
    // From the last packet before: when the first one of an interval came is not kept.
    firstNs: packets === 0 ? null : (before.lastNs ?? now.firstNs),
    lastNs: packets === 0 ? null : now.lastNs,
    interfaces: now.interfaces.map((one) => {
      const earlier = before.interfaces.find(({ number }) => number === one.number);
      return earlier === undefined ? one : interfaceSince(one, earlier);
    }),
    comments: now.comments.slice(before.comments.length),
    commentsDropped: now.commentsDropped - before.commentsDropped,
    skippedBlocks: Object.fromEntries(
      Object.entries(now.skippedBlocks)
        .map(([type, times]) => [type, times - (before.skippedBlocks[type] ?? 0)] as const)
        .filter(([, times]) => times > 0),
    ),
    timeReversals: now.timeReversals - before.timeReversals,
    damage: before.damage === null ? now.damage : null,
  };
}

function interfaceSince(now: CaptureInterface, before: CaptureInterface): CaptureInterface {
  const since = (value: number | null, earlier: number | null): number | null =>
    value === null ? null : value - (earlier ?? 0);
  return {
    ...now,
    packets: now.packets - before.packets,
    received: since(now.received, before.received),
    dropped: since(now.dropped, before.dropped),
  };
}

/** Puts the captures of intervals together again; the first interval with an interface describes it. */
export function joinIntervals(intervals: readonly (readonly CaptureFacts[])[]): CaptureFacts[] {
  const joined: CaptureFacts[] = [];
  for (const captures of intervals) {
    captures.forEach((capture, index) => {
      const before = joined[index];
      if (before === undefined) joined[index] = structuredClone(capture);
      else addCapture(before, capture);
    });
  }
  return joined;
}

function addCapture(sum: CaptureFacts, next: CaptureFacts): void {
  sum.packets += next.packets;
  sum.capturedBytes += next.capturedBytes;
  sum.originalBytes += next.originalBytes;
  sum.fileBytes += next.fileBytes;
  sum.firstNs ??= next.firstNs;
  sum.lastNs = next.lastNs ?? sum.lastNs;
  sum.comments.push(...next.comments);
  sum.commentsDropped += next.commentsDropped;
  sum.timeReversals += next.timeReversals;
  sum.damage ??= next.damage;
  for (const [type, times] of Object.entries(next.skippedBlocks))
    sum.skippedBlocks[type] = (sum.skippedBlocks[type] ?? 0) + times;
  for (const one of next.interfaces) {
    const before = sum.interfaces.find(({ number }) => number === one.number);
    if (before === undefined) {
      sum.interfaces.push({ ...one });
      continue;
    }
    before.packets += one.packets;
    before.received = addKnown(before.received, one.received);
    before.dropped = addKnown(before.dropped, one.dropped);
  }
}

function addKnown(one: number | null, other: number | null): number | null {
  return one === null || other === null ? (one ?? other) : one + other;
}
