import type { Connection } from '../../model/exchange.ts';
import { HISTORY } from '../../model/history.ts';
import type { Ledger } from '../../model/ledger.ts';
import type { Limits } from '../../model/limits.ts';
import type { Packet } from '../../model/packet.ts';
import {
  type ConsumerFactory,
  type Direction,
  FROM_CLIENT,
  FROM_SERVER,
  type SegmentFacts,
  type SightingLog,
  type StreamConsumer,
} from '../../model/stream.ts';
import type { Frame } from '../frame.ts';
import type { PendingSegment } from './pending.ts';
import { distance } from './sequence.ts';
import { TcpDirection } from './tcp-direction.ts';

/** Packets of a connection found in mid-stream that are held before the first byte is delivered. */
const HOLD_PACKETS = 8;
/** Among the first packets of a connection, an earlier place than the one seen first is disorder. */
const OPENING_PACKETS = 16;
/** A hole filled within this time was reordering, later a retransmission; as Wireshark draws the line. */
const OUT_OF_ORDER_NS = 3e6;
/** Without any packet of the opposite direction there is no acknowledgement to wait for, only patience. */
const ONE_SIDED_PATIENCE = 4;

/** What connections share: one record, so that a connection carries a single reference. */
export interface TcpContext {
  limits: Limits;
  ledger: Ledger;
  consumerFor: ConsumerFactory;
  /** Budget in use by all connections. */
  pendingBytes: number;
}

/** The same facts for every delivery: read during the call only. */
const facts: SegmentFacts = {
  timeNs: 0,
  packet: 0,
  capture: 0,
  ackOffset: -1,
  sequenceBase: 0,
  peerSequenceBase: 0,
  sightings: null,
};

/**
 * Puts the segments of a connection's two directions in order and hands them on.
 *
 * In order means two things. Within a direction, by sequence number: a segment after a hole waits until the
 * hole is filled, or is known to be missing in the capture. And across the directions, causally: a segment
 * waits until everything that it acknowledges has been handed on. So a response always comes after its
 * request, whatever the order of the packets in the capture.
 *
 * A hole is missing in the capture when the receiver acknowledged bytes beyond it and the packet still has not
 * come `reorderPackets` packets or `reorderMs` later; without acknowledgement it is waited for until the
 * budget is reached or the connection ends.
 */
export class CausalDelivery {
  client = new TcpDirection();
  server = new TcpDirection();
  /** Packets of the connection so far. */
  arrivals = 0;
  /** Among the first packets, where a direction begins may still turn out to be earlier. */
  opening = true;
  /** Where its bytes were seen; null: at one place. */
  sightings: SightingLog | null = null;
  readonly #context: TcpContext;
  readonly #connection: Connection;
  #consumer: StreamConsumer | null = null;
  /** Found in mid-stream: the first packets are held, for the first one seen may not be the first. */
  #holding: boolean;
  /** Only one direction has come for so long that the other one is taken to be outside of the capture. */
  #oneSided = false;

  constructor(context: TcpContext, connection: Connection, holding: boolean) {
    this.#context = context;
    this.#connection = connection;
    this.#holding = holding;
  }

  side(direction: Direction): TcpDirection {
    return direction === FROM_CLIENT ? this.client : this.server;
  }

  /** True while segments wait for others. */
  stalled(): boolean {
    return this.client.hasPending() || this.server.hasPending();
  }

  anyDelivered(): boolean {
    return this.client.delivered || this.server.delivered;
  }

  /** Counts a packet of `side`. Before anything else is done with it. */
  arrive(side: TcpDirection): void {
    this.arrivals += 1;
    if (this.arrivals > OPENING_PACKETS) this.opening = false;
    if (side.totals.packets === 0) this.#oneSided = false;
    side.totals.packets += 1;
  }

