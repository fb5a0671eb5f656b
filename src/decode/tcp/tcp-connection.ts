import { type Connection, type Sighting, turnEndpoints } from '../../model/exchange.ts';
import { HISTORY, turnedHistory } from '../../model/history.ts';
import type { Ledger } from '../../model/ledger.ts';
import type { Packet } from '../../model/packet.ts';
import { type Direction, FROM_CLIENT, FROM_SERVER } from '../../model/stream.ts';
import type { Frame } from '../frame.ts';
import { CausalDelivery, type TcpContext } from './causal-delivery.ts';
import type { ConnectionPlaces } from './connection-places.ts';
import { distance } from './sequence.ts';
import { START_OFFSET, type TcpDirection } from './tcp-direction.ts';
import { TCP_FLAG } from './tcp-header.ts';

/** Bytes by which a segment may miss the expected place before it is not taken for the same stream. */
const FAR_BYTES = 64 * 1024 * 1024;
/** So many segments in a row that are far, but follow each other, mean that the stream has really moved. */
const FAR_SEGMENTS = 4;
/** Segments of a connection found in mid-stream by which it may be recognised on other addresses. */
const FIRST_SEGMENTS = 16;

/** What a segment takes in its direction: `endSeq` is one past its last number, that of a FIN included. */
export interface SegmentExtent {
  readonly direction: Direction;
  readonly flags: number;
  readonly endSeq: number;
}

