import { LINK_TYPE } from '../../model/link-types.ts';
import type { Packet } from '../../model/packet.ts';
import { u32 } from '../bytes.ts';
import type { Frame } from '../frame.ts';
import { SLL2_INTERFACE_INDEX } from '../link/linux-sll.ts';

/**
 * A number for the place at which a packet was captured: its interface, on `any` the kernel's interface index, and
 * what the packet was wrapped in. Identifiers of tunnels are left out: those of GTP and MPLS differ by direction.
 */
export function placeKey(packet: Packet, frame: Frame): number {
  let key = packet.interfaceNumber;
  if (packet.linkType === LINK_TYPE.linuxSll2) key = Math.imul(key, 0x10001) ^ indexIn(packet);
  if (frame.vlanCount > 0) key ^= Math.imul(frame.vlans[0] + 1, 0x85ebca6b);
  for (let index = 0; index < frame.tunnelCount; index += 1) {
    key = Math.imul(key ^ (frame.tunnelKinds[index] + 1), 0x9e3779b1);
  }
  return key | 0;
}

/** The kernel's interface index, where the packet carries it. */
export function interfaceIndex(packet: Packet): number | null {
  return packet.linkType === LINK_TYPE.linuxSll2 ? indexIn(packet) : null;
}

function indexIn(packet: Packet): number {
  return u32(packet.bytes, packet.start + SLL2_INTERFACE_INDEX);
}
