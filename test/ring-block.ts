/** A packet as TPACKET_V3 puts it into a block: tpacket3_hdr, sockaddr_ll, headroom, bytes. */
export interface RingPacket {
  seconds: number;
  nanoseconds: number;
  bytes: Uint8Array;
  /** On the wire; the captured length when missing. */
  originalBytes?: number;
  /** From the header to the first byte: 82 for Ethernet, 96 for packets without link header. */
  macOffset: number;
  interfaceIndex: number;
  hardwareType?: number;
  packetType?: number;
  protocol?: number;
  /** At most 8 bytes. */
  sender?: readonly number[];
  /** Taken off by the kernel. */
  vlan?: { tci: number; tpid?: number };
}

/**
 * A block in the form of linux/if_packet.h, in this machine's byte order, written with other means than the ones
 * that read it.
 */
export function ringBlock(packets: readonly RingPacket[], blockBytes: number): Uint8Array {
  const block = Buffer.alloc(blockBytes);
  const little = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;
  const u32 = (at: number, value: number): void => {
    if (little) block.writeUInt32LE(value, at);
    else block.writeUInt32BE(value, at);
  };
  const u16 = (at: number, value: number): void => {
    if (little) block.writeUInt16LE(value, at);
    else block.writeUInt16BE(value, at);
  };
  // tpacket_block_desc: version, offset to private area, status, packets, first packet, length.
  u32(8, 1);
  u32(12, packets.length);
  u32(16, 48);
  let at = 48;
  packets.forEach((packet, index) => {
    const last = index === packets.length - 1;
    const size = (packet.macOffset + packet.bytes.length + 7) & ~7;
    u32(at, last ? 0 : size);
    u32(at + 4, packet.seconds);
    u32(at + 8, packet.nanoseconds);
    u32(at + 12, packet.bytes.length);
    u32(at + 16, packet.originalBytes ?? packet.bytes.length);
    const { vlan } = packet;
    if (vlan !== undefined) {
      u32(at + 20, vlan.tpid === undefined ? 0x10 : 0x50);
      u32(at + 32, vlan.tci);
      u16(at + 36, vlan.tpid ?? 0);
    }
    u16(at + 24, packet.macOffset);
    u16(at + 26, packet.macOffset);
    // sockaddr_ll.
    const address = at + 48;
    u16(address, 17);
    block.writeUInt16BE(packet.protocol ?? 0x0800, address + 2);
    u32(address + 4, packet.interfaceIndex);
    u16(address + 8, packet.hardwareType ?? 1);
    block[address + 10] = packet.packetType ?? 0;
    const sender = packet.sender ?? [];
    block[address + 11] = sender.length;
    block.set(sender, address + 12);
    block.set(packet.bytes, at + packet.macOffset);
    at += size;
  });
  return block;
}

/** The block as a ring of its own, aligned as a mapping is. */
export function asRing(block: Uint8Array): ArrayBuffer {
  const ring = new ArrayBuffer(block.length);
  new Uint8Array(ring).set(block);
  return ring;
}
