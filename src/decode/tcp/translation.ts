import type { Sighting } from '../../model/exchange.ts';
import { type Direction, FROM_CLIENT } from '../../model/stream.ts';
import type { Frame } from '../frame.ts';
import { readSignature } from './handshake-signature.ts';
import type { HeldSegment } from './held-segment.ts';
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

/** What address translation leaves of a segment. */
interface Look {
  readonly timeNs: number;
  readonly seq: number;
  readonly ack: number;
  readonly hasTimestamps: boolean;
  readonly stamp: number;
  readonly echo: number;
  readonly others: number;
  readonly window: number;
  readonly flags: number;
  readonly clientPort: number;
  readonly ipId: number;
  readonly wireBytes: number;
}

interface Remembered extends Look {
  readonly connection: TcpConnection;
  /** Its sender is the connection's A. */
  readonly sentByA: boolean;
}

/** What a segment on unknown addresses was found to be. */
export interface Recognised {
  readonly connection: TcpConnection;
  /** Its sender is the connection's A. */
  readonly sentByA: boolean;
}

/**
 * Finds connections again on other addresses, by what address translation leaves alone. A SYN: its sequence number,
 * its time stamp, its window and its other options but the MSS; without a time stamp the client's port and the IP identification too. In
 * mid-stream: both sequence numbers and both time stamps of one of the first segments.
 */
export class TranslationTable {
  readonly #withinNs: number;
  readonly #byHash = new Map<number, Translation>();
  readonly #syns: (Remembered | null)[] = new Array<Remembered | null>(SYNS).fill(null);
  readonly #midstream: (Remembered | null)[] = new Array<Remembered | null>(MIDSTREAM).fill(null);
  /** The direction of the segment that `find` was last asked for. */
  foundDirection: Direction = FROM_CLIENT;

  constructor(withinMs: number) {
    this.#withinNs = withinMs * 1e6;
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

  /** Remembers a SYN (not a SYN/ACK) of `connection`. */
  rememberSyn(connection: TcpConnection, frame: Frame): void {
    const one = { ...lookOf(frame), connection, sentByA: connection.clientIsA };
    this.#syns[synSlot(one)] = one;
  }

  /** Remembers one of the first segments of a connection found in mid-stream. */
  rememberSegment(connection: TcpConnection, frame: Frame, sentByA: boolean): void {
    const one = { ...lookOf(frame), connection, sentByA };
    if (one.hasTimestamps) this.#midstream[segmentSlot(one)] = one;
  }

  /** The open connection that a SYN on unknown addresses belongs to, or null. */
  recogniseSyn(frame: Frame): Recognised | null {
    const fresh = lookOf(frame);
    const known = this.#syns[synSlot(fresh)];
    return known !== null &&
      this.#alike(known, fresh) &&
      known.others === fresh.others &&
      (fresh.hasTimestamps ||
        (known.clientPort === fresh.clientPort && known.ipId === fresh.ipId && fresh.ipId !== 0))
      ? known
      : null;
  }

  /** The same for a segment in mid-stream. */
  recogniseSegment(frame: Frame): Recognised | null {
    const fresh = lookOf(frame);
    if (!fresh.hasTimestamps) return null;
    const known = this.#midstream[segmentSlot(fresh)];
    return known !== null &&
      this.#alike(known, fresh) &&
      known.ack === fresh.ack &&
      known.echo === fresh.echo &&
      known.wireBytes === fresh.wireBytes
      ? known
      : null;
  }

  #alike(known: Remembered, fresh: Look): boolean {
    return (
      !known.connection.finished &&
      known.seq === fresh.seq &&
      known.stamp === fresh.stamp &&
      known.hasTimestamps === fresh.hasTimestamps &&
      known.window === fresh.window &&
      known.flags === fresh.flags &&
      Math.abs(known.timeNs - fresh.timeNs) <= this.#withinNs
    );
  }
}

function lookOf(frame: Frame): Look {
  const { hasTimestamps, stamp, echo, others } = readSignature(frame);
  return {
    timeNs: frame.timeNs,
    seq: frame.seq,
    ack: frame.ack,
    hasTimestamps,
    stamp,
    echo,
    others,
    window: frame.window,
    flags: frame.flags,
    clientPort: frame.srcPort,
    ipId: frame.ipId,
    wireBytes: frame.wireEnd - frame.offset,
  };
}

function synSlot({ seq, stamp }: Look): number {
  return mixed(Math.imul(seq, 0x9e3779b1) ^ stamp) & (SYNS - 1);
}

function segmentSlot({ seq, ack, stamp }: Look): number {
  return mixed(Math.imul(seq, 0x9e3779b1) ^ Math.imul(ack, 0x85ebca6b) ^ stamp) & (MIDSTREAM - 1);
}

function mixed(value: number): number {
  const once = Math.imul(value ^ (value >>> 15), 0xc2b2ae35);
  return once ^ (once >>> 13);
}
