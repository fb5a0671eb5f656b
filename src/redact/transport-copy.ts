import { addWords, checksumOf, folded } from './checksums.ts';
import { copyIpv4Header, copyOptions } from './network-copy.ts';
import type { PacketCopy } from './packet-copy.ts';

const TCP_HEADER_BYTES = 20;
/** Segment size, window scale, SACK, timestamps, user timeout: how TCP goes, nothing else. */
const PLAIN_TCP_OPTIONS = new Set([2, 3, 4, 5, 8, 28]);
const SINGLE = new Set([0, 1]);
/** Bytes of a packet that ICMP must quote behind its IP header (RFC 792): ports and sequence number, or the like. */
const QUOTED_BYTES = 8;
const PROTOCOL = { icmp: 1, tcp: 6, udp: 17, icmpv6: 58 } as const;

/** Ports, numbers, flags, window, and options that say how TCP goes; the checksum is mended later. */
export function copyTcpHeader(packet: PacketCopy, start: number, headerEnd: number): void {
  packet.copy(start, start + 16);
  packet.copy(start + 18, start + TCP_HEADER_BYTES);
  copyOptions(packet, start + TCP_HEADER_BYTES, headerEnd, PLAIN_TCP_OPTIONS, SINGLE);
}

/** Ports and length; the checksum is mended later. */
export function copyUdpHeader(packet: PacketCopy, start: number): void {
  packet.copy(start, start + 6);
}

const ICMP_ERRORS = new Set([3, 4, 5, 11, 12]);
const ICMP_WITH_NUMBERS = new Set([0, 8, 13, 14, 15, 16, 17, 18]);
const ICMP_REDIRECT = 5;

/** ICMP (RFC 792): type and code; of errors the beginning of the packet they quote. */
export function copyIcmp(packet: PacketCopy, start: number, end: number): void {
  if (start + 8 > end) return;
  const type = packet.byte(start);
  packet.copy(start, start + 2);
  if (ICMP_WITH_NUMBERS.has(type)) packet.copy(start + 4, start + 8);
  if (!ICMP_ERRORS.has(type)) return;
  if (type === ICMP_REDIRECT) packet.ipv4(start + 4);
  else packet.copy(start + 4, start + 8);
  copyQuoted(packet, start + 8, end);
}

const ICMPV6 = { tooBig: 2, lastError: 4, echo: 128, echoReply: 129, mldQuery: 130, mldDone: 132 } as const;
const NEIGHBOUR = { solicitation: 135, advertisement: 136, redirect: 137 } as const;
const ROUTER = { solicitation: 133, advertisement: 134 } as const;

/** ICMPv6 (RFC 4443), neighbour discovery (RFC 4861) and listener discovery (RFC 2710). */
export function copyIcmpv6(packet: PacketCopy, start: number, end: number): void {
  if (start + 8 > end) return;
  const type = packet.byte(start);
  packet.copy(start, start + 2);
  if (type >= 1 && type <= ICMPV6.lastError) {
    packet.copy(start + 4, start + 8);
    copyQuoted(packet, start + 8, end);
  } else if (type === ICMPV6.echo || type === ICMPV6.echoReply) packet.copy(start + 4, start + 8);
  else if (type >= ICMPV6.mldQuery && type <= ICMPV6.mldDone) {
    packet.copy(start + 4, start + 6);
    if (start + 24 <= end) packet.ipv6(start + 8);
  } else if (type === NEIGHBOUR.solicitation || type === NEIGHBOUR.advertisement) {
    packet.copy(start + 4, start + 5);
    if (start + 24 <= end) packet.ipv6(start + 8);
    copyNeighbourOptions(packet, start + 24, end);
  } else if (type === NEIGHBOUR.redirect) {
    if (start + 40 > end) return;
    packet.ipv6(start + 8);
    packet.ipv6(start + 24);
    copyNeighbourOptions(packet, start + 40, end);
  } else if (type === ROUTER.solicitation) copyNeighbourOptions(packet, start + 8, end);
  else if (type === ROUTER.advertisement) {
    packet.copy(start + 4, Math.min(end, start + 16));
    copyNeighbourOptions(packet, start + 16, end);
  }
}

/** RFC 4861 §4.6: hardware addresses and prefixes become pseudonyms, MTU stays, of the others type and length do. */
function copyNeighbourOptions(packet: PacketCopy, start: number, end: number): void {
  for (let at = start; at + 8 <= end; ) {
    const type = packet.byte(at);
    const length = packet.byte(at + 1) << 3;
    if (length === 0 || at + length > end) return;
    packet.copy(at, at + 2);
    if (type === 1 || type === 2) packet.mac(at + 2);
    else if (type === 3 && length === 32) {
      packet.copy(at + 2, at + 12);
      packet.ipv6(at + 16);
    } else if (type === 5) packet.copy(at + 4, at + 8);
    at += length;
  }
}

function copyQuoted(packet: PacketCopy, start: number, end: number): void {
  const version = packet.byte(start) >> 4;
  if (version === 4 && start + 20 <= end) {
    const headerEnd = start + ((packet.byte(start) & 15) << 2);
    if (headerEnd < start + 20 || headerEnd > end) return;
    copyIpv4Header(packet, start, headerEnd);
    const wasRight = folded(addWords(0, packet.from, start, headerEnd)) === 0xffff;
    if (wasRight) packet.set16(start + 10, checksumOf(addWords(0, packet.to, start, headerEnd)));
    // Of a later fragment there are no ports.
    if ((packet.u16(start + 6) & 0x1fff) === 0)
      copyQuotedTransport(packet, packet.byte(start + 9), headerEnd, end);
  } else if (version === 6 && start + 40 <= end) {
    packet.copy(start, start + 8);
    packet.ipv6(start + 8);
    packet.ipv6(start + 24);
    copyQuotedTransport(packet, packet.byte(start + 6), start + 40, end);
  }
}

/** The first bytes, without checksums: these would tell of what they were made from. */
function copyQuotedTransport(packet: PacketCopy, protocol: number, start: number, end: number): void {
  if (start + QUOTED_BYTES > end) return;
  if (protocol === PROTOCOL.tcp) packet.copy(start, start + 8);
  else if (protocol === PROTOCOL.udp) packet.copy(start, start + 6);
  else if (protocol === PROTOCOL.icmp || protocol === PROTOCOL.icmpv6) {
    packet.copy(start, start + 2);
    packet.copy(start + 4, start + 8);
  }
}
