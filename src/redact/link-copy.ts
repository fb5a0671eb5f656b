import { u16le } from '../decode/bytes.ts';
import type { PacketCopy } from './packet-copy.ts';

/** Copies link headers: types and tags stay, addresses become pseudonyms, measurements and names go. */

export function copyEthernet(packet: PacketCopy, start: number): void {
  packet.mac(start);
  packet.mac(start + 6);
  packet.copy(start + 12, start + 14);
}

/** An address of up to 8 bytes of which `length` count: EUI-48, IPv4 as tunnels have it, or none that is known. */
function copyLinkAddress(packet: PacketCopy, at: number, length: number): void {
  if (length === 6) packet.mac(at);
  else if (length === 4) packet.ipv4(at);
}

/** LINKTYPE_LINUX_SLL: packet type, hardware type, address length, address, protocol. */
export function copyLinuxSll(packet: PacketCopy, start: number): void {
  packet.copy(start, start + 6);
  copyLinkAddress(packet, start + 6, packet.u16(start + 4));
  packet.copy(start + 14, start + 16);
}

/** LINKTYPE_LINUX_SLL2: protocol, interface index, hardware type, packet type, address length, address. */
export function copyLinuxSll2(packet: PacketCopy, start: number): void {
  packet.copy(start, start + 12);
  copyLinkAddress(packet, start + 12, packet.byte(start + 11));
}

const TO_AND_FROM_DS = 0x0300;

/** An 802.11 data header (IEEE 802.11 §9.3.2.1) with three or four addresses. */
export function copyIeee80211(packet: PacketCopy, start: number, end: number): void {
  packet.copy(start, end);
  packet.to.fill(0, start + 4, Math.min(end, start + 22));
  for (const at of [4, 10, 16]) packet.mac(start + at);
  if ((u16le(packet.from, start) & TO_AND_FROM_DS) === TO_AND_FROM_DS) packet.mac(start + 24);
}

/** Radiotap: version, length and the presence bits; the measurements become zero. */
export function copyRadiotap(packet: PacketCopy, start: number, end: number): void {
  let at = start + 4;
  while (at + 4 <= end && (packet.byte(at + 3) & 0x80) !== 0) at += 4;
  packet.copy(start, Math.min(end, at + 4));
}

/** PPI: header, and type and length of each field; fields may hold where a recorder stood. */
export function copyPpi(packet: PacketCopy, start: number, end: number): void {
  packet.copy(start, start + 8);
  for (let at = start + 8; at + 4 <= end; at += 4 + u16le(packet.from, at + 2)) packet.copy(at, at + 4);
}

/** NFLOG: family, and type and length of each record before the packet. */
export function copyNflog(packet: PacketCopy, start: number, end: number): void {
  packet.copy(start, start + 4);
  let at = start + 4;
  while (at + 4 <= end) {
    const little = u16le(packet.from, at);
    const length = little > packet.from.length - at ? packet.u16(at) : little;
    packet.copy(at, at + 4);
    if (length < 4) return;
    at += (length + 3) & ~3;
  }
}
