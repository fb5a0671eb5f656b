import type { PacketCopy } from './packet-copy.ts';

/** Copies IP headers: addresses become pseudonyms, and options that may hold anything keep only type and length. */

/** End of options, no operation, router alert (RFC 2113). */
const PLAIN_IPV4_OPTIONS = new Set([0, 1, 148]);
/** Options are one byte long. */
const SINGLE = new Set([0, 1]);

export function copyIpv4Header(packet: PacketCopy, start: number, headerEnd: number): void {
  packet.copy(start, start + 10);
  packet.ipv4(start + 12);
  packet.ipv4(start + 16);
  copyOptions(packet, start + 20, headerEnd, PLAIN_IPV4_OPTIONS, SINGLE);
}

/** Options of the form kind, length, content (RFC 791 §3.1, RFC 9293 §3.1); `end` is where their header ends. */
export function copyOptions(
  packet: PacketCopy,
  start: number,
  end: number,
  plain: ReadonlySet<number>,
  single: ReadonlySet<number>,
): void {
  const reach = Math.min(end, packet.from.length);
  for (let at = start; at < reach; ) {
    const kind = packet.byte(at);
    packet.copy(at, at + 1);
    if (kind === 0) return;
    if (single.has(kind)) {
      at += 1;
      continue;
    }
    const length = at + 1 < reach ? packet.byte(at + 1) : 0;
    if (length < 2 || at + length > end) {
      // No option ends here: what was taken for one may be anything.
      packet.to[at] = 0;
      return;
    }
    packet.copy(at + 1, Math.min(reach, plain.has(kind) ? at + length : at + 2));
    at += length;
  }
}

const EXTENSION = { hopByHop: 0, routing: 43, fragment: 44, authentication: 51, destination: 60 } as const;
/** Jumbo payload (RFC 2675), router alert (RFC 2711), padding. */
const PLAIN_IPV6_OPTIONS = new Set([0xc2, 5]);
const SINGLE_IPV6 = new Set([0]);

/** An IPv6 header and the extension headers up to `headerEnd`, which the reader has accepted. */
export function copyIpv6Header(packet: PacketCopy, start: number, headerEnd: number): void {
  packet.copy(start, start + 8);
  packet.ipv6(start + 8);
  packet.ipv6(start + 24);
  let next = packet.byte(start + 6);
  for (let at = start + 40; at + 2 <= headerEnd; ) {
    const units = packet.byte(at + 1);
    packet.copy(at, at + 2);
    if (next === EXTENSION.fragment) {
      packet.copy(at + 2, at + 8);
      next = packet.byte(at);
      at += 8;
      continue;
    }
    const length = next === EXTENSION.authentication ? (units + 2) << 2 : (units + 1) << 3;
    if (next === EXTENSION.hopByHop || next === EXTENSION.destination) {
      for (let option = at + 2; option < at + length; ) {
        const kind = packet.byte(option);
        packet.copy(option, option + 1);
        if (SINGLE_IPV6.has(kind)) {
          option += 1;
          continue;
        }
        const optionBytes = 2 + packet.byte(option + 1);
        if (option + optionBytes > at + length) {
          packet.to[option] = 0;
          break;
        }
        packet.copy(option + 1, PLAIN_IPV6_OPTIONS.has(kind) ? option + optionBytes : option + 2);
        option += optionBytes;
      }
    } else if (next === EXTENSION.routing) packet.copy(at + 2, at + 4);
    next = packet.byte(at);
    at += length;
  }
}

/** ARP for IPv4 over Ethernet (RFC 826); of other kinds only the head stays. */
export function copyArp(packet: PacketCopy, start: number, end: number): void {
  if (start + 8 > end) return;
  packet.copy(start, start + 8);
  const isUsual =
    packet.u16(start + 2) === 0x0800 && packet.byte(start + 4) === 6 && packet.byte(start + 5) === 4;
  if (!isUsual || start + 28 > end) return;
  packet.mac(start + 8);
  packet.ipv4(start + 14);
  packet.mac(start + 18);
  packet.ipv4(start + 24);
}
