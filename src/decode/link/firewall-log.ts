import { u16, u16le } from '../bytes.ts';
import { type Frame, NEXT, type Next } from '../frame.ts';

const AF_INET = 2;
const AF_INET6 = new Set([10, 24, 28, 30]);

function byFamily(frame: Frame, family: number): Next {
  if (family === AF_INET) return NEXT.ipv4;
  if (AF_INET6.has(family)) return NEXT.ipv6;
  return frame.stop('other-network');
}

/** LINKTYPE_PFLOG: header length in byte 0 (padded to 4), address family in byte 1. */
export function readPflog(frame: Frame): Next {
  if (!frame.has(2)) return frame.stop('truncated');
  const length = (frame.bytes[frame.offset] + 3) & ~3;
  const family = frame.bytes[frame.offset + 1];
  if (length < 4 || !frame.has(length)) return frame.stop('truncated');
  frame.offset += length;
  return byFamily(frame, family);
}

const NFLOG_HEADER_BYTES = 4;
const NFULA_PAYLOAD = 9;

/** LINKTYPE_NFLOG: a family, then type-length-value records in host order; the packet is record 9. */
export function readNflog(frame: Frame): Next {
  if (!frame.has(NFLOG_HEADER_BYTES)) return frame.stop('truncated');
  const { bytes } = frame;
  const family = bytes[frame.offset];
  let at = frame.offset + NFLOG_HEADER_BYTES;
  while (at + 4 <= frame.end) {
    const little = u16le(bytes, at);
    const bigEndian = little > frame.end - at;
    const length = bigEndian ? u16(bytes, at) : little;
    const type = (bigEndian ? u16(bytes, at + 2) : u16le(bytes, at + 2)) & 0x7fff;
    if (length < 4) return frame.stop('malformed');
    if (type === NFULA_PAYLOAD) {
      frame.offset = at + 4;
      frame.wireEnd = Math.min(frame.wireEnd, at + length);
      frame.end = Math.min(frame.end, frame.wireEnd);
      return byFamily(frame, family);
    }
    at += (length + 3) & ~3;
  }
  return frame.stop('truncated');
}
