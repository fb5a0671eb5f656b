import type { Frame } from './frame.ts';

const SLOTS = 1 << 14;
/** Two interfaces see one packet within this time, unless clocks or queues are far apart. */
const OTHER_INTERFACE_NS = 1e9;
/** A mirror port or a capture on `any` without interface numbers repeats a packet within this time. */
const SAME_INTERFACE_NS = 10e6;
/** The same for packets without an IP identification, where only equal headers speak for it. */
const SAME_INTERFACE_UNNUMBERED_NS = 0.1e6;

/** One record a slot, in one line of the processor's cache: words (signature, check, place), then the time as a double. */
const SLOT_WORDS = 8;
const CHECK = 1;
const PLACE = 2;
const SLOT_DOUBLES = SLOT_WORDS / 2;
const TIME = 2;

/**
 * Recognises a packet that was seen before: on another interface, or twice in one mirror. What routers and
 * bridges leave alone is compared: addresses, ports, sequence numbers, flags, window, TCP checksum, IP
 * identification and length. A retransmission by the sender has a new identification or comes later.
 * Fixed size: the last SLOTS packets or so are remembered, by two signatures of 32 bits.
 */
export class Sightings {
  readonly #words: Int32Array;
  /** NaN, which is near to no time: the slot is empty. */
  readonly #timesNs: Float64Array;

  /** What was found last had been seen at another place. */
  elsewhere = false;
  /** The place at which what was found last had been seen before. */
  earlierKey = 0;

  constructor() {
    const records = new ArrayBuffer(SLOTS * SLOT_WORDS * Int32Array.BYTES_PER_ELEMENT);
    this.#words = new Int32Array(records);
    this.#timesNs = new Float64Array(records);
    for (let slot = 0; slot < SLOTS; slot += 1) this.#timesNs[slot * SLOT_DOUBLES + TIME] = Number.NaN;
  }

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
    const words = this.#words;
    const at = slot * SLOT_WORDS;
    const timeAt = slot * SLOT_DOUBLES + TIME;
    if (words[at] === hash && words[at + CHECK] === check) {
      const distanceNs = Math.abs(frame.timeNs - this.#timesNs[timeAt]);
      const earlierKey = words[at + PLACE];
      const windowNs =
        earlierKey !== interfaceNumber
          ? OTHER_INTERFACE_NS
          : frame.ipVersion === 4 && frame.ipId !== 0
            ? SAME_INTERFACE_NS
            : SAME_INTERFACE_UNNUMBERED_NS;
      this.earlierKey = earlierKey;
      this.elsewhere = earlierKey !== interfaceNumber;
      if (distanceNs <= windowNs) return true;
    }
    words[at] = hash;
    words[at + CHECK] = check;
    words[at + PLACE] = interfaceNumber;
    this.#timesNs[timeAt] = frame.timeNs;
    return false;
  }
}