/**
 * One TCP connection: who its ends are, how it opens and closes, and where each segment stands in it. Bytes go
 * through CausalDelivery, which puts them in order.
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
  /** Where its first packet was seen; see place-key.ts. */
  readonly key: number;
  readonly interfaceIndex: number | null;
  /** Of a connection found in mid-stream: so many segments more may show it on other addresses. */
  firstSegments: number;
  /** Where its SYN is remembered; -1: nowhere. */
  synSlot = -1;
  /** Another interface whose packets were taken for the own place's; perhaps it only sees them earlier. */
  stranger: { readonly key: number; readonly sighting: Sighting } | null = null;
  #places: ConnectionPlaces | null = null;

  readonly facts: Connection;
  clientIsA: boolean;
  readonly #ledger: Ledger;
  readonly #delivery: CausalDelivery;

  constructor(
    context: TcpContext,
    frame: Frame,
    hash: number,
    connection: Connection,
    clientIsA: boolean,
    key: number,
    interfaceIndex: number | null,
  ) {
    this.#ledger = context.ledger;
    this.key = key;
    this.interfaceIndex = interfaceIndex;
    this.firstSegments = (frame.flags & TCP_FLAG.syn) !== 0 ? 0 : FIRST_SEGMENTS;
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
    this.#delivery = new CausalDelivery(context, connection, (frame.flags & TCP_FLAG.syn) === 0);
    connection.fromClient = this.#delivery.client.totals;
    connection.fromServer = this.#delivery.server.totals;
  }

  /** Its places, when it is known to be seen at several. */
  get places(): ConnectionPlaces | null {
    return this.#places;
  }

  set places(places: ConnectionPlaces | null) {
    this.#places = places;
    this.#delivery.sightings = places;
  }

  /** True while segments wait for others. */
  stalled(): boolean {
    return this.#delivery.stalled();
  }

  /** Delivers what can be delivered, and gives up waiting where the limits say so. */
  drain(nowNs: number): void {
    this.#delivery.drain(nowNs);
  }

  /** Delivers everything that waits, with gaps where bytes are missing. */
  flush(): void {
    this.#delivery.flush();
  }

  /** Ends the connection: everything waiting is delivered, then the consumer is told. */
  finish(reason: 'closed' | 'evicted' | 'capture-ended'): void {
    if (reason === 'evicted' && this.facts.end === 'open') this.facts.end = 'evicted';
    this.#delivery.finish(reason);
    this.finished = true;
  }

  /**
   * True when this segment opens a new connection between the same ports: a SYN that does not belong to this
   * one, or a stream at quite another place.
   */
  isReuse(frame: Frame, direction: Direction): boolean {
    const side = this.#delivery.side(direction);
    if ((frame.flags & TCP_FLAG.syn) !== 0 && (frame.flags & TCP_FLAG.rst) === 0) {
      if (side.synSeen) return side.synSeq !== frame.seq;
      if (!side.started) return false;
      // Captured after the data it opened, it still stands before them; a new connection begins elsewhere.
      const ahead = distance(side.nextSeq, frame.seq);
      return ahead >= 0 || ahead < -FAR_BYTES / 64;
    }
    return false;
  }

  /** Place of sequence number `seq` in `direction`. */
  offsetOf(direction: Direction, seq: number): number {
    const side = this.#delivery.side(direction);
    return side.nextOffset + distance(side.nextSeq, seq);
  }

  /** The direction in which A (or B) sends. */
  directionFrom(sentByA: boolean): Direction {
    return sentByA === this.clientIsA ? FROM_CLIENT : FROM_SERVER;
  }

  /** After this segment of its own place, something may be said of other places: it is seen there, or may be. */
  needsLook({ flags }: Frame): boolean {
    return (
      this.#places !== null ||
      this.firstSegments > 0 ||
      (flags & (TCP_FLAG.syn | TCP_FLAG.ack)) === TCP_FLAG.syn
    );
  }

  /** HTTP has found client and server to be the other way round, which does not change the directions. */
  get isTurned(): boolean {
    return this.facts.fromClient !== this.#delivery.client.totals;
  }

  /** The sequence number of the byte at `offset` of `direction`. */
  seqAt(direction: Direction, offset: number): number {
    const side = this.#delivery.side(direction);
    return (side.nextSeq + (offset - side.nextOffset)) | 0;
  }

  /** True when the segment brings what has not been taken: bytes, or the beginning or the end of a direction. */
  lacks({ direction, flags, endSeq }: SegmentExtent): boolean {
    const side = this.#delivery.side(direction);
    if ((flags & TCP_FLAG.rst) !== 0) return !this.closed;
    if ((flags & TCP_FLAG.syn) !== 0 && !side.synSeen) return true;
    const isEnd = (flags & TCP_FLAG.fin) !== 0;
    if (isEnd && side.finOffset < 0) return true;
    if (!side.started) return true;
    return distance(side.nextSeq, isEnd ? (endSeq - 1) | 0 : endSeq) > 0;
  }

  /** The server's first sequence number: of its SYN, or as the client acknowledges it. null: not known yet. */
  serverIsn(): number | null {
    const { server } = this.#delivery;
    if (server.synSeen) return server.synSeq;
    return server.started && !server.delivered ? (server.nextSeq - 1) | 0 : null;
  }

  /** Takes a segment. `frame` stands at its payload; `direction` is by `clientIsA`. */
  segment(frame: Frame, packet: Packet, direction: Direction): void {
    const delivery = this.#delivery;
    const side = delivery.side(direction);
    const other = delivery.side(opposite(direction));
    const connection = this.facts;
    const { flags, timeNs } = frame;
    const wireBytes = frame.wireEnd - frame.offset;
    delivery.arrive(side);
    side.totals.payloadBytes += wireBytes;
    side.totals.ipBytes += frame.ipBytes;
    this.#ledger.payloadBytes += wireBytes;
    if (timeNs > connection.lastNs) connection.lastNs = timeNs;

    let seq = frame.seq;
    if ((flags & TCP_FLAG.syn) !== 0) {
      this.#syn(frame, direction, side);
      seq = (seq + 1) | 0;
    } else {
      side.windowClosed = frame.window === 0 && (flags & TCP_FLAG.rst) === 0;
      if (side.windowClosed) side.totals.zeroWindows += 1;
    }

    const happened = historyOf(flags, wireBytes, side.windowClosed);
    if ((happened & ~side.history) !== 0) side.noteHistory(connection, happened);
    let ackOffset = -1;
    if ((flags & TCP_FLAG.ack) !== 0) ackOffset = this.#acknowledge(frame, direction, other);
    if ((flags & TCP_FLAG.rst) !== 0) {
      this.#ledger.discardedBytes += wireBytes;
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
      delivery.payload(frame, packet, direction, side, other, seq, wireBytes, ackOffset);
      if ((flags & TCP_FLAG.fin) !== 0) this.#fin(side, seq, wireBytes, packet, timeNs);
    } else if (!side.started) {
      side.start(seq);
      side.foundEmpty = (flags & TCP_FLAG.syn) === 0;
    } else if (distance(side.nextSeq, seq) === -1 && flags === TCP_FLAG.ack) side.totals.keepAlives += 1;
    delivery.settle(timeNs, (flags & TCP_FLAG.syn) !== 0);
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
    if (answer !== fromServer && !this.#delivery.anyDelivered() && connection.opening === 'missed')
      this.#swapRoles();
    side.synSeen = true;
    side.synSeq = frame.seq;
    const first = (frame.seq + 1) | 0;
    if (!side.started) side.start(first);
    else if (!side.delivered) side.moveStart(first);
    if (answer) connection.synAckNs ??= frame.timeNs;
    else connection.synNs ??= frame.timeNs;
    connection.opening = connection.synNs !== null && connection.synAckNs !== null ? 'seen' : 'partial';
  }

  #swapRoles(): void {
    const connection = this.facts;
    this.clientIsA = !this.clientIsA;
    const delivery = this.#delivery;
    [delivery.client, delivery.server] = [delivery.server, delivery.client];
    turnEndpoints(connection);
    connection.fromClient = delivery.client.totals;
    connection.fromServer = delivery.server.totals;
    connection.history = turnedHistory(connection.history);
  }

  /**
   * What was seen first of a direction was not the first: as long as nothing was delivered, a lower number among
   * the first packets moves its beginning back. One below may be a keep-alive probe and tells nothing.
   */
  #beginEarlier(side: TcpDirection, seq: number): void {
    if (side.delivered || side.synSeen || !this.#delivery.opening) return;
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
        other.holeAckedArrival = this.#delivery.arrivals;
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
      this.#ledger.discardedBytes += wireBytes;
      return false;
    }
    // How much is missing is unknown; the nearest honest figure is one byte more than nothing.
    this.flush();
    const missing = Math.max(1, distance(side.nextSeq, seq));
    this.#delivery.skip(direction, missing, packet, timeNs);
    side.nextSeq = seq;
    side.farSegments = 0;
    side.ackedOffset = -1;
    return true;
  }

  #fin(side: TcpDirection, seq: number, wireBytes: number, packet: Packet, timeNs: number): void {
    const offset = side.nextOffset + distance(side.nextSeq, seq) + wireBytes;
    if (side.finOffset >= 0) return;
    side.finOffset = offset;
    side.finNs = timeNs;
    side.finPacket = packet.number;
    side.finCapture = packet.capture;
    if (this.#delivery.client.finOffset >= 0 && this.#delivery.server.finOffset >= 0) this.closed = true;
    if (this.facts.end === 'open') {
      this.facts.end = side.totals === this.facts.fromClient ? 'closed-by-client' : 'closed-by-server';
    }
  }

  #reset(frame: Frame, packet: Packet, direction: Direction, side: TcpDirection, ackOffset: number): void {
    // A reset must be in the window (RFC 9293 §3.10.7.4); answers to a SYN have sequence number 0.
    if (side.started && Math.abs(distance(side.nextSeq, frame.seq)) > FAR_BYTES && frame.seq !== 0) return;
    const connection = this.facts;
    if (
      !connection.end.startsWith('reset') &&
      !(this.#delivery.client.finDelivered && this.#delivery.server.finDelivered)
    ) {
      connection.end = side.totals === connection.fromClient ? 'reset-by-client' : 'reset-by-server';
    }
    this.closed = true;
    this.#delivery.reset(direction, packet, frame.timeNs, ackOffset);
  }
}

/** What a segment adds to the connection's history, as HISTORY bits. */
function historyOf(flags: number, payloadBytes: number, windowClosed: boolean): number {
  let bits = payloadBytes > 0 ? HISTORY.data : 0;
  if ((flags & TCP_FLAG.syn) !== 0) {
    if ((flags & (TCP_FLAG.fin | TCP_FLAG.rst)) !== 0) return bits | HISTORY.oddFlags;
    return bits | ((flags & TCP_FLAG.ack) !== 0 ? HISTORY.synAck : HISTORY.syn);
  }
  if ((flags & TCP_FLAG.fin) !== 0) bits |= HISTORY.fin;
  if ((flags & TCP_FLAG.rst) !== 0) bits |= HISTORY.rst;
  if (bits === 0) bits = HISTORY.ack;
  return windowClosed ? bits | HISTORY.closedWindow : bits;
}

function opposite(direction: Direction): Direction {
  return direction === FROM_CLIENT ? FROM_SERVER : FROM_CLIENT;
}