  /** After a packet has been taken: delivers what it set free. `openingSeen`: it was a SYN. */
  settle(nowNs: number, openingSeen: boolean): void {
    if (this.#holding && (this.arrivals > HOLD_PACKETS || openingSeen)) this.#release();
    if (this.stalled()) this.drain(nowNs);
    else if (this.client.finOffset >= 0 || this.server.finOffset >= 0) this.#deliverFins();
  }

  /** Delivers what can be delivered, and gives up waiting where the limits say so. */
  drain(nowNs: number): void {
    if (this.#holding) return;
    for (;;) {
      this.#deliverReady();
      const over = this.#overBudget();
      if (!this.stalled() || !this.#giveUpOne(nowNs, over)) break;
    }
    this.#deliverFins();
  }

  /** Delivers everything that waits, with gaps where bytes are missing. Returns when nothing waits. */
  flush(): void {
    if (this.#holding) this.#release();
    for (;;) {
      this.#deliverReady();
      if (!this.stalled()) break;
      this.#giveUpOne(Number.POSITIVE_INFINITY, true);
    }
    this.opening = false;
    this.#deliverFins();
  }

  /** Ends the connection: everything waiting is delivered, then the consumer is told. */
  finish(reason: 'closed' | 'evicted' | 'capture-ended'): void {
    this.flush();
    this.#tailGap(FROM_CLIENT);
    this.#tailGap(FROM_SERVER);
    this.#consumer?.finish(reason);
  }

  /** Takes the payload of a segment, of `wireBytes` at `seq`; `frame` stands at it. */
  payload(
    frame: Frame,
    packet: Packet,
    direction: Direction,
    side: TcpDirection,
    other: TcpDirection,
    seq: number,
    wireBytes: number,
    ackOffset: number,
  ): void {
    if (wireBytes === 0) return;
    const { timeNs } = frame;
    let start = frame.offset;
    let left = wireBytes;
    let ahead = distance(side.nextSeq, seq);
    if (ahead === 1 && side.finDelivered && side.nextOffset === side.finOffset) {
      // The FIN took a sequence number, but no place among the bytes: what comes after it leaves no gap.
      side.nextSeq = seq;
      ahead = 0;
    }
    const offset = side.nextOffset + ahead;
    if (side.farSegments !== 0) side.farSegments = 0;
    if (ahead < 0 && !this.#holding) {
      // Into a closed window only probes are sent.
      if ((ahead === -1 && wireBytes <= 1) || other.windowClosed) side.totals.keepAlives += 1;
      else this.#retransmitted(side);
      const seen = Math.min(left, -ahead);
      this.#context.ledger.duplicateBytes += seen;
      left -= seen;
      if (left === 0) return;
      start += seen;
      ahead = 0;
    } else if (offset < side.highestOffset && !this.#holding) {
      if (timeNs - side.highestNs <= OUT_OF_ORDER_NS) side.totals.outOfOrder += 1;
      else this.#retransmitted(side);
    }
    if (offset + wireBytes > side.highestOffset) {
      side.highestOffset = offset + wireBytes;
      side.highestNs = timeNs;
    }
    if (ahead === 0 && !this.#holding && !side.hasPending() && this.#causal(side, other, ackOffset)) {
      this.#setFacts(timeNs, packet.number, packet.capture, ackOffset);
      this.#deliver(side, direction, frame.bytes, start, Math.max(start, frame.end), left);
      return;
    }
    this.#wait(side, {
      offset: offset + (wireBytes - left),
      bytes: frame.bytes.slice(start, Math.max(start, frame.end)),
      wireBytes: left,
      timeNs,
      packet: packet.number,
      capture: packet.capture,
      ackOffset,
      arrival: this.arrivals,
    });
  }

  #retransmitted(side: TcpDirection): void {
    side.totals.retransmissions += 1;
    side.noteHistory(this.#connection, HISTORY.retransmission);
  }

  #wait(side: TcpDirection, segment: PendingSegment): void {
    const pending = side.waiting();
    const before = pending.heldBytes;
    this.#context.ledger.duplicateBytes += pending.add(segment);
    this.#context.pendingBytes += pending.heldBytes - before;
    if (side.holeAckedArrival < 0 && side.ackedOffset > side.nextOffset)
      side.holeAckedArrival = this.arrivals;
  }

  /** True when everything that a segment of `side` acknowledges has been delivered, or is not waited for. */
  #causal(side: TcpDirection, other: TcpDirection, ackOffset: number): boolean {
    return ackOffset <= other.deliveredLimit() || ackOffset <= side.waivedOffset || this.#oneSided;
  }

  #deliverReady(): void {
    for (let moved = true; moved; ) {
      moved = this.#deliverReadyOf(FROM_CLIENT);
      if (this.#deliverReadyOf(FROM_SERVER)) moved = true;
    }
  }

