/**
 * The ring of AF_PACKET, version 3 (linux/if_packet.h, Documentation/networking/packet_mmap.rst): blocks of packets
 * of any length, which the kernel and the reader hand to each other by a status word. All fields are in the
 * machine's byte order but for the protocol, which is in network order.
 */

/** struct tpacket_block_desc. */
export const BLOCK = {
  status: 8,
  packets: 12,
  firstPacket: 16,
  bytes: 48,
} as const;

/** struct tpacket3_hdr, and the struct sockaddr_ll behind it. Multiples of 8. */
export const HEADER = {
  nextOffset: 0,
  seconds: 4,
  nanoseconds: 8,
  capturedBytes: 12,
  originalBytes: 16,
  status: 20,
  /** Two bytes each: where the link header and the network header begin, from here. */
  macOffset: 24,
  netOffset: 26,
  vlanTci: 32,
  vlanTpid: 36,
  address: 48,
  /** One past the address: packet bytes cannot begin before. */
  bytes: 68,
} as const;

/** struct sockaddr_ll. */
export const ADDRESS = {
  family: 0,
  protocol: 2,
  interfaceIndex: 4,
  hardwareType: 8,
  packetType: 10,
  addressBytes: 11,
  address: 12,
  bytes: 20,
} as const;

/** A block's status: the reader's when this bit is set, the kernel's when the word is 0. */
export const BLOCK_IS_OURS = 1;
/** Handed over because its time was up, before it was full. */
export const BLOCK_TIMED_OUT = 1 << 5;
export const VLAN_VALID = 1 << 4;
export const VLAN_TPID_VALID = 1 << 6;

export const PACKET_OUTGOING = 4;

/** Frames of version 3 begin at multiples of this (V3_ALIGNMENT in net/packet/af_packet.c). */
const ALIGNMENT = 8;

/**
 * Walks the packets of one block. The kernel writes blocks, so they are not hostile; still no number in one is
 * believed: whatever stands there, nothing outside of the block is read, and every walk ends.
 */
export class BlockWalker {
  readonly bytes: Uint8Array;
  /** Signed, as that is quicker; only times go beyond 31 bits. */
  readonly words: Int32Array;
  readonly halves: Uint16Array;
  /** Set when the block contradicts itself; its rest is left out. */
  damaged = false;
  /** Packets of the block that come after the current one. */
  left = 0;

  // The current packet, valid after `step` gave true.
  /** Offset of its tpacket3_hdr in the ring. */
  at = 0;
  /** First captured byte and one past the last, offsets in the ring. 68 bytes from `at` on lie before `start`. */
  start = 0;
  end = 0;
  originalBytes = 0;
  interfaceIndex = 0;

  #next = 0;
  #blockEnd = 0;

  /** `ring`: begins at a multiple of 8 in memory. */
  constructor(ring: ArrayBuffer) {
    this.bytes = new Uint8Array(ring);
    this.words = new Int32Array(ring);
    this.halves = new Uint16Array(ring);
  }

  /** Begins with the block at `offset`, a multiple of 8, that ends within the ring. */
  begin(offset: number, blockBytes: number): void {
    const first = this.words[(offset + BLOCK.firstPacket) >>> 2];
    this.left = this.words[(offset + BLOCK.packets) >>> 2] >>> 0;
    this.#blockEnd = offset + blockBytes;
    this.#next = offset + first;
    this.damaged = false;
    if (first < BLOCK.bytes || first % ALIGNMENT !== 0) this.damaged = this.left > 0;
  }

  /** Nothing is left of the block. */
  finish(): void {
    this.left = 0;
  }

  step(): boolean {
    const { left } = this;
    if (left === 0 || this.damaged) return false;
    const at = this.#next;
    const blockEnd = this.#blockEnd;
    if (at + HEADER.bytes > blockEnd) return this.#broken();
    const words = this.words;
    const word = at >>> 2;
    const start = at + this.halves[(at + HEADER.macOffset) >>> 1];
    const end = start + words[word + HEADER.capturedBytes / 4];
    let limit = blockEnd;
    if (left > 1) {
      const step = words[word];
      limit = at + step;
      if ((step & (ALIGNMENT - 1)) !== 0 || limit > blockEnd) return this.#broken();
    }
    if (start < at + HEADER.bytes || end < start || end > limit) return this.#broken();
    this.left = left - 1;
    this.#next = limit;
    this.at = at;
    this.start = start;
    this.end = end;
    this.originalBytes = words[word + HEADER.originalBytes / 4];
    this.interfaceIndex = words[word + (HEADER.address + ADDRESS.interfaceIndex) / 4];
    return true;
  }

  #broken(): false {
    this.damaged = true;
    return false;
  }
}
