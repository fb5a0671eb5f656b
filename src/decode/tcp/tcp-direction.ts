import type { Connection, DirectionTotals } from '../../model/exchange.ts';
import { historyLetters } from '../../model/history.ts';
import { PendingSegments } from './pending.ts';
import { advance, distance } from './sequence.ts';

/**
 * Offsets of a direction begin here rather than at 0, so that bytes and acknowledgements from before the
 * first packet seen still have positive ones. Small enough for offsets to stay small integers up to 2 GB.
 */
export const START_OFFSET = 2 ** 27;

export function emptyTotals(): DirectionTotals {
  return {
    packets: 0,
    ipBytes: 0,
    payloadBytes: 0,
    retransmissions: 0,
    outOfOrder: 0,
    zeroWindows: 0,
    keepAlives: 0,
    gaps: 0,
    gapBytes: 0,
  };
}

/** What is known of one direction of a connection: where it stands and what waits. */
export class TcpDirection {
  readonly totals: DirectionTotals = emptyTotals();
  /** False until a SYN, the first data or the peer's acknowledgement tell where the direction is. */
  started = false;
  /** It was found by a segment without payload, perhaps a keep-alive probe, which stands one byte too early. */
  foundEmpty = false;
  /** Bytes or a gap were handed on. */
  delivered = false;
  /** What of this direction stands in the connection's history already, as HISTORY bits. */
  history = 0;
  /** Its last segment advertised a closed receive window. */
  windowClosed = false;
  /** A SYN of this direction was seen; its sequence number. */
  synSeen = false;
  synSeq = 0;
  /** Sequence number and offset of the next byte to deliver; they always move together. */
  nextSeq = 0;
  nextOffset = START_OFFSET;
  /** One past the furthest byte seen, and when that was. */
  highestOffset = START_OFFSET;
  highestNs = 0;
  /** The furthest offset that the peer has acknowledged; -1 while unknown. */
  ackedOffset = -1;
  /** Packets of the connection when the acknowledgement of the present hole was first seen; -1: it was not. */
  holeAckedArrival = -1;
  /** Acknowledgements up to here are not waited for any more. */
  waivedOffset = -1;
  pending: PendingSegments | null = null;
  /** Place of the FIN; -1 while none was seen. */
  finOffset = -1;
  finNs = 0;
  finPacket = 0;
  finCapture = 0;
  finDelivered = false;
  /** Consecutive segments far outside the window, and where the last one ended. */
  farSegments = 0;
  farSeq = 0;

  /** Adds the letters of `bits` (HISTORY) that the connection's history does not have yet from this direction. */
  noteHistory(connection: Connection, bits: number): void {
    const fresh = bits & ~this.history;
    if (fresh === 0) return;
    this.history |= fresh;
    connection.history += historyLetters(fresh, this.totals === connection.fromClient);
  }

  start(seq: number): void {
    this.started = true;
    this.nextSeq = seq;
  }

  /** Moves the place of the next byte before anything was delivered; offsets of sequence numbers stay as they are. */
  moveStart(seq: number): void {
    this.nextOffset += distance(this.nextSeq, seq);
    this.nextSeq = seq;
  }

  /** Moves on by `count` bytes. */
  advance(count: number): void {
    this.nextSeq = advance(this.nextSeq, count);
    this.nextOffset += count;
    if (this.nextOffset > this.highestOffset) this.highestOffset = this.nextOffset;
  }

  hasPending(): boolean {
    return this.pending !== null && this.pending.length > 0;
  }

  /** The acknowledgement number that everything delivered so far justifies: a FIN counts as one byte. */
  deliveredLimit(): number {
    return this.finDelivered || this.finOffset === this.nextOffset ? this.nextOffset + 1 : this.nextOffset;
  }

  waiting(): PendingSegments {
    this.pending ??= new PendingSegments();
    return this.pending;
  }
}