  #deliverReadyOf(direction: Direction): boolean {
    const side = this.side(direction);
    const other = this.side(opposite(direction));
    const { pending } = side;
    let moved = false;
    while (pending !== null && pending.length > 0) {
      const segment = pending.first();
      if (segment.offset > side.nextOffset || !this.#causal(side, other, segment.ackOffset)) break;
      this.#take(side);
      const seen = side.nextOffset - segment.offset;
      if (seen >= segment.wireBytes) {
        this.#context.ledger.duplicateBytes += segment.wireBytes;
        continue;
      }
      this.#context.ledger.duplicateBytes += seen;
      this.#setFacts(segment.timeNs, segment.packet, segment.capture, segment.ackOffset);
      const start = Math.min(seen, segment.bytes.length);
      this.#deliver(side, direction, segment.bytes, start, segment.bytes.length, segment.wireBytes - seen);
      moved = true;
    }
    return moved;
  }

  /** Removes the first waiting segment of `side` and keeps the budget true. */
  #take(side: TcpDirection): void {
    const pending = side.waiting();
    const before = pending.heldBytes;
    pending.removeFirst();
    this.#context.pendingBytes += pending.heldBytes - before;
    side.holeAckedArrival = -1;
  }

  #overBudget(): boolean {
    const limit = this.#context.limits.pendingBytesPerDirection;
    const over =
      (this.client.pending !== null && this.client.pending.heldBytes > limit) ||
      (this.server.pending !== null && this.server.pending.heldBytes > limit);
    if (over) this.#context.ledger.evictedPending += 1;
    return over;
  }

  /**
   * Gives up waiting for the segment that has waited longest: declares its hole a gap, or the bytes that it
   * acknowledges. Only if it is overdue, or `force` is set. False: nothing was given up.
   */
  #giveUpOne(nowNs: number, force: boolean): boolean {
    const fromClient = this.client.hasPending() ? this.client.waiting().first().arrival : Infinity;
    const fromServer = this.server.hasPending() ? this.server.waiting().first().arrival : Infinity;
    const first: Direction = fromClient <= fromServer ? FROM_CLIENT : FROM_SERVER;
    const second = opposite(first);
    // What waits for bytes of the other side goes before them only if those do not wait behind a hole themselves.
    if (this.#waitsForHole(first))
      return this.#giveUp(second, nowNs, force) || this.#giveUp(first, nowNs, force);
    return (
      this.#giveUp(first, nowNs, force) ||
      (this.side(second).hasPending() && this.#giveUp(second, nowNs, force))
    );
  }

  /** The first waiting segment of `direction` is in order, and the other side's first one is not. */
  #waitsForHole(direction: Direction): boolean {
    const side = this.side(direction);
    const other = this.side(opposite(direction));
    if (!other.hasPending() || side.waiting().first().offset > side.nextOffset) return false;
    return other.waiting().first().offset > other.nextOffset;
  }

  #giveUp(direction: Direction, nowNs: number, force: boolean): boolean {
    const side = this.side(direction);
    const other = this.side(opposite(direction));
    const segment = side.waiting().first();
    const hole = segment.offset - side.nextOffset;
    if (hole > 0) {
      if (!force && !this.#holeIsOverdue(side, other, segment, nowNs)) return false;
      this.#setFacts(segment.timeNs, segment.packet, segment.capture, segment.ackOffset);
      this.#gap(side, direction, hole);
      return true;
    }
    // In order, but it acknowledges what has not come.
    if (!force && (other.hasPending() || !this.#overdue(segment.arrival, segment.timeNs, nowNs, 1)))
      return false;
    side.waivedOffset = Math.max(side.waivedOffset, segment.ackOffset);
    if (other.totals.packets === 0) this.#oneSided = true;
    const missing = segment.ackOffset - other.nextOffset;
    // At the end of a connection nothing comes any more. One byte alone is a FIN that was not captured.
    if (force && !other.hasPending() && missing > 1) {
      this.#setFacts(segment.timeNs, segment.packet, segment.capture, -1);
      this.#gap(other, opposite(direction), missing);
    }
    return true;
  }

  #holeIsOverdue(side: TcpDirection, other: TcpDirection, segment: PendingSegment, nowNs: number): boolean {
    if (other.totals.packets === 0) {
      return this.#overdue(segment.arrival, segment.timeNs, nowNs, ONE_SIDED_PATIENCE);
    }
    if (side.ackedOffset <= side.nextOffset) return false;
    const since = Math.max(segment.arrival, side.holeAckedArrival);
    return this.#overdue(since, segment.timeNs, nowNs, 1);
  }

  #overdue(arrival: number, timeNs: number, nowNs: number, patience: number): boolean {
    const { reorderPackets, reorderMs } = this.#context.limits;
    return this.arrivals - arrival > reorderPackets * patience || nowNs - timeNs > reorderMs * 1e6 * patience;
  }

  #release(): void {
    this.#holding = false;
    for (const side of [this.client, this.server]) {
      if (!side.hasPending()) continue;
      const back = side.waiting().first().offset - side.nextOffset;
      if (back < 0 && !side.synSeen) side.moveStart((side.nextSeq + back) | 0);
    }
  }

  #setFacts(timeNs: number, packet: number, capture: number, ackOffset: number): void {
    facts.timeNs = timeNs;
    facts.packet = packet;
    facts.capture = capture;
    facts.ackOffset = ackOffset;
    facts.sightings = this.sightings;
  }

  /** Delivers `bytes[start, end)` and, where the snaplen cut, the rest of `wireBytes` as a gap. */
  #deliver(
    side: TcpDirection,
    direction: Direction,
    bytes: Uint8Array,
    start: number,
    end: number,
    wireBytes: number,
  ): void {
    const captured = Math.min(end - start, wireBytes);
    side.delivered = true;
    if (side.pending?.conflict === true) {
      side.pending.conflict = false;
      this.#receiver().anomaly(direction, 'overlap-conflict');
    }
    if (captured > 0) {
      const offset = side.nextOffset;
      const peer = this.side(opposite(direction));
      facts.sequenceBase = (side.nextSeq - offset) | 0;
      facts.peerSequenceBase = (peer.nextSeq - peer.nextOffset) | 0;
      side.advance(captured);
      this.#context.ledger.deliveredBytes += captured;
      this.#receiver().data(direction, bytes, start, start + captured, offset, facts);
    }
    if (captured < wireBytes) {
      this.#context.ledger.cutBytes += wireBytes - captured;
      this.#gap(side, direction, wireBytes - captured, true);
    }
  }

  #gap(side: TcpDirection, direction: Direction, length: number, cut = false): void {
    const { ledger } = this.#context;
    ledger.gaps += 1;
    ledger.gapBytes += length;
    side.totals.gaps += 1;
    side.totals.gapBytes += length;
    side.noteHistory(this.#connection, HISTORY.gap);
    side.holeAckedArrival = -1;
    const offset = side.nextOffset;
    side.advance(length);
    side.delivered = true;
    this.#receiver().gap(direction, offset, length, cut, facts);
  }

  /** Declares `length` bytes missing that come next in `direction`, as the segment of `packet` shows. */
  skip(direction: Direction, length: number, packet: Packet, timeNs: number): void {
    this.#setFacts(timeNs, packet.number, packet.capture, -1);
    this.#gap(this.side(direction), direction, length);
  }

  /** Tells that `by` has reset the connection. What came before is delivered first, as far as it is in order. */
  reset(by: Direction, packet: Packet, timeNs: number, ackOffset: number): void {
    // Nothing earlier is waited for any more, also not on a connection found in mid-stream.
    if (this.#holding) this.#release();
    if (this.stalled()) this.drain(timeNs);
    this.#setFacts(timeNs, packet.number, packet.capture, ackOffset);
    this.#consumer?.reset(by, facts);
  }

  #deliverFins(): void {
    this.#deliverFin(FROM_CLIENT);
    this.#deliverFin(FROM_SERVER);
  }

  #deliverFin(direction: Direction): void {
    const side = this.side(direction);
    if (side.finDelivered || side.finOffset < 0 || side.nextOffset < side.finOffset || this.#holding) return;
    // A direction that ends where it began may have begun earlier.
    if (this.opening && !side.delivered && !side.synSeen) return;
    side.finDelivered = true;
    this.#setFacts(side.finNs, side.finPacket, side.finCapture, -1);
    this.#consumer?.fin(direction, facts);
  }

  #receiver(): StreamConsumer {
    this.#consumer ??= this.#context.consumerFor(this.#connection);
    return this.#consumer;
  }

  /** Bytes that the peer acknowledged, but that never came: the capture lost the end of the direction. */
  #tailGap(direction: Direction): void {
    const side = this.side(direction);
    let missing = side.ackedOffset - side.nextOffset;
    if (side.finOffset >= 0) missing = Math.min(missing, side.finOffset - side.nextOffset);
    // One byte alone is a FIN that was not captured.
    if (missing <= 1 || !side.started) return;
    this.#setFacts(this.#connection.lastNs, 0, this.#connection.capture, -1);
    this.#gap(side, direction, missing);
  }
}

function opposite(direction: Direction): Direction {
  return direction === FROM_CLIENT ? FROM_SERVER : FROM_CLIENT;
}
