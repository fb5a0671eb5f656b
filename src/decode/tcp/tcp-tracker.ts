import { type Connection, NO_SIGHTINGS } from '../../model/exchange.ts';
import { type Ledger, PACKET_REASON_NAMES } from '../../model/ledger.ts';
import type { Limits } from '../../model/limits.ts';
import type { Packet } from '../../model/packet.ts';
import {
  type ConsumerFactory,
  type Direction,
  FROM_CLIENT,
  FROM_SERVER,
  type SegmentObserver,
  type SegmentSighting,
} from '../../model/stream.ts';
import type { Frame } from '../frame.ts';
import type { TcpContext } from './causal-delivery.ts';
import { ConnectionTable, connectionHash } from './connection-table.ts';
import { endpoint } from './endpoint.ts';
import { FurtherSightings, tunnelsOf, vlansOf } from './further-sightings.ts';
import type { HeldSegment } from './held-segment.ts';
import { interfaceIndex, placeKey } from './place-key.ts';
import { TcpConnection } from './tcp-connection.ts';
import { emptyTotals } from './tcp-direction.ts';
import { TCP_FLAG } from './tcp-header.ts';

/** Capture time between two looks at connections that wait for something. */
const SWEEP_NS = 100e6;
const NO_TOTALS = emptyTotals();
const FURTHER_SIGHTING = PACKET_REASON_NAMES.indexOf('duplicate-sighting');
const NOT_SELECTED = PACKET_REASON_NAMES.indexOf('not-selected');

export interface TcpTrackerOptions {
  limits: Limits;
  ledger: Ledger;
  consumerFor: ConsumerFactory;
  /** Told when a connection is over, after its last byte; its facts are final. */
  onConnection: (connection: Connection) => void;
  /** Told of every segment after it was taken; null: nobody looks. */
  onSegment: SegmentObserver | null;
  /** Told of every further sighting of a segment of a known connection. */
  onSighting: SegmentObserver | null;
}

/** Sorts segments into connections, and ends connections: closed, pushed out by the limits, or by the capture's end. */
export class TcpTracker {
  readonly #table = new ConnectionTable();
  readonly #limits: Limits;
  readonly #ledger: Ledger;
  readonly #context: TcpContext;
  readonly #onConnection: (connection: Connection) => void;
  readonly #onSegment: SegmentObserver | null;
  readonly #onSighting: SegmentObserver | null;
  readonly #further: FurtherSightings;
  #sighting: SegmentSighting | null = null;
  /** Of the segment that was looked at last: its connection (null: it opens one), who sent it, and its hash. */
  #found: TcpConnection | null = null;
  #sentByA = true;
  #hash = 0;
  /** Connections in which segments wait, in the order in which they began to. */
  readonly #stalled = new Set<TcpConnection>();
  #nextSweepNs = Number.NEGATIVE_INFINITY;
  /** Closed connections that wait for stragglers, oldest first. */
  #firstClosed: TcpConnection | null = null;
  #lastClosed: TcpConnection | null = null;
  #closed = 0;

