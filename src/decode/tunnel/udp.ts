import { u16, u24, u32 } from '../bytes.ts';
import { type Frame, NEXT, type Next, TUNNEL } from '../frame.ts';

/** UDP header (RFC 768). */
const UDP = { source: 0, destination: 2, length: 4, checksum: 6 } as const;
const UDP_BYTES = UDP.checksum + 2;

/** Ports that stand for a tunnel (IANA; 8472 is Linux's older VXLAN port). */
const PORT = {
  l2tp: 1701,
  gtpUser: 2152,
  teredo: 3544,
  espInUdp: 4500,
  greInUdp: 4754,
  vxlan: 4789,
  vxlanGpe: 4790,
  ayiya: 5072,
  geneve: 6081,
  mplsInUdp: 6635,
  vxlanLinux: 8472,
} as const;

function tunnelOf(port: number): Next {
  switch (port) {
    case PORT.vxlan:
    case PORT.vxlanLinux:
      return NEXT.vxlan;
    case PORT.vxlanGpe:
      return NEXT.vxlanGpe;
    case PORT.geneve:
      return NEXT.geneve;
    case PORT.gtpUser:
      return NEXT.gtp;
    case PORT.teredo:
      return NEXT.teredo;
    case PORT.ayiya:
      return NEXT.ayiya;
    case PORT.l2tp:
      return NEXT.l2tp;
    case PORT.mplsInUdp:
      return NEXT.mpls;
    case PORT.greInUdp:
      return NEXT.gre;
    default:
      return NEXT.stop;
  }
}

/** A UDP datagram matters only where it carries a tunnel, which its ports tell. */
export function readUdp(frame: Frame): Next {
  if (!frame.has(UDP_BYTES)) return frame.stop('truncated');
  const { bytes, offset } = frame;
  const source = u16(bytes, offset + UDP.source);
  const destination = u16(bytes, offset + UDP.destination);
  frame.srcPort = source;
  frame.dstPort = destination;
  frame.offset += UDP_BYTES;
  const next = tunnelOf(destination);
  if (next !== NEXT.stop) return next;
  if (destination === PORT.espInUdp || source === PORT.espInUdp) return frame.stop('encrypted');
  const back = tunnelOf(source);
  // Only these answer from the tunnel's port; for the others a source port means nothing.
  if (back === NEXT.gtp || back === NEXT.teredo || back === NEXT.ayiya || back === NEXT.l2tp) return back;
  return frame.stop('udp');
}

const VXLAN_BYTES = 8;
const VXLAN_HAS_VNI = 0x08;

/** VXLAN (RFC 7348 §5): flags, reserved, 24-bit network identifier. */
export function readVxlan(frame: Frame): Next {
  if (!frame.has(VXLAN_BYTES)) return frame.stop('udp');
  const { bytes, offset } = frame;
  if ((bytes[offset] & VXLAN_HAS_VNI) === 0) return frame.stop('udp');
  if (!frame.addTunnel(TUNNEL.vxlan, u24(bytes, offset + 4))) return frame.stop('tunnel-depth');
  frame.offset += VXLAN_BYTES;
  return NEXT.ethernet;
}

/** VXLAN-GPE (draft-ietf-nvo3-vxlan-gpe §3): the same with a next protocol. */
export function readVxlanGpe(frame: Frame): Next {
  if (!frame.has(VXLAN_BYTES)) return frame.stop('udp');
  const { bytes, offset } = frame;
  const next = bytes[offset + 3];
  if (!frame.addTunnel(TUNNEL.vxlan, u24(bytes, offset + 4))) return frame.stop('tunnel-depth');
  frame.offset += VXLAN_BYTES;
  if (next === 1) return NEXT.ipv4;
  if (next === 2) return NEXT.ipv6;
  if (next === 4) return NEXT.nsh;
  return NEXT.ethernet;
}

/** Network service header (RFC 8300 §2.2). */
export function readNsh(frame: Frame): Next {
  if (!frame.has(4)) return frame.stop('truncated');
  const { bytes, offset } = frame;
  const length = (bytes[offset + 1] & 0x3f) << 2;
  const next = bytes[offset + 3];
  if (length < 8 || !frame.has(length)) return frame.stop('truncated');
  frame.offset += length;
  if (next === 1) return NEXT.ipv4;
  if (next === 2) return NEXT.ipv6;
  return next === 3 ? NEXT.ethernet : frame.stop('other-network');
}

const GENEVE_BYTES = 8;
const TRANSPARENT_ETHERNET = 0x6558;

