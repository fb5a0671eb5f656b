import { u32, u32le } from '../bytes.ts';
import { type Frame, NEXT, type Next } from '../frame.ts';

const HEADER_BYTES = 4;
const AF_INET = 2;
/** AF_INET6 differs by system: BSDs 24, FreeBSD 28, macOS 30; Linux 10 and Windows 23 appear too. */
const AF_INET6 = new Set([10, 23, 24, 28, 30]);

/**
 * LINKTYPE_NULL and LINKTYPE_LOOP: the address family, in host order of the capturing machine or in network
 * order. Families fit into the low 16 bits, which tells the order.
 */
export function readNullLoop(frame: Frame): Next {
  if (!frame.has(HEADER_BYTES)) return frame.stop('truncated');
  const { bytes, offset } = frame;
  const little = u32le(bytes, offset);
  const family = little > 0xffff ? u32(bytes, offset) : little;
  frame.offset += HEADER_BYTES;
  if (family === AF_INET) return NEXT.ipv4;
  if (AF_INET6.has(family)) return NEXT.ipv6;
  // Some writers put an EtherType here.
  if (family === 0x0800 || family === 0x86dd) {
    frame.protocol = family;
    return NEXT.etherType;
  }
  return frame.stop('other-network');
}
