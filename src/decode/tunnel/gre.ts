import { u16, u32 } from '../bytes.ts';
import { type Frame, NEXT, type Next, TUNNEL } from '../frame.ts';

/** GRE flags and version (RFC 2784 §2.1, RFC 2890 §2, RFC 2637 §4.1). */
const FLAG = {
  checksum: 0x8000,
  routing: 0x4000,
  key: 0x2000,
  sequence: 0x1000,
  acknowledgement: 0x0080,
} as const;
const VERSION_MASK = 0x0007;
const BASE_BYTES = 4;

/** Protocol types that are no EtherTypes or need a reader of their own. */
const TYPE = {
  erspan1or2: 0x88be,
  erspan3: 0x22eb,
  transparentEthernet: 0x6558,
  ppp: 0x880b,
  wccp: 0x883e,
} as const;
const ERSPAN2_BYTES = 8;
const ERSPAN3_BYTES = 12;
const ERSPAN3_PLATFORM_BYTES = 8;
const WCCP_BYTES = 4;

/** Aruba access points send 802.11 frames under these types: 0x8200 to 0x8370 in steps, and 0x9000. */
function isAruba(type: number): boolean {
  return type === 0x9000 || (type >= 0x8200 && type <= 0x83ff);
}

export function readGre(frame: Frame): Next {
  if (!frame.has(BASE_BYTES)) return frame.stop('truncated');
  const { bytes, offset } = frame;
  const flags = u16(bytes, offset);
  const type = u16(bytes, offset + 2);
  const version = flags & VERSION_MASK;
  if (version > 1) return frame.stop('malformed');
  let at = offset + BASE_BYTES;
  if ((flags & (FLAG.checksum | FLAG.routing)) !== 0) at += 4;
  let key = -1;
  if ((flags & FLAG.key) !== 0) {
    if (at + 4 > frame.end) return frame.stop('truncated');
    key = version === 1 ? u16(bytes, at + 2) : u32(bytes, at);
    at += 4;
  }
  if ((flags & FLAG.sequence) !== 0) at += 4;
  if (version === 1 && (flags & FLAG.acknowledgement) !== 0) at += 4;
  if (at >= frame.end) return frame.stop(version === 1 ? 'other-network' : 'truncated');
  frame.offset = at;
  if (type === TYPE.erspan1or2) return readErspan2(frame, (flags & FLAG.sequence) !== 0);
  if (type === TYPE.erspan3) return readErspan3(frame);
  if (!frame.addTunnel(TUNNEL.gre, key)) return frame.stop('tunnel-depth');
  if (version === 1 || type === TYPE.ppp) return NEXT.pppHdlc;
  if (type === TYPE.transparentEthernet) return NEXT.ethernet;
  if (type === TYPE.wccp) {
    // Version 2 puts a redirect header in front; version 1 does not.
    if (bytes[at] >> 4 !== 4 && frame.has(WCCP_BYTES)) frame.offset += WCCP_BYTES;
    return NEXT.ip;
  }
  if (isAruba(type)) return NEXT.aruba;
  frame.protocol = type;
  return NEXT.etherType;
}

/** ERSPAN type I has no header of its own; type II (draft-foschiano-erspan §4.2) has one when GRE counts. */
function readErspan2(frame: Frame, sequenced: boolean): Next {
  if (!sequenced) return frame.addTunnel(TUNNEL.erspan, -1) ? NEXT.ethernet : frame.stop('tunnel-depth');
  if (!frame.has(ERSPAN2_BYTES)) return frame.stop('truncated');
  const session = u16(frame.bytes, frame.offset + 2) & 0x03ff;
  if (!frame.addTunnel(TUNNEL.erspan, session)) return frame.stop('tunnel-depth');
  frame.offset += ERSPAN2_BYTES;
  return NEXT.ethernet;
}

/** ERSPAN type III (draft-foschiano-erspan §4.3): the frame type tells Ethernet from IP. */
function readErspan3(frame: Frame): Next {
  if (!frame.has(ERSPAN3_BYTES)) return frame.stop('truncated');
  const { bytes, offset } = frame;
  const session = u16(bytes, offset + 2) & 0x03ff;
  const last = u16(bytes, offset + 10);
  if (!frame.addTunnel(TUNNEL.erspan, session)) return frame.stop('tunnel-depth');
  frame.offset += ERSPAN3_BYTES + ((last & 1) !== 0 ? ERSPAN3_PLATFORM_BYTES : 0);
  return ((last >> 10) & 0x1f) === 2 ? NEXT.ip : NEXT.ethernet;
}
