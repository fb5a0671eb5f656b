import { HARDWARE_TYPE } from './interface-probe.ts';
import { ADDRESS, type BlockWalker, HEADER, PACKET_OUTGOING } from './tpacket.ts';

/** What the socket's program leaves out, decided here where the kernel takes no such program. */
export class PacketChecks {
  /** Packets on the loopback interface that were left out because they come again as received. */
  loopbackCopies = 0;
  /** Indexes that named interfaces have, and had: their packets may still lie in the ring. null: all. */
  readonly #indexes: Set<number> | null;

  /** `named`: only interfaces that are added. */
  constructor(named: boolean) {
    this.#indexes = named ? new Set() : null;
  }

  add(indexes: readonly number[]): void {
    for (const index of indexes) this.#indexes?.add(index);
  }

  /** Is the current packet a copy on the loopback interface, or of an interface that was not asked for? */
  unwanted({ at, bytes, halves, interfaceIndex }: BlockWalker): boolean {
    const address = at + HEADER.address;
    const loopback = halves[(address + ADDRESS.hardwareType) >>> 1] === HARDWARE_TYPE.loopback;
    if (loopback && bytes[address + ADDRESS.packetType] === PACKET_OUTGOING) {
      this.loopbackCopies += 1;
      return true;
    }
    return this.#indexes !== null && !this.#indexes.has(interfaceIndex);
  }
}
