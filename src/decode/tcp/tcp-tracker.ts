import { type Connection, TUNNEL_KINDS, type Tunnel } from '../../model/exchange.ts';
import type { Ledger } from '../../model/ledger.ts';
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
import { TcpConnection } from './tcp-connection.ts';
import { emptyTotals } from './tcp-direction.ts';
import { TCP_FLAG } from './tcp-header.ts';

/** Capture time between two looks at connections that wait for something. */
const SWEEP_NS = 100e6;

const NO_NUMBERS: readonly number[] = Object.freeze([]);
const NO_TUNNELS: readonly Tunnel[] = Object.freeze([]);

export interface TcpTrackerOptions {
  limits: Limits;
  ledger: Ledger;
  consumerFor: ConsumerFactory;
  /** Told when a connection is over, after its last byte; its facts are final. */
  onConnection: (connection: Connection) => void;
  /** Told of every segment after it was taken; null: nobody looks. */
  onSegment: SegmentObserver | null;
}

/** Sorts segments into connections, and ends connections: closed, pushed out by the limits, or by the capture's end. */
export class TcpTracker {
  readonly #table = new ConnectionTable();
  readonly #limits: Limits;
  readonly #ledger: Ledger;
  readonly #context: TcpContext;
  readonly #onConnection: (connection: Connection) => void;
  readonly #onSegment: SegmentObserver | null;
  #sighting: SegmentSighting | null = null;
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
    this.#context = {
      limits: options.limits,
      ledger: options.ledger,
      consumerFor: options.consumerFor,
      pendingBytes: 0,
    };
  }

  segment(frame: Frame, packet: Packet): void {
    const { timeNs } = frame;
    if (this.#firstClosed !== null) this.#finishClosed(timeNs);
    if (timeNs >= this.#nextSweepNs) this.#sweep(timeNs);
    const hash = connectionHash(frame);
    const table = this.#table;
    let connection = table.find(frame, hash);
    if (connection === null) connection = this.#open(frame, packet, hash);
    else if (
      (frame.flags & TCP_FLAG.syn) !== 0 &&
      connection.isReuse(frame, directionOf(connection, table.foundByA))
    ) {
      this.#finish(connection, 'closed');
      connection = this.#open(frame, packet, hash);
    } else table.touch(connection);
    connection.segment(frame, packet, directionOf(connection, table.foundByA));
    if (this.#onSegment !== null) this.#sight(connection, frame, packet, table.foundByA);
    if (connection.stalled()) this.#stall(connection);
    else if (this.#stalled.size > 0) this.#stalled.delete(connection);
    if (connection.closed && connection.closedNs === null) this.#queueClosed(connection, timeNs);
  }

  #sight(connection: TcpConnection, frame: Frame, packet: Packet, sentByA: boolean): void {
    const { flags } = frame;
    const isSyn = (flags & TCP_FLAG.syn) !== 0;
    // Roles may have been turned round by the segment itself.
    const direction = directionOf(connection, sentByA);
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
    this.#sighting = sighting;
    this.#onSegment?.(sighting);
  }

  /** The capture has ended: everything open is brought to its end, oldest connection first. */
  finish(): void {
    for (let oldest = this.#table.oldest(); oldest !== null; oldest = this.#table.oldest()) {
      this.#finish(oldest, oldest.closedNs === null ? 'capture-ended' : 'closed');
    }
  }

  #open(frame: Frame, packet: Packet, hash: number): TcpConnection {
    if (this.#table.size >= this.#limits.connections) {
      const oldest = this.#table.oldest();
      if (oldest !== null) {
        if (oldest.closedNs === null) this.#ledger.evictedConnections += 1;
        this.#finish(oldest, oldest.closedNs === null ? 'evicted' : 'closed');
      }
    }
    this.#ledger.connectionsOpened += 1;
    const clientIsA = senderIsClient(frame);
    const connection = new TcpConnection(
      this.#context,
      frame,
      hash,
      describe(frame, packet, clientIsA, this.#ledger.connectionsOpened),
      clientIsA,
    );
    this.#table.add(connection);
    return connection;
  }

  #finish(connection: TcpConnection, reason: 'closed' | 'evicted' | 'capture-ended'): void {
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

function directionOf(connection: TcpConnection, sentByA: boolean): Direction {
  return sentByA === connection.clientIsA ? FROM_CLIENT : FROM_SERVER;
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
    vlans: frame.vlanCount === 0 ? NO_NUMBERS : Array.from(frame.vlans.subarray(0, frame.vlanCount)),
    tunnels: frame.tunnelCount === 0 ? NO_TUNNELS : describeTunnels(frame),
    capture: packet.capture,
    interfaceNumber: packet.interfaceNumber,
    firstNs: frame.timeNs,
    lastNs: frame.timeNs,
    synNs: null,
    synAckNs: null,
    ackNs: null,
    synRetransmissions: 0,
    end: 'open',
    fromClient: emptyTotals(),
    fromServer: emptyTotals(),
    exchanges: 0,
    history: '',
    protocol: 'none',
  };
}

function describeTunnels(frame: Frame): Tunnel[] {
  const tunnels: Tunnel[] = [];
  for (let index = 0; index < frame.tunnelCount; index += 1) {
    const id = frame.tunnelIds[index];
    tunnels.push({ kind: TUNNEL_KINDS[frame.tunnelKinds[index]], id: id < 0 ? null : id });
  }
  return tunnels;
}
