import type { Frame } from '../decode/frame.ts';
import type { Direction } from '../model/stream.ts';

/** True when the sender's address and port come before the receiver's: the same answer for every packet of a flow. */
export function sentByLower(frame: Frame): boolean {
  const order =
    (frame.src0 >>> 0) - (frame.dst0 >>> 0) ||
    (frame.src1 >>> 0) - (frame.dst1 >>> 0) ||
    (frame.src2 >>> 0) - (frame.dst2 >>> 0) ||
    (frame.src3 >>> 0) - (frame.dst3 >>> 0) ||
    frame.srcPort - frame.dstPort;
  return order < 0;
}

/**
 * Which end of a connection sends in which direction. While a connection opens in disorder the answer may change;
 * the last one counts, which is why a further run must not take its own.
 */
export class Roles {
  /** By connection number: the lower end sends in direction 0. */
  readonly #lowerIsClient: boolean[] = [];

  note(connection: number, frame: Frame, direction: Direction): void {
    this.#lowerIsClient[connection] = sentByLower(frame) === (direction === 0);
  }

  /** The direction in which the frame's sender sends. */
  directionOf(connection: number, frame: Frame): Direction {
    return sentByLower(frame) === this.#lowerIsClient[connection] ? 0 : 1;
  }
}
