import type { PacketCopy } from './packet-copy.ts';

/** Copies tunnel headers: identifiers stay, since exchanges tell them; what may hold anything becomes zero. */

export function copyVxlan(packet: PacketCopy, start: number): void {
  packet.copy(start, start + 1);
  packet.copy(start + 4, start + 7);
}

export function copyVxlanGpe(packet: PacketCopy, start: number): void {
  packet.copy(start, start + 1);
  packet.copy(start + 3, start + 7);
}

/** Geneve (RFC 8926 §3.5): of options class, type and length. */
export function copyGeneve(packet: PacketCopy, start: number, end: number): void {
  packet.copy(start, start + 7);
  for (let at = start + 8; at + 4 <= end; at += 4 + ((packet.byte(at + 3) & 0x1f) << 2))
    packet.copy(at, at + 4);
}

/** Network service header (RFC 8300 §2): base and path headers. */
export function copyNsh(packet: PacketCopy, start: number): void {
  packet.copy(start, start + 8);
}

/** GTP-U: header, and of extension headers length and next type. */
export function copyGtp(packet: PacketCopy, start: number, end: number): void {
  packet.copy(start, Math.min(end, start + 12));
  for (let at = start + 12; at + 4 <= end; ) {
    const length = packet.byte(at) << 2;
    if (length === 0 || at + length > end) return;
    packet.copy(at, at + 1);
    packet.copy(at + length - 1, at + length);
    at += length;
  }
}

/** Teredo (RFC 4380 §5.1.1): the kinds and lengths of its indications; the origin's address is hidden in one. */
export function copyTeredo(packet: PacketCopy, start: number, end: number): void {
  if (end - start < 4) return;
  if (packet.byte(start) === 0 && packet.byte(start + 1) === 1) packet.copy(start, start + 4);
}

/** AYIYA: its head; identity and signature go. */
export function copyAyiya(packet: PacketCopy, start: number): void {
  packet.copy(start, start + 8);
}

/** GRE with what follows it up to the inner packet (ERSPAN): flags, type, key, sequence; the checksum is mended later. */
export function copyGre(packet: PacketCopy, start: number, end: number): void {
  const flags = packet.u16(start);
  packet.copy(start, start + 4);
  let at = start + 4;
  if ((flags & 0xc000) !== 0) at += 4;
  if ((flags & 0x2000) !== 0) {
    packet.copy(at, at + 4);
    at += 4;
  }
  if ((flags & 0x1000) !== 0) {
    packet.copy(at, at + 4);
    at += 4;
  }
  if ((flags & 0x0007) === 1 && (flags & 0x0080) !== 0) {
    packet.copy(at, at + 4);
    at += 4;
  }
  // ERSPAN types II and III: 8 or 12 bytes of version, VLAN, session and index; a platform's own part goes.
  if (end > at) packet.copy(at, Math.min(end, at + 12));
}

/** L2TP (RFC 2661 §3.1): everything before its padding. */
export function copyL2tp(packet: PacketCopy, start: number, end: number): void {
  const flags = packet.u16(start);
  let length = 6;
  if ((flags & 0x4000) !== 0) length += 2;
  if ((flags & 0x0800) !== 0) length += 4;
  if ((flags & 0x0200) !== 0) length += 2;
  packet.copy(start, Math.min(end, start + length));
}