  constructor(options: TcpTrackerOptions) {
    this.#limits = options.limits;
    this.#ledger = options.ledger;
    this.#onConnection = options.onConnection;
    this.#onSegment = options.onSegment;
    this.#onSighting = options.onSighting;
    this.#further = new FurtherSightings(options.limits, {
      take: (connection, held) => this.#takeHeld(connection, held),
      open: (held, isSelected) => this.#openHeld(held, isSelected),
    });
    this.#context = {
      limits: options.limits,
      ledger: options.ledger,
      consumerFor: options.consumerFor,
      pendingBytes: 0,
    };
  }

  /**
   * True: the segment is a further sighting of one that is known, perhaps on other addresses, and not to be taken.
   * `isSelected`: --port asks for its addresses; others are looked at for address translation only.
   */
  isFurtherSighting(frame: Frame, packet: Packet, isSelected: boolean): boolean {
    const { timeNs } = frame;
    if (this.#firstClosed !== null) this.#finishClosed(timeNs);
    if (timeNs >= this.#nextSweepNs) this.#sweep(timeNs);
    const hash = connectionHash(frame);
    this.#hash = hash;
    for (;;) {
      this.#find(frame, hash);
      const look = this.#further.look(frame, packet, this.#found, this.#sentByA, hash, isSelected);
      if (look === 'own') return false;
      if (look === 'again') continue;
      const { connection, direction } = this.#further;
      if (connection !== null) {
        if (connection === this.#found) this.#table.touch(connection);
        if (this.#onSighting !== null)
          this.#sight(this.#onSighting, connection, direction, frame, packet, false);
      }
      return true;
    }
  }

  /** Takes the segment for which `isFurtherSighting` was false just before. */
  segment(frame: Frame, packet: Packet): void {
    let connection = this.#found;
    if (connection === null) {
      connection = this.#open(frame, this.#hash, packet, placeKey(packet, frame), interfaceIndex(packet));
      this.#sentByA = true;
    } else this.#table.touch(connection);
    const sentByA = this.#sentByA;
    if (connection.places !== null) {
      this.#further.beforeOwn(connection, frame, connection.directionFrom(sentByA));
    }
    this.#take(connection, frame, packet, sentByA, false);
    if (connection.needsLook(frame)) this.#further.afterOwn(connection, frame, sentByA);
  }

  /** Finds the connection of a segment, null where it opens a new one; a new one between the same ports ends the old. */
  #find(frame: Frame, hash: number): void {
    const table = this.#table;
    const connection = table.find(frame, hash);
    this.#sentByA = table.foundByA;
    this.#found = connection;
    if (connection === null || (frame.flags & TCP_FLAG.syn) === 0) return;
    if (!connection.isReuse(frame, connection.directionFrom(table.foundByA))) return;
    this.#finish(connection, 'closed');
    this.#found = null;
  }

  #take(connection: TcpConnection, frame: Frame, packet: Packet, sentByA: boolean, late: boolean): void {
    connection.segment(frame, packet, connection.directionFrom(sentByA));
    // Roles may have been turned round by the segment itself.
    if (this.#onSegment !== null) {
      this.#sight(this.#onSegment, connection, connection.directionFrom(sentByA), frame, packet, late);
    }
    if (connection.stalled()) this.#stall(connection);
    else if (this.#stalled.size > 0) this.#stalled.delete(connection);
    if (connection.closed && connection.closedNs === null) this.#queueClosed(connection, frame.timeNs);
  }

  /** Takes a segment that was told as a further sighting, and was the only one. */
  #takeHeld(connection: TcpConnection, held: HeldSegment): void {
    this.#ledger.notUsed[FURTHER_SIGHTING] -= 1;
    this.#ledger.segments += 1;
    const sentByA = connection.directionFrom(true) === held.direction;
    this.#take(connection, held.frame, held.packet, sentByA, true);
  }

  /** Takes a segment that was told as a further sighting, and belongs to a connection of its own. */
  #openHeld(held: HeldSegment, isSelected: boolean): void {
    this.#ledger.notUsed[FURTHER_SIGHTING] -= 1;
    if (!isSelected) {
      this.#ledger.notUsed[NOT_SELECTED] += 1;
      return;
    }
    this.#ledger.segments += 1;
    const { frame, packet } = held;
    const hash = connectionHash(frame);
    let connection = this.#table.find(frame, hash);
    let sentByA = this.#table.foundByA;
    if (connection === null) {
      connection = this.#open(frame, hash, packet, held.key, held.interfaceIndex);
      sentByA = true;
    }
    this.#take(connection, frame, packet, sentByA, true);
  }

  #sight(
    observer: SegmentObserver,
    connection: TcpConnection,
    direction: Direction,
    frame: Frame,
    packet: Packet,
    late: boolean,
  ): void {
    const { flags } = frame;
    const isSyn = (flags & TCP_FLAG.syn) !== 0;
    const hasAck = (flags & TCP_FLAG.ack) !== 0;
    const sighting: SegmentSighting = this.#sighting ?? {
      connection: connection.facts,
      direction,
      flags,
      offset: 0,
      ackOffset: -1,
      payloadBytes: 0,
      bytes: frame.bytes,
      start: 0,
      end: 0,
      packet,
      late,
    };
    sighting.connection = connection.facts;
    sighting.direction = direction;
    sighting.flags = flags;
    sighting.offset = connection.offsetOf(direction, isSyn ? (frame.seq + 1) | 0 : frame.seq);
    sighting.ackOffset = hasAck
      ? connection.offsetOf(direction === FROM_CLIENT ? FROM_SERVER : FROM_CLIENT, frame.ack)
      : -1;
    sighting.payloadBytes = frame.wireEnd - frame.offset;
    sighting.bytes = frame.bytes;
    sighting.start = frame.offset;
    sighting.end = Math.max(frame.offset, frame.end);
    sighting.packet = packet;
    sighting.late = late;
    this.#sighting = sighting;
    observer(sighting);
  }

  /** The capture has ended: everything open is brought to its end, oldest connection first. */
  finish(): void {
    for (let oldest = this.#table.oldest(); oldest !== null; oldest = this.#table.oldest()) {
      this.#finish(oldest, oldest.closedNs === null ? 'capture-ended' : 'closed');
    }
  }

  #open(frame: Frame, hash: number, packet: Packet, key: number, index: number | null): TcpConnection {
    // More than one only when the limit was lowered while packets came.
    while (this.#table.size >= this.#limits.connections) {
      const oldest = this.#table.oldest();
      if (oldest === null) break;
      if (oldest.closedNs === null) this.#ledger.evictedConnections += 1;
      this.#finish(oldest, oldest.closedNs === null ? 'evicted' : 'closed');
    }
    this.#ledger.connectionsOpened += 1;
    const clientIsA = senderIsClient(frame);
    const connection = new TcpConnection(
      this.#context,
      frame,
      hash,
      describe(frame, packet, clientIsA, this.#ledger.connectionsOpened),
      clientIsA,
      key,
      index,
    );
    this.#table.add(connection);
    return connection;
  }

  #finish(connection: TcpConnection, reason: 'closed' | 'evicted' | 'capture-ended'): void {
    this.#further.finish(connection);
    this.#table.remove(connection);
    this.#stalled.delete(connection);
    connection.finish(reason);
    this.#ledger.connectionsClosed += 1;
    this.#onConnection(connection.facts);
  }

  #stall(connection: TcpConnection): void {
    this.#stalled.add(connection);
    while (this.#context.pendingBytes > this.#limits.pendingBytesTotal) {
      const first = this.#stalled.values().next();
      if (first.done === true) return;
      this.#ledger.evictedPending += 1;
      first.value.flush();
      this.#stalled.delete(first.value);
    }
  }

  #sweep(nowNs: number): void {
    this.#nextSweepNs = nowNs + SWEEP_NS;
    this.#further.sweep(nowNs);
    for (const connection of this.#stalled) {
      connection.drain(nowNs);
      if (!connection.stalled()) this.#stalled.delete(connection);
    }
  }

  #queueClosed(connection: TcpConnection, nowNs: number): void {
    connection.closedNs = nowNs;
    if (this.#lastClosed === null) this.#firstClosed = connection;
    else this.#lastClosed.closedNext = connection;
    this.#lastClosed = connection;
    this.#closed += 1;
  }

  /** Ends closed connections that have waited long enough, or are too many. */
  #finishClosed(nowNs: number): void {
    const lingerNs = this.#limits.closedLingerMs * 1e6;
    for (let first = this.#firstClosed; first !== null; first = this.#firstClosed) {
      const tooMany = this.#closed > this.#limits.closedConnections;
      if (!first.finished && nowNs - (first.closedNs ?? nowNs) <= lingerNs && !tooMany) return;
      this.#firstClosed = first.closedNext;
      if (this.#firstClosed === null) this.#lastClosed = null;
      first.closedNext = null;
      this.#closed -= 1;
      if (first.finished) continue;
      // Stragglers came in the meantime: further ones are to be expected.
      if (!tooMany && nowNs - first.facts.lastNs <= lingerNs) this.#queueClosed(first, first.facts.lastNs);
      else this.#finish(first, 'closed');
    }
  }
}

