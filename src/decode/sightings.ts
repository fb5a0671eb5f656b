import type { Frame } from './frame.ts';

const SLOTS = 1 << 14;
/** Two interfaces see one packet within this time, unless clocks or queues are far apart. */
const OTHER_INTERFACE_NS = 1e9;
/** A mirror port or a capture on `any` without interface numbers repeats a packet within this time. */
const SAME_INTERFACE_NS = 10e6;
/** The same for packets without an IP identification, where only equal headers speak for it. */
const SAME_INTERFACE_UNNUMBERED_NS = 0.1e6;

/**
 * Recognises a packet that was seen before: on another interface, or twice in one mirror. What routers and
 * bridges leave alone is compared: addresses, ports, sequence numbers, flags, window, TCP checksum, IP
 * identification and length. A retransmission by the sender has a new identification or comes later.
 * Fixed size: the last SLOTS packets or so are remembered, by two signatures of 32 bits.
 */
export class Sightings {
  readonly #signatures = new Int32Array(SLOTS);
  readonly #checks = new Int32Array(SLOTS);
  readonly #interfaces = new Int32Array(SLOTS);
  /** NaN, which is near to no time: the slot is empty. */
  readonly #timesNs = new Float64Array(SLOTS).fill(Number.NaN);

  /** What was found last had been seen at another place. */
  elsewhere = false;
  /** The place at which what was found last had been seen before. */
  earlierKey = 0;

  /** True: this is a further sighting. `interfaceNumber` must tell places of the run apart; see tcp/place-key.ts. */
  seenBefore(frame: Frame, interfaceNumber: number): boolean {
    let hash = Math.imul(frame.seq ^ (frame.checksum << 16), 0x85ebca6b) ^ frame.ack;
    hash = Math.imul(hash ^ (hash >>> 15), 0xc2b2ae35) ^ ((frame.ipId << 16) | frame.window);
    hash = Math.imul(hash ^ (hash >>> 13), 0x9e3779b1) ^ ((frame.srcPort << 16) | frame.dstPort);
    hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b) ^ frame.src0 ^ (frame.src3 << 1) ^ (frame.flags << 24);
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35) ^ frame.dst0 ^ (frame.dst3 << 1);
    hash = Math.imul(hash ^ (hash >>> 15), 0x9e3779b1) ^ (frame.wireEnd - frame.offset);
    const slot = hash & (SLOTS - 1);
    const check =
      (frame.seq + Math.imul(frame.ack, 31) + Math.imul(frame.src0, 17) + frame.dst0) ^ (frame.ipId << 8);
    if (this.#signatures[slot] === hash && this.#checks[slot] === check) {
      const distanceNs = Math.abs(frame.timeNs - this.#timesNs[slot]);
      const windowNs =
        this.#interfaces[slot] !== interfaceNumber
          ? OTHER_INTERFACE_NS
          : frame.ipVersion === 4 && frame.ipId !== 0
            ? SAME_INTERFACE_NS
            : SAME_INTERFACE_UNNUMBERED_NS;
      this.earlierKey = this.#interfaces[slot];
      this.elsewhere = this.earlierKey !== interfaceNumber;
      if (distanceNs <= windowNs) return true;
    }
    this.#signatures[slot] = hash;
    this.#checks[slot] = check;
    this.#interfaces[slot] = interfaceNumber;
    this.#timesNs[slot] = frame.timeNs;
    return false;
  }
}
