import type { PacketReason } from '../model/ledger.ts';

/**
 * What the next bytes are. A header reader reads its header at `frame.offset`, moves the offset past it and
 * returns one of these; the loop in decoder.ts goes on from there. So no reader knows another one.
 */
export const NEXT = {
  /** Not usable: `frame.reason` says why. */
  stop: 0,
  ethernet: 1,
  /** By the EtherType in `frame.protocol`. */
  etherType: 2,
  ipv4: 3,
  ipv6: 4,
  /** IPv4 or IPv6 by the version nibble. */
  ip: 5,
  /** By the IP protocol number in `frame.protocol`. */
  transport: 6,
  tcp: 7,
  udp: 8,
  gre: 9,
  ppp: 10,
  pppoe: 11,
  mpls: 12,
  llc: 13,
  ieee80211: 14,
  vxlan: 15,
  geneve: 16,
  gtp: 17,
  teredo: 18,
  ayiya: 19,
  linuxSll: 22,
  linuxSll2: 23,
  nullLoop: 24,
  chdlc: 25,
  radiotap: 26,
  ppi: 27,
  prism: 28,
  avs: 29,
  l2tp: 30,
  frameRelay: 31,
  pflog: 32,
  nflog: 33,
  vxlanGpe: 34,
  aruba: 36,
  pppHdlc: 37,
  nsh: 38,
  /** A piece of an IP datagram; the frame's fragment fields say which. */
  fragment: 39,
} as const;
export type Next = (typeof NEXT)[keyof typeof NEXT];

export const MAX_VLANS = 4;
export const MAX_TUNNELS = 4;

/** Tunnel kinds by small number, in the order of TUNNEL_KINDS in model/exchange.ts. */
export const TUNNEL = {
  vxlan: 0,
  geneve: 1,
  gre: 2,
  erspan: 3,
  ipip: 4,
  gtp: 5,
  teredo: 6,
  ayiya: 7,
  l2tp: 8,
  mpls: 9,
  pppoe: 10,
  other: 11,
} as const;

/**
 * The one record that all header readers fill, reused for every packet: a cursor over the packet and what
 * was read on the way down to TCP. After a tunnel the inner headers overwrite the outer ones.
 */
export class Frame {
  bytes: Uint8Array = new Uint8Array(0);
  /** Next unread byte. */
  offset = 0;
  /** One past the last captured byte that belongs to the current layer. */
  end = 0;
  /** One past the last byte on the wire of the current layer; beyond `end` where the snaplen cut. */
  wireEnd = 0;
  /** EtherType or IP protocol number for NEXT.etherType and NEXT.transport. */
  protocol = 0;
  reason: PacketReason = 'malformed';
  timeNs = 0;

  // IP
  ipVersion = 0;
  /** Addresses as four 32-bit words; IPv4 uses the first and leaves the others 0. */
  src0 = 0;
  src1 = 0;
  src2 = 0;
  src3 = 0;
  dst0 = 0;
  dst1 = 0;
  dst2 = 0;
  dst3 = 0;
  /** Where the innermost IP header and the TCP header begin in `bytes`. */
  ipOffset = 0;
  tcpOffset = 0;
  /** Length of the innermost IP packet by its length field; what was captured where offloading left that 0. */
  ipBytes = 0;
  /** IPv4 identification; for IPv6 the flow label. */
  ipId = 0;
  /** For NEXT.fragment: place in the datagram in bytes, whether more follow, and the datagram's number. */
  fragmentOffset = 0;
  moreFragments = false;
  fragmentId = 0;

  // TCP; the ports also of UDP
  srcPort = 0;
  dstPort = 0;
  /** Sequence and acknowledgement numbers as signed 32-bit words. */
  seq = 0;
  ack = 0;
  flags = 0;
  window = 0;
  checksum = 0;
  /** TCP payload: bytes[offset, end) is captured; `wireEnd - offset` bytes were sent. */

  // encapsulation
  vlanCount = 0;
  readonly vlans = new Int32Array(MAX_VLANS);
  tunnelCount = 0;
  readonly tunnelKinds = new Int32Array(MAX_TUNNELS);
  /** -1: the kind has no identifier. */
  readonly tunnelIds = new Float64Array(MAX_TUNNELS);

  begin(bytes: Uint8Array, start: number, end: number, originalBytes: number, timeNs: number): void {
    this.bytes = bytes;
    this.offset = start;
    this.end = end;
    this.wireEnd = start + originalBytes;
    this.timeNs = timeNs;
    this.vlanCount = 0;
    this.tunnelCount = 0;
  }

  stop(reason: PacketReason): Next {
    this.reason = reason;
    return NEXT.stop;
  }

  addVlan(id: number): void {
    if (this.vlanCount < MAX_VLANS) this.vlans[this.vlanCount++] = id;
  }

  /** False: more encapsulations than are followed. */
  addTunnel(kind: number, id: number): boolean {
    if (this.tunnelCount >= MAX_TUNNELS) return false;
    this.tunnelKinds[this.tunnelCount] = kind;
    this.tunnelIds[this.tunnelCount++] = id;
    return true;
  }

  /** True when `count` more bytes are captured. */
  has(count: number): boolean {
    return this.offset + count <= this.end;
  }
}