/** Geneve (RFC 8926 §3.4): option length in words, protocol type, 24-bit network identifier, options. */
export function readGeneve(frame: Frame): Next {
  if (!frame.has(GENEVE_BYTES)) return frame.stop('udp');
  const { bytes, offset } = frame;
  if (bytes[offset] >> 6 !== 0) return frame.stop('udp');
  const length = GENEVE_BYTES + ((bytes[offset] & 0x3f) << 2);
  if (!frame.has(length)) return frame.stop('truncated');
  if (!frame.addTunnel(TUNNEL.geneve, u24(bytes, offset + 4))) return frame.stop('tunnel-depth');
  frame.protocol = u16(bytes, offset + 2);
  frame.offset += length;
  return frame.protocol === TRANSPARENT_ETHERNET ? NEXT.ethernet : NEXT.etherType;
}

const GTP_BYTES = 8;
const GTP_G_PDU = 0xff;

/** GTP-U version 1 (3GPP TS 29.281 §5): G-PDUs carry an IP packet. */
export function readGtp(frame: Frame): Next {
  if (!frame.has(GTP_BYTES)) return frame.stop('udp');
  const { bytes, offset } = frame;
  const flags = bytes[offset];
  if (flags >> 5 !== 1 || (flags & 0x10) === 0 || bytes[offset + 1] !== GTP_G_PDU) return frame.stop('udp');
  let at = offset + GTP_BYTES;
  if ((flags & 0x07) !== 0) {
    if (at + 4 > frame.end) return frame.stop('truncated');
    let next = (flags & 0x04) !== 0 ? bytes[at + 3] : 0;
    at += 4;
    while (next !== 0) {
      if (at + 4 > frame.end) return frame.stop('truncated');
      const length = bytes[at] << 2;
      if (length === 0 || at + length > frame.end) return frame.stop('malformed');
      next = bytes[at + length - 1];
      at += length;
    }
  }
  if (!frame.addTunnel(TUNNEL.gtp, u32(bytes, offset + 4))) return frame.stop('tunnel-depth');
  frame.offset = at;
  return NEXT.ip;
}

/** Teredo (RFC 4380 §5.1.1): IPv6 in UDP, behind optional authentication and origin indications. */
export function readTeredo(frame: Frame): Next {
  const { bytes } = frame;
  let at = frame.offset;
  if (at + 4 <= frame.end && bytes[at] === 0 && bytes[at + 1] === 1) {
    at += 4 + bytes[at + 2] + bytes[at + 3] + 9;
  }
  if (at + 8 <= frame.end && bytes[at] === 0 && bytes[at + 1] === 0) at += 8;
  if (at >= frame.end || bytes[at] >> 4 !== 6) return frame.stop('udp');
  if (!frame.addTunnel(TUNNEL.teredo, -1)) return frame.stop('tunnel-depth');
  frame.offset = at;
  return NEXT.ipv6;
}

const AYIYA_BYTES = 8;

/** AYIYA (draft-massar-v6ops-ayiya §3): identity and signature lengths stand in the first two bytes. */
export function readAyiya(frame: Frame): Next {
  if (!frame.has(AYIYA_BYTES)) return frame.stop('udp');
  const { bytes, offset } = frame;
  const length = AYIYA_BYTES + (1 << (bytes[offset] >> 4)) + ((bytes[offset + 1] >> 4) << 2);
  if ((bytes[offset + 2] & 0x0f) !== 1 || !frame.has(length)) return frame.stop('udp');
  const next = bytes[offset + 3];
  if (!frame.addTunnel(TUNNEL.ayiya, -1)) return frame.stop('tunnel-depth');
  frame.offset += length;
  if (next === 41) return NEXT.ipv6;
  if (next === 4) return NEXT.ipv4;
  return frame.stop('other-transport');
}

/** L2TP version 2 data messages (RFC 2661 §3.1) carry PPP. */
export function readL2tp(frame: Frame): Next {
  if (!frame.has(6)) return frame.stop('udp');
  const { bytes, offset } = frame;
  const flags = u16(bytes, offset);
  if ((flags & 0x800f) !== 2) return frame.stop('udp');
  let at = offset + 2 + ((flags & 0x4000) !== 0 ? 2 : 0);
  const session = at + 2;
  at += 4;
  if ((flags & 0x0800) !== 0) at += 4;
  if ((flags & 0x0200) !== 0) {
    if (at + 2 > frame.end) return frame.stop('truncated');
    at += 2 + u16(bytes, at);
  }
  if (at >= frame.end) return frame.stop('truncated');
  if (!frame.addTunnel(TUNNEL.l2tp, u16(bytes, session))) return frame.stop('tunnel-depth');
  frame.offset = at;
  return NEXT.pppHdlc;
}
