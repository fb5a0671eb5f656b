import { u16, u32 } from '../bytes.ts';
import { type Frame, NEXT, type Next, TUNNEL } from '../frame.ts';

/** PPP protocol numbers (IANA). */
const PPP_IPV4 = 0x0021;
const PPP_IPV6 = 0x0057;
const PPP_MPLS = 0x0281;
const PPP_COMPRESSED = new Set([0x00fd, 0x00fb, 0x002d, 0x002f, 0x0053]);

/** The PPP protocol field, one or two bytes (RFC 1661 §2, RFC 1661 §6.5). */
export function readPpp(frame: Frame): Next {
  if (!frame.has(1)) return frame.stop('truncated');
  let protocol = frame.bytes[frame.offset];
  if ((protocol & 1) === 1) {
    frame.offset += 1;
  } else {
    if (!frame.has(2)) return frame.stop('truncated');
    protocol = u16(frame.bytes, frame.offset);
    frame.offset += 2;
  }
  if (protocol === PPP_IPV4) return NEXT.ipv4;
  if (protocol === PPP_IPV6) return NEXT.ipv6;
  if (protocol === PPP_MPLS) return NEXT.mpls;
  return frame.stop(PPP_COMPRESSED.has(protocol) ? 'encrypted' : 'other-network');
}

/** PPP with an optional HDLC-like address and control field (RFC 1662 §3.1). */
export function readPppHdlc(frame: Frame): Next {
  if (!frame.has(2)) return frame.stop('truncated');
  const { bytes, offset } = frame;
  if (bytes[offset] === 0xff && bytes[offset + 1] === 0x03) frame.offset += 2;
  return NEXT.ppp;
}

/** PPPoE session header (RFC 2516 §4); the EtherType 0x8864 before it has been read. */
const PPPOE = { sessionId: 2, length: 4 } as const;
const PPPOE_BYTES = PPPOE.length + 2;

export function readPppoe(frame: Frame): Next {
  if (!frame.has(PPPOE_BYTES)) return frame.stop('truncated');
  if (!frame.addTunnel(TUNNEL.pppoe, u16(frame.bytes, frame.offset + PPPOE.sessionId))) {
    return frame.stop('tunnel-depth');
  }
  frame.offset += PPPOE_BYTES;
  return NEXT.ppp;
}

/** Cisco HDLC (LINKTYPE_C_HDLC): address, control, EtherType. */
const CHDLC_BYTES = 4;

export function readChdlc(frame: Frame): Next {
  if (!frame.has(CHDLC_BYTES)) return frame.stop('truncated');
  const address = frame.bytes[frame.offset];
  if (address === 0xff) return NEXT.pppHdlc;
  frame.protocol = u16(frame.bytes, frame.offset + 2);
  frame.offset += CHDLC_BYTES;
  return NEXT.etherType;
}

/** Frame Relay with a two-byte address and RFC 2427 encapsulation. */
export function readFrameRelay(frame: Frame): Next {
  if (!frame.has(4)) return frame.stop('truncated');
  const { bytes } = frame;
  let at = frame.offset;
  while (at < frame.end && (bytes[at] & 1) === 0) at += 1;
  at += 1;
  if (at + 2 > frame.end) return frame.stop('truncated');
  if (bytes[at] !== 0x03) {
    // Cisco encapsulation: an EtherType follows the address.
    frame.protocol = u16(bytes, at);
    frame.offset = at + 2;
    return NEXT.etherType;
  }
  at += 1;
  if (bytes[at] === 0) at += 1;
  const nlpid = bytes[at];
  frame.offset = at + 1;
  if (nlpid === 0xcc) return NEXT.ipv4;
  if (nlpid === 0x8e) return NEXT.ipv6;
  if (nlpid === 0x80) {
    if (!frame.has(5)) return frame.stop('truncated');
    frame.protocol = u16(bytes, frame.offset + 3);
    frame.offset += 5;
    return NEXT.etherType;
  }
  return frame.stop('other-network');
}

const LABEL_BYTES = 4;
const PSEUDOWIRE_BYTES = 4;

/** An MPLS label stack (RFC 3032 §2.1). What follows is told by its first nibble (RFC 4928 §2). */
export function readMpls(frame: Frame): Next {
  const { bytes } = frame;
  let label = 0;
  for (;;) {
    if (!frame.has(LABEL_BYTES)) return frame.stop('truncated');
    const entry = u32(bytes, frame.offset);
    label = entry >>> 12;
    frame.offset += LABEL_BYTES;
    if ((entry & 0x100) !== 0) break;
  }
  if (!frame.addTunnel(TUNNEL.mpls, label)) return frame.stop('tunnel-depth');
  if (!frame.has(1)) return frame.stop('truncated');
  const nibble = bytes[frame.offset] >> 4;
  if (nibble === 4) return NEXT.ipv4;
  if (nibble === 6) return NEXT.ipv6;
  if (nibble === 0 && frame.has(PSEUDOWIRE_BYTES + 1) && u32(bytes, frame.offset) >>> 16 === 0) {
    // Ethernet over MPLS with a control word (RFC 4448 §4.6), unless it is an Ethernet address.
    frame.offset += PSEUDOWIRE_BYTES;
  }
  return NEXT.ethernet;
}