/** Who began, as far as one packet tells: the SYN, else the higher port. */
function senderIsClient(frame: Frame): boolean {
  if ((frame.flags & TCP_FLAG.syn) !== 0) return (frame.flags & TCP_FLAG.ack) === 0;
  return frame.srcPort >= frame.dstPort;
}

function describe(frame: Frame, packet: Packet, senderIsTheClient: boolean, id: number): Connection {
  const sender = endpoint(frame.ipVersion, frame.src0, frame.src1, frame.src2, frame.src3, frame.srcPort);
  const receiver = endpoint(frame.ipVersion, frame.dst0, frame.dst1, frame.dst2, frame.dst3, frame.dstPort);
  return {
    id,
    client: senderIsTheClient ? sender : receiver,
    server: senderIsTheClient ? receiver : sender,
    opening: 'missed',
    vlans: vlansOf(frame),
    tunnels: tunnelsOf(frame),
    capture: packet.capture,
    interfaceNumber: packet.interfaceNumber,
    firstNs: frame.timeNs,
    lastNs: frame.timeNs,
    synNs: null,
    synAckNs: null,
    ackNs: null,
    synRetransmissions: 0,
    end: 'open',
    // The connection puts those of its directions here.
    fromClient: NO_TOTALS,
    fromServer: NO_TOTALS,
    exchanges: 0,
    history: '',
    sightings: NO_SIGHTINGS,
    packetsElsewhere: 0,
    protocol: 'none',
  };
}
