import { i32, u16, u32 } from '../bytes.ts';
import { type Frame, NEXT, type Next } from '../frame.ts';

/** IPv6 header (RFC 8200 §3). */
const FIELD = { flow: 0, payloadLength: 4, nextHeader: 6, source: 8, destination: 24 } as const;
const HEADER_BYTES = FIELD.destination + 16;

/** Extension headers (RFC 8200 §4, RFC 7045 §4). */
const EXTENSION = {
  hopByHop: 0,
  routing: 43,
  fragment: 44,
  authentication: 51,
  destination: 60,
  mobility: 135,
  hostIdentity: 139,
  shim6: 140,
} as const;
const FRAGMENT_BYTES = 8;
const JUMBO_OPTION = 0xc2;
const MAX_EXTENSIONS = 16;

/** Length from the jumbo payload option of a hop-by-hop header (RFC 2675 §2), or 0. */
function jumboBytes(bytes: Uint8Array, start: number, end: number): number {
  let at = start + 2;
  while (at + 1 < end) {
    const type = bytes[at];
    if (type === 0) {
      at += 1;
      continue;
    }
    const length = bytes[at + 1];
    if (type === JUMBO_OPTION && length === 4 && at + 6 <= end) return u32(bytes, at + 2);
    at += 2 + length;
  }
  return 0;
}

/**
 * Reads an IPv6 header with its extension headers and narrows the frame to the packet. Payload length 0
 * without a jumbo option is what segmentation offload leaves behind: the packet then fills the frame.
 */
export function readIpv6(frame: Frame): Next {
  const { bytes } = frame;
  const start = frame.offset;
  if (!frame.has(HEADER_BYTES)) return frame.stop('truncated');
  if (bytes[start] >> 4 !== 6) return frame.stop('malformed');
  const payloadBytes = u16(bytes, start + FIELD.payloadLength);
  if (payloadBytes !== 0) narrow(frame, start + HEADER_BYTES + payloadBytes);
  frame.ipBytes = frame.wireEnd - start;
  frame.ipOffset = start;
  frame.ipVersion = 6;
  frame.ipId = i32(bytes, start + FIELD.flow) & 0x000fffff;
  frame.src0 = i32(bytes, start + FIELD.source);
  frame.src1 = i32(bytes, start + FIELD.source + 4);
  frame.src2 = i32(bytes, start + FIELD.source + 8);
  frame.src3 = i32(bytes, start + FIELD.source + 12);
  frame.dst0 = i32(bytes, start + FIELD.destination);
  frame.dst1 = i32(bytes, start + FIELD.destination + 4);
  frame.dst2 = i32(bytes, start + FIELD.destination + 8);
  frame.dst3 = i32(bytes, start + FIELD.destination + 12);
  let next = bytes[start + FIELD.nextHeader];
  let offset = start + HEADER_BYTES;
  for (let count = 0; count < MAX_EXTENSIONS; count += 1) {
    switch (next) {
      case EXTENSION.hopByHop:
      case EXTENSION.routing:
      case EXTENSION.destination:
      case EXTENSION.mobility:
      case EXTENSION.hostIdentity:
      case EXTENSION.shim6: {
        if (offset + 2 > frame.end) return frame.stop('truncated');
        const length = (bytes[offset + 1] + 1) << 3;
        if (offset + length > frame.end) return frame.stop('truncated');
        if (next === EXTENSION.hopByHop && payloadBytes === 0) {
          const jumbo = jumboBytes(bytes, offset, offset + length);
          if (jumbo > 0) narrow(frame, start + HEADER_BYTES + jumbo);
        }
        next = bytes[offset];
        offset += length;
        break;
      }
      case EXTENSION.authentication: {
        if (offset + 2 > frame.end) return frame.stop('truncated');
        const length = (bytes[offset + 1] + 2) << 2;
        if (offset + length > frame.end) return frame.stop('truncated');
        next = bytes[offset];
        offset += length;
        break;
      }
      case EXTENSION.fragment: {
        if (offset + FRAGMENT_BYTES > frame.end) return frame.stop('truncated');
        const place = u16(bytes, offset + 2);
        next = bytes[offset];
        frame.fragmentOffset = place & 0xfff8;
        frame.moreFragments = (place & 1) !== 0;
        frame.fragmentId = i32(bytes, offset + 4);
        offset += FRAGMENT_BYTES;
        // An atomic fragment is a whole packet (RFC 6946 §4).
        if (frame.fragmentOffset === 0 && !frame.moreFragments) break;
        frame.protocol = next;
        frame.offset = offset;
        return NEXT.fragment;
      }
      default:
        frame.protocol = next;
        frame.offset = offset;
        return NEXT.transport;
    }
  }
  return frame.stop('malformed');
}

function narrow(frame: Frame, wireEnd: number): void {
  if (wireEnd < frame.wireEnd) frame.wireEnd = wireEnd;
  if (frame.end > frame.wireEnd) frame.end = frame.wireEnd;
}
