import type { Connection } from '../../model/exchange.ts';
import type { Ledger } from '../../model/ledger.ts';
import type { Limits } from '../../model/limits.ts';
import type { Packet } from '../../model/packet.ts';
import {
  type ConsumerFactory,
  type Direction,
  FROM_CLIENT,
  FROM_SERVER,
  type SegmentFacts,
  type StreamConsumer,
} from '../../model/stream.ts';
import type { Frame } from '../frame.ts';
import type { PendingSegment } from './pending.ts';
import { distance } from './sequence.ts';
import { START_OFFSET, TcpDirection } from './tcp-direction.ts';
import { TCP_FLAG } from './tcp-header.ts';

/** Bytes by which a segment may miss the expected place before it is not taken for the same stream. */
const FAR_BYTES = 64 * 1024 * 1024;
/** So many segments in a row that are far, but follow each other, mean that the stream has really moved. */
const FAR_SEGMENTS = 4;
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
const facts: SegmentFacts = { timeNs: 0, packet: 0, capture: 0, ackOffset: -1 };

/**
 * One TCP connection: puts the segments of both directions in order and hands them on.
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
export class TcpConnection {
  // Key: the sender of the first packet is A. Addresses as in Frame.
  readonly a0: number;
  readonly a1: number;
  readonly a2: number;
  readonly a3: number;
  readonly b0: number;
  readonly b1: number;
  readonly b2: number;
  readonly b3: number;
  readonly aPort: number;
  readonly bPort: number;
  readonly hash: number;
  /** Links of the connection table, the least-recently-used list and the list of closed connections. */
  hashNext: TcpConnection | null = null;
  newer: TcpConnection | null = null;
  older: TcpConnection | null = null;
  closedNext: TcpConnection | null = null;
  closedNs: number | null = null;
  /** Both sides have sent a FIN, or one a reset: only stragglers are expected. */
  closed = false;
  finished = false;
  /** Packets of the run when the table last moved it to the front. */
  touched = 0;

  readonly facts: Connection;
  clientIsA: boolean;
  #client = new TcpDirection();
  #server = new TcpDirection();
  #consumer: StreamConsumer | null = null;
  readonly #context: TcpContext;
  /** Packets of this connection so far. */
  #arrivals = 0;
  #holding: boolean;
  /** Among the first packets, where a direction begins may still turn out to be earlier. */
  #opening = true;
  /** Only one direction has come for so long that the other one is taken to be outside of the capture. */
  #oneSided = false;

  constructor(context: TcpContext, frame: Frame, hash: number, connection: Connection, clientIsA: boolean) {
    this.#context = context;
    this.a0 = frame.src0;
    this.a1 = frame.src1;
    this.a2 = frame.src2;
    this.a3 = frame.src3;
    this.b0 = frame.dst0;
    this.b1 = frame.dst1;
    this.b2 = frame.dst2;
    this.b3 = frame.dst3;
    this.aPort = frame.srcPort;
    this.bPort = frame.dstPort;
    this.hash = hash;
    this.facts = connection;
    this.clientIsA = clientIsA;
    this.#holding = (frame.flags & TCP_FLAG.syn) === 0;
    connection.fromClient = this.#client.totals;
    connection.fromServer = this.#server.totals;
  }

  /** True while segments wait for others. */
  stalled(): boolean {
    return this.#client.hasPending() || this.#server.hasPending();
  }

  /**
   * True when this segment opens a new connection between the same ports: a SYN that does not belong to this
   * one, or a stream at quite another place.
   */
  isReuse(frame: Frame, direction: Direction): boolean {
    const side = this.#side(direction);
    if ((frame.flags & TCP_FLAG.syn) !== 0 && (frame.flags & TCP_FLAG.rst) === 0) {
      if (side.synSeen) return side.synSeq !== frame.seq;
      if (!side.started) return false;
      // Captured after the data it opened, it still stands before them; a new connection begins elsewhere.
      const ahead = distance(side.nextSeq, frame.seq);
      return ahead >= 0 || ahead < -FAR_BYTES / 64;
    }
    return false;
  }

  /** Takes a segment. `frame` stands at its payload; `direction` is by `clientIsA`. */
  segment(frame: Frame, packet: Packet, direction: Direction): void {
    const side = this.#side(direction);
    const other = this.#side(opposite(direction));
    const { ledger } = this.#context;
    const connection = this.facts;
    const { flags, timeNs } = frame;
    const wireBytes = frame.wireEnd - frame.offset;
    this.#arrivals += 1;
    if (this.#arrivals > OPENING_PACKETS) this.#opening = false;
    if (side.totals.packets === 0) this.#oneSided = false;
    side.totals.packets += 1;
    side.totals.payloadBytes += wireBytes;
    ledger.payloadBytes += wireBytes;
    if (timeNs > connection.lastNs) connection.lastNs = timeNs;

    let seq = frame.seq;
    if ((flags & TCP_FLAG.syn) !== 0) {
      this.#syn(frame, direction, side);
      seq = (seq + 1) | 0;
    } else {
      side.windowClosed = frame.window === 0 && (flags & TCP_FLAG.rst) === 0;
      if (side.windowClosed) side.totals.zeroWindows += 1;
    }

    let ackOffset = -1;
    if ((flags & TCP_FLAG.ack) !== 0) ackOffset = this.#acknowledge(frame, direction, other);
    if ((flags & TCP_FLAG.rst) !== 0) {
      ledger.discardedBytes += wireBytes;
      this.#reset(frame, packet, direction, side, ackOffset);
      return;
    }
    if (side.started) this.#beginEarlier(side, seq);
    if (wireBytes > 0 || (flags & TCP_FLAG.fin) !== 0) {
      if (!side.started) side.start(seq);
      const ahead = distance(side.nextSeq, seq);
      // A direction found by a keep-alive probe stands one byte further.
      if (ahead === 1 && side.foundEmpty && side.highestOffset === START_OFFSET) side.start(seq);
      if (ahead > FAR_BYTES || ahead < -FAR_BYTES) {
        // Until it has spoken itself, where a direction stands is only what the peer's acknowledgements say.
        if (side.highestOffset === START_OFFSET && !side.synSeen) side.start(seq);
        else if (!this.#far(side, direction, seq, wireBytes, packet, timeNs)) return;
      }
      this.#payload(frame, packet, direction, side, other, seq, wireBytes, ackOffset);
      if ((flags & TCP_FLAG.fin) !== 0) this.#fin(side, seq, wireBytes, packet, timeNs);
    } else if (!side.started) {
      side.start(seq);
      side.foundEmpty = (flags & TCP_FLAG.syn) === 0;
    } else if (distance(side.nextSeq, seq) === -1 && flags === TCP_FLAG.ack) side.totals.keepAlives += 1;
    if (this.#holding && (this.#arrivals > HOLD_PACKETS || (flags & TCP_FLAG.syn) !== 0)) this.#release();
    if (this.stalled()) this.drain(timeNs);
    else if (side.finOffset >= 0 || other.finOffset >= 0) this.#deliverFins();
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
    this.#opening = false;
    this.#deliverFins();
  }

  /** Ends the connection: everything waiting is delivered, then the consumer is told. */
  finish(reason: 'closed' | 'evicted' | 'capture-ended'): void {
    this.flush();
    this.#tailGap(FROM_CLIENT);
    this.#tailGap(FROM_SERVER);
    if (reason === 'evicted' && this.facts.end === 'open') this.facts.end = 'evicted';
    this.#consumer?.finish(reason);
    this.finished = true;
  }

  #side(direction: Direction): TcpDirection {
    return direction === FROM_CLIENT ? this.#client : this.#server;
  }

  #receiver(): StreamConsumer {
    this.#consumer ??= this.#context.consumerFor(this.facts);
    return this.#consumer;
  }

  #syn(frame: Frame, direction: Direction, side: TcpDirection): void {
    const connection = this.facts;
    const answer = (frame.flags & TCP_FLAG.ack) !== 0;
    if (side.synSeen) {
      if (!answer) connection.synRetransmissions += 1;
      return;
    }
    const fromServer = direction === FROM_SERVER;
    // The roles were guessed from a later packet; nothing has been told about them yet.
    if (answer !== fromServer && !this.#anyDelivered() && connection.opening === 'missed') this.#swapRoles();
    side.synSeen = true;
    side.synSeq = frame.seq;
    const first = (frame.seq + 1) | 0;
    if (!side.started) side.start(first);
    else if (!side.delivered) side.moveStart(first);
    if (answer) connection.synAckNs ??= frame.timeNs;
    else connection.synNs ??= frame.timeNs;
    connection.opening = connection.synNs !== null && connection.synAckNs !== null ? 'seen' : 'partial';
  }

  #anyDelivered(): boolean {
    return this.#client.delivered || this.#server.delivered;
  }

  #swapRoles(): void {
    const connection = this.facts;
    this.clientIsA = !this.clientIsA;
    [this.#client, this.#server] = [this.#server, this.#client];
    [connection.client, connection.server] = [connection.server, connection.client];
    connection.fromClient = this.#client.totals;
    connection.fromServer = this.#server.totals;
  }

  /**
   * What was seen first of a direction was not the first: as long as nothing was delivered, a lower number among
   * the first packets moves its beginning back. One below may be a keep-alive probe and tells nothing.
   */
  #beginEarlier(side: TcpDirection, seq: number): void {
    if (side.delivered || side.synSeen || !this.#opening) return;
    const ahead = distance(side.nextSeq, seq);
    if (ahead < -1 && ahead > -FAR_BYTES) side.moveStart(seq);
  }

  /** Notes the acknowledgement; returns its offset in the opposite direction, -1 when it makes no sense. */
  #acknowledge(frame: Frame, direction: Direction, other: TcpDirection): number {
    const connection = this.facts;
    if (
      direction === FROM_CLIENT &&
      connection.ackNs === null &&
      connection.synAckNs !== null &&
      (frame.flags & TCP_FLAG.syn) === 0
    ) {
      connection.ackNs = frame.timeNs;
    }
    if (!other.started) {
      if ((frame.flags & TCP_FLAG.rst) !== 0) return -1;
      other.start(frame.ack);
    } else if ((frame.flags & TCP_FLAG.syn) !== 0 && !other.synSeen && !other.delivered) {
      // A SYN/ACK acknowledges the SYN alone: the other direction begins there.
      other.moveStart(frame.ack);
    } else if ((frame.flags & TCP_FLAG.rst) === 0) this.#beginEarlier(other, frame.ack);
    const ahead = distance(other.nextSeq, frame.ack);
    if (ahead > FAR_BYTES || ahead < -FAR_BYTES) return -1;
    const ackOffset = other.nextOffset + ahead;
    if (ackOffset > other.ackedOffset) {
      other.ackedOffset = ackOffset;
      if (other.holeAckedArrival < 0 && ahead > 0 && other.hasPending())
        other.holeAckedArrival = this.#arrivals;
    }
    return ackOffset;
  }

  /** A segment far outside the window. True: the stream has moved there, and the segment is to be used. */
  #far(
    side: TcpDirection,
    direction: Direction,
    seq: number,
    wireBytes: number,
    packet: Packet,
    timeNs: number,
  ): boolean {
    const follows = side.farSegments > 0 && Math.abs(distance(side.farSeq, seq)) < FAR_BYTES / 4;
    side.farSegments = follows ? side.farSegments + 1 : 1;
    side.farSeq = (seq + wireBytes) | 0;
    if (side.farSegments < FAR_SEGMENTS) {
      this.#context.ledger.discardedBytes += wireBytes;
      return false;
    }
    // How much is missing is unknown; the nearest honest figure is one byte more than nothing.
    this.flush();
    const missing = Math.max(1, distance(side.nextSeq, seq));
    this.#setFacts(timeNs, packet.number, packet.capture, -1);
    this.#gap(side, direction, missing);
    side.nextSeq = seq;
    side.farSegments = 0;
    side.ackedOffset = -1;
    return true;
  }

  #payload(
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
    const offset = side.nextOffset + ahead;
    if (side.farSegments !== 0) side.farSegments = 0;
    if (ahead < 0 && !this.#holding) {
      // Into a closed window only probes are sent.
      if ((ahead === -1 && wireBytes <= 1) || other.windowClosed) side.totals.keepAlives += 1;
      else side.totals.retransmissions += 1;
      const seen = Math.min(left, -ahead);
      this.#context.ledger.duplicateBytes += seen;
      left -= seen;
      if (left === 0) return;
      start += seen;
      ahead = 0;
    } else if (offset < side.highestOffset && !this.#holding) {
      if (timeNs - side.highestNs <= OUT_OF_ORDER_NS) side.totals.outOfOrder += 1;
      else side.totals.retransmissions += 1;
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
      arrival: this.#arrivals,
    });
  }

  #wait(side: TcpDirection, segment: PendingSegment): void {
    const pending = side.waiting();
    const before = pending.heldBytes;
    this.#context.ledger.duplicateBytes += pending.add(segment);
    this.#context.pendingBytes += pending.heldBytes - before;
    if (side.holeAckedArrival < 0 && side.ackedOffset > side.nextOffset)
      side.holeAckedArrival = this.#arrivals;
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
    const side = this.#side(direction);
    const other = this.#side(opposite(direction));
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
      (this.#client.pending !== null && this.#client.pending.heldBytes > limit) ||
      (this.#server.pending !== null && this.#server.pending.heldBytes > limit);
    if (over) this.#context.ledger.evictedPending += 1;
    return over;
  }

  /**
   * Gives up waiting for the segment that has waited longest: declares its hole a gap, or the bytes that it
   * acknowledges. Only if it is overdue, or `force` is set. False: nothing was given up.
   */
  #giveUpOne(nowNs: number, force: boolean): boolean {
    const fromClient = this.#client.hasPending() ? this.#client.waiting().first().arrival : Infinity;
    const fromServer = this.#server.hasPending() ? this.#server.waiting().first().arrival : Infinity;
    const first: Direction = fromClient <= fromServer ? FROM_CLIENT : FROM_SERVER;
    const second = opposite(first);
    // What waits for bytes of the other side goes before them only if those do not wait behind a hole themselves.
    if (this.#waitsForHole(first))
      return this.#giveUp(second, nowNs, force) || this.#giveUp(first, nowNs, force);
    return (
      this.#giveUp(first, nowNs, force) ||
      (this.#side(second).hasPending() && this.#giveUp(second, nowNs, force))
    );
  }

  /** The first waiting segment of `direction` is in order, and the other side's first one is not. */
  #waitsForHole(direction: Direction): boolean {
    const side = this.#side(direction);
    const other = this.#side(opposite(direction));
    if (!other.hasPending() || side.waiting().first().offset > side.nextOffset) return false;
    return other.waiting().first().offset > other.nextOffset;
  }

  #giveUp(direction: Direction, nowNs: number, force: boolean): boolean {
    const side = this.#side(direction);
    const other = this.#side(opposite(direction));
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
    return (
      this.#arrivals - arrival > reorderPackets * patience || nowNs - timeNs > reorderMs * 1e6 * patience
    );
  }

  #release(): void {
    this.#holding = false;
    for (const side of [this.#client, this.#server]) {
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
    side.holeAckedArrival = -1;
    const offset = side.nextOffset;
    side.advance(length);
    side.delivered = true;
    this.#receiver().gap(direction, offset, length, cut, facts);
  }

  #fin(side: TcpDirection, seq: number, wireBytes: number, packet: Packet, timeNs: number): void {
    const offset = side.nextOffset + distance(side.nextSeq, seq) + wireBytes;
    if (side.finOffset >= 0) return;
    side.finOffset = offset;
    side.finNs = timeNs;
    side.finPacket = packet.number;
    side.finCapture = packet.capture;
    if (this.#client.finOffset >= 0 && this.#server.finOffset >= 0) this.closed = true;
    if (this.facts.end === 'open') {
      this.facts.end = side.totals === this.facts.fromClient ? 'closed-by-client' : 'closed-by-server';
    }
  }

  #deliverFins(): void {
    this.#deliverFin(FROM_CLIENT);
    this.#deliverFin(FROM_SERVER);
  }

  #deliverFin(direction: Direction): void {
    const side = this.#side(direction);
    if (side.finDelivered || side.finOffset < 0 || side.nextOffset < side.finOffset || this.#holding) return;
    // A direction that ends where it began may have begun earlier.
    if (this.#opening && !side.delivered && !side.synSeen) return;
    side.finDelivered = true;
    this.#setFacts(side.finNs, side.finPacket, side.finCapture, -1);
    this.#consumer?.fin(direction, facts);
  }

  #reset(frame: Frame, packet: Packet, direction: Direction, side: TcpDirection, ackOffset: number): void {
    // A reset must be in the window (RFC 9293 §3.10.7.4); answers to a SYN have sequence number 0.
    if (side.started && Math.abs(distance(side.nextSeq, frame.seq)) > FAR_BYTES && frame.seq !== 0) return;
    const connection = this.facts;
    if (!connection.end.startsWith('reset') && !(this.#client.finDelivered && this.#server.finDelivered)) {
      connection.end = side.totals === connection.fromClient ? 'reset-by-client' : 'reset-by-server';
    }
    this.closed = true;
    if (this.stalled()) this.drain(frame.timeNs);
    this.#setFacts(frame.timeNs, packet.number, packet.capture, ackOffset);
    this.#consumer?.reset(direction, facts);
  }

  /** Bytes that the peer acknowledged, but that never came: the capture lost the end of the direction. */
  #tailGap(direction: Direction): void {
    const side = this.#side(direction);
    let missing = side.ackedOffset - side.nextOffset;
    if (side.finOffset >= 0) missing = Math.min(missing, side.finOffset - side.nextOffset);
    // One byte alone is a FIN that was not captured.
    if (missing <= 1 || !side.started) return;
    this.#setFacts(this.facts.lastNs, 0, this.facts.capture, -1);
    this.#gap(side, direction, missing);
  }
}

function opposite(direction: Direction): Direction {
  return direction === FROM_CLIENT ? FROM_SERVER : FROM_CLIENT;
}
