import type { Frame } from './frame.ts';

const SLOTS = 1 << 14;
/** Two interfaces see one packet within this time, unless clocks or queues are far apart. */
const OTHER_INTERFACE_NS = 1e9;
/** A mirror port or a capture on `any` without interface numbers repeats a packet within this time. */
const SAME_INTERFACE_NS = 10e6;
/** The same for packets without an IP identification, where only equal headers speak for it. */
const SAME_INTERFACE_UNNUMBERED_NS = 0.1e6;

function mix(hash: number, word: number): number {
  hash = Math.imul(hash ^ word, 0x85ebca6b);
  return hash ^ (hash >>> 15);
}

/**
 * Recognises a packet that was seen before: on another interface, or twice in one mirror. What routers and
 * bridges leave alone is compared: addresses, ports, sequence numbers, flags, window, TCP checksum, IP
 * identification and length. A retransmission by the sender has a new identification or comes later.
 * Fixed size: the last SLOTS packets or so are remembered, by a 32-bit signature.
 */
export class Sightings {
  readonly #signatures = new Int32Array(SLOTS);
  readonly #interfaces = new Int32Array(SLOTS).fill(-1);
  readonly #timesNs = new Float64Array(SLOTS);

  /** True: this is a further sighting. `interfaceNumber` must tell interfaces of the run apart. */
  seenBefore(frame: Frame, interfaceNumber: number): boolean {
    let hash = mix(frame.src0 ^ Math.imul(frame.src3, 31), frame.dst0 ^ Math.imul(frame.dst3, 37));
    hash = mix(hash, (frame.srcPort << 16) | frame.dstPort);
    hash = mix(hash, frame.seq);
    hash = mix(hash, frame.ack);
    hash = mix(hash, (frame.flags << 16) | frame.window);
    hash = mix(hash, (frame.checksum << 16) | frame.ipId);
    hash = mix(hash, (frame.wireEnd - frame.offset) ^ frame.src1 ^ frame.src2 ^ frame.dst1 ^ frame.dst2);
    const slot = hash & (SLOTS - 1);
    if (this.#signatures[slot] === hash && this.#interfaces[slot] !== -1) {
      const distanceNs = Math.abs(frame.timeNs - this.#timesNs[slot]);
      const windowNs =
        this.#interfaces[slot] !== interfaceNumber
          ? OTHER_INTERFACE_NS
          : frame.ipVersion === 4 && frame.ipId !== 0
            ? SAME_INTERFACE_NS
            : SAME_INTERFACE_UNNUMBERED_NS;
      if (distanceNs <= windowNs) return true;
    }
    this.#signatures[slot] = hash;
    this.#interfaces[slot] = interfaceNumber;
    this.#timesNs[slot] = frame.timeNs;
    return false;
  }
}
