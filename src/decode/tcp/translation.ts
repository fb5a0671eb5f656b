import type { Sighting } from '../../model/exchange.ts';
import { type Direction, FROM_CLIENT } from '../../model/stream.ts';
import type { Frame } from '../frame.ts';
import { readSignature } from './handshake-signature.ts';
import type { HeldSegment } from './held-segment.ts';
import { type Recognised, SegmentMemory } from './segment-memory.ts';
import type { TcpConnection } from './tcp-connection.ts';

/** SYNs remembered; a newcomer takes the place of who had its own. */
const SYNS = 1 << 12;
/** Segments remembered of connections found in mid-stream. */
const MIDSTREAM = 1 << 10;

/** The same connection on other addresses, behind address translation. */
export class Translation {
  readonly connection: TcpConnection;
  readonly hash: number;
  /** The next one with the same hash. */
  next: Translation | null;
  /** Addresses and ports as seen there, of the connection's A and B. */
  readonly a: readonly number[];
  readonly b: readonly number[];
  /** --port asks for connections on these addresses. */
  readonly isSelected: boolean;
  /** The server's first sequence number agrees as well: it is joined for good. */
  verified = false;
  serverIsn: number | null = null;
  /** What was seen before it is verified, by place. */
  readonly found: { readonly key: number; readonly sighting: Sighting }[] = [];
  /** Its SYN, in case it turns out to be a connection of its own. */
  syn: HeldSegment | null = null;

  constructor(
    connection: TcpConnection,
    frame: Frame,
    hash: number,
    next: Translation | null,
    sentByA: boolean,
    isSelected: boolean,
  ) {
    this.connection = connection;
    this.hash = hash;
    this.next = next;
    const source = [frame.src0, frame.src1, frame.src2, frame.src3, frame.srcPort];
    const destination = [frame.dst0, frame.dst1, frame.dst2, frame.dst3, frame.dstPort];
    this.a = sentByA ? source : destination;
    this.b = sentByA ? destination : source;
    this.isSelected = isSelected;
  }

  /** The direction of a segment with these addresses, or null. */
  directionOf(frame: Frame): Direction | null {
    if (isSource(this.a, frame) && isDestination(this.b, frame)) return this.connection.directionFrom(true);
    if (isSource(this.b, frame) && isDestination(this.a, frame)) return this.connection.directionFrom(false);
    return null;
  }
}

function isSource(end: readonly number[], { src0, src1, src2, src3, srcPort }: Frame): boolean {
  return end[0] === src0 && end[4] === srcPort && end[3] === src3 && end[1] === src1 && end[2] === src2;
}

function isDestination(end: readonly number[], { dst0, dst1, dst2, dst3, dstPort }: Frame): boolean {
  return end[0] === dst0 && end[4] === dstPort && end[3] === dst3 && end[1] === dst1 && end[2] === dst2;
}

/**
 * Finds connections again on other addresses, by what address translation leaves alone. A SYN: its sequence number,
 * its time stamp, its window and its other options but the MSS; without a time stamp the client's port and the IP identification too. In
 * mid-stream: both sequence numbers and both time stamps of one of the first segments.
 */
export class TranslationTable {
  readonly #byHash = new Map<number, Translation>();
  readonly #syns: SegmentMemory;
  readonly #midstream: SegmentMemory;
  /** The direction of the segment that `find` was last asked for. */
  foundDirection: Direction = FROM_CLIENT;

  constructor(withinMs: number) {
    this.#syns = new SegmentMemory(SYNS, withinMs);
    this.#midstream = new SegmentMemory(MIDSTREAM, withinMs);
  }

  get size(): number {
    return this.#byHash.size;
  }

  find(frame: Frame, hash: number): Translation | null {
    for (let one = this.#byHash.get(hash) ?? null; one !== null; one = one.next) {
      const direction = one.directionOf(frame);
      if (direction === null) continue;
      this.foundDirection = direction;
      return one;
    }
    return null;
  }

  add({ connection, sentByA }: Recognised, frame: Frame, hash: number, isSelected: boolean): Translation {
    const next = this.#byHash.get(hash) ?? null;
    const translation = new Translation(connection, frame, hash, next, sentByA, isSelected);
    this.#byHash.set(hash, translation);
    return translation;
  }

  remove(translation: Translation): void {
    let previous: Translation | null = null;
    for (let one = this.#byHash.get(translation.hash) ?? null; one !== null; one = one.next) {
      if (one !== translation) {
        previous = one;
        continue;
      }
      if (previous !== null) previous.next = one.next;
      else if (one.next !== null) this.#byHash.set(one.hash, one.next);
      else this.#byHash.delete(one.hash);
      return;
    }
  }

  /** Remembers a SYN (not a SYN/ACK) of `connection`, until that is forgotten. */
  rememberSyn(connection: TcpConnection, frame: Frame): void {
    const slot = synSlot(frame);
    connection.synSlot = slot;
    this.#syns.put(slot, frame, connection, connection.clientIsA);
  }

  /** Remembers one of the first segments of a connection found in mid-stream. */
  rememberSegment(connection: TcpConnection, frame: Frame, sentByA: boolean): void {
    if (hasTimestamps(frame)) this.#midstream.put(segmentSlot(frame), frame, connection, sentByA);
  }

  /** The connection is over, and nothing is to keep it. */
  forget(connection: TcpConnection): void {
    if (connection.synSlot >= 0) this.#syns.forget(connection.synSlot, connection);
  }

  /** The open connection that a SYN on unknown addresses belongs to, or null. */
  recogniseSyn(frame: Frame): Recognised | null {
    return this.#syns.syn(synSlot(frame), frame);
  }

  /** The same for a segment in mid-stream. */
  recogniseSegment(frame: Frame): Recognised | null {
    return hasTimestamps(frame) ? this.#midstream.segment(segmentSlot(frame), frame) : null;
  }
}

function hasTimestamps(frame: Frame): boolean {
  return readSignature(frame).hasTimestamps;
}

function synSlot(frame: Frame): number {
  const { stamp } = readSignature(frame);
  return mixed(Math.imul(frame.seq, 0x9e3779b1) ^ stamp) & (SYNS - 1);
}

function segmentSlot(frame: Frame): number {
  const { stamp } = readSignature(frame);
  return mixed(Math.imul(frame.seq, 0x9e3779b1) ^ Math.imul(frame.ack, 0x85ebca6b) ^ stamp) & (MIDSTREAM - 1);
}

function mixed(value: number): number {
  const once = Math.imul(value ^ (value >>> 15), 0xc2b2ae35);
  return once ^ (once >>> 13);
}
