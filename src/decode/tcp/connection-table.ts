import type { Frame } from '../frame.ts';
import type { TcpConnection } from './tcp-connection.ts';

const INITIAL_BUCKETS = 1 << 12;
/** A connection moves to the front of the order only so often: moving it for every packet costs more than it tells. */
const TOUCH_PACKETS = 512;

/** Hash of a segment's addresses and ports that is the same for both directions. */
export function connectionHash(frame: Frame): number {
  const source = Math.imul(
    frame.src0 ^ Math.imul(frame.src1, 3) ^ Math.imul(frame.src2, 5) ^ Math.imul(frame.src3, 7),
    0x9e3779b1,
  );
  const destination = Math.imul(
    frame.dst0 ^ Math.imul(frame.dst1, 3) ^ Math.imul(frame.dst2, 5) ^ Math.imul(frame.dst3, 7),
    0x9e3779b1,
  );
  const a = Math.imul(source ^ frame.srcPort, 0x85ebca6b);
  const b = Math.imul(destination ^ frame.dstPort, 0x85ebca6b);
  const sum = (a ^ (a >>> 15)) + (b ^ (b >>> 15));
  return (sum ^ (sum >>> 13)) | 0;
}

/**
 * Open connections by addresses and ports, numbers only, without a key object or string per packet; and the
 * same connections in the order of their last packet, for eviction.
 */
export class ConnectionTable {
  #buckets: (TcpConnection | null)[] = new Array<TcpConnection | null>(INITIAL_BUCKETS).fill(null);
  #mask = INITIAL_BUCKETS - 1;
  size = 0;
  #packets = 0;
  #newest: TcpConnection | null = null;
  #oldest: TcpConnection | null = null;

  /** The sender of the segment that `find` was last asked for is the connection's A. */
  foundByA = true;

  find(frame: Frame, hash: number): TcpConnection | null {
    let connection = this.#buckets[hash & this.#mask];
    while (connection !== null) {
      if (connection.hash === hash) {
        if (sentByA(connection, frame)) {
          this.foundByA = true;
          return connection;
        }
        if (sentByB(connection, frame)) {
          this.foundByA = false;
          return connection;
        }
      }
      connection = connection.hashNext;
    }
    return null;
  }

  add(connection: TcpConnection): void {
    connection.touched = this.#packets;
    this.foundByA = true;
    if (this.size > this.#mask) this.#grow();
    const bucket = connection.hash & this.#mask;
    connection.hashNext = this.#buckets[bucket];
    this.#buckets[bucket] = connection;
    this.size += 1;
    this.#link(connection);
  }

  remove(connection: TcpConnection): void {
    const bucket = connection.hash & this.#mask;
    let previous: TcpConnection | null = null;
    let current = this.#buckets[bucket];
    while (current !== null && current !== connection) {
      previous = current;
      current = current.hashNext;
    }
    if (current === null) return;
    if (previous === null) this.#buckets[bucket] = connection.hashNext;
    else previous.hashNext = connection.hashNext;
    connection.hashNext = null;
    this.size -= 1;
    this.#unlink(connection);
  }

  /** Marks a connection as recently used; its place in the order is right to within TOUCH_PACKETS packets. */
  touch(connection: TcpConnection): void {
    this.#packets += 1;
    if (this.#packets - connection.touched < TOUCH_PACKETS) return;
    connection.touched = this.#packets;
    if (this.#newest === connection) return;
    this.#unlink(connection);
    this.#link(connection);
  }

  /** The least recently used connection. */
  oldest(): TcpConnection | null {
    return this.#oldest;
  }

  #link(connection: TcpConnection): void {
    connection.older = this.#newest;
    connection.newer = null;
    if (this.#newest !== null) this.#newest.newer = connection;
    this.#newest = connection;
    this.#oldest ??= connection;
  }

  #unlink(connection: TcpConnection): void {
    if (connection.older !== null) connection.older.newer = connection.newer;
    else this.#oldest = connection.newer;
    if (connection.newer !== null) connection.newer.older = connection.older;
    else this.#newest = connection.older;
    connection.older = null;
    connection.newer = null;
  }

  #grow(): void {
    const old = this.#buckets;
    this.#mask = old.length * 2 - 1;
    this.#buckets = new Array<TcpConnection | null>(old.length * 2).fill(null);
    for (let connection of old) {
      while (connection !== null) {
        const next: TcpConnection | null = connection.hashNext;
        const bucket = connection.hash & this.#mask;
        connection.hashNext = this.#buckets[bucket];
        this.#buckets[bucket] = connection;
        connection = next;
      }
    }
  }
}

/** True when the segment was sent by the connection's A to its B. */
function sentByA(connection: TcpConnection, frame: Frame): boolean {
  return (
    connection.a0 === frame.src0 &&
    connection.b0 === frame.dst0 &&
    connection.aPort === frame.srcPort &&
    connection.bPort === frame.dstPort &&
    connection.a3 === frame.src3 &&
    connection.b3 === frame.dst3 &&
    connection.a1 === frame.src1 &&
    connection.b1 === frame.dst1 &&
    connection.a2 === frame.src2 &&
    connection.b2 === frame.dst2
  );
}

function sentByB(connection: TcpConnection, frame: Frame): boolean {
  return (
    connection.b0 === frame.src0 &&
    connection.a0 === frame.dst0 &&
    connection.bPort === frame.srcPort &&
    connection.aPort === frame.dstPort &&
    connection.b3 === frame.src3 &&
    connection.a3 === frame.dst3 &&
    connection.b1 === frame.src1 &&
    connection.a1 === frame.dst1 &&
    connection.b2 === frame.src2 &&
    connection.a2 === frame.dst2
  );
}
