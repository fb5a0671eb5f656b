import { i32, u16 } from '../bytes.ts';
import { type Frame, NEXT, type Next } from '../frame.ts';

/** IPv4 header (RFC 791 §3.1). */
const FIELD = {
  versionAndLength: 0,
  totalLength: 2,
  identification: 4,
  flagsAndOffset: 6,
  protocol: 9,
  checksum: 10,
  source: 12,
  destination: 16,
} as const;
const MIN_HEADER_BYTES = FIELD.destination + 4;
const MORE_FRAGMENTS = 0x2000;
const OFFSET_MASK = 0x1fff;

/**
 * Reads an IPv4 header and narrows the frame to the datagram, which drops link padding. Total length 0 is
 * what segmentation offload leaves behind: the datagram then reaches to the end of the frame.
 */
export function readIpv4(frame: Frame): Next {
  const { bytes, offset } = frame;
  if (!frame.has(MIN_HEADER_BYTES)) return frame.stop('truncated');
  const first = bytes[offset + FIELD.versionAndLength];
  const headerBytes = (first & 0x0f) << 2;
  if (first >> 4 !== 4 || headerBytes < MIN_HEADER_BYTES) return frame.stop('malformed');
  const totalBytes = u16(bytes, offset + FIELD.totalLength);
  if (totalBytes !== 0) {
    if (totalBytes < headerBytes) return frame.stop('malformed');
    if (offset + totalBytes < frame.wireEnd) frame.wireEnd = offset + totalBytes;
    if (frame.end > frame.wireEnd) frame.end = frame.wireEnd;
  }
  if (!frame.has(headerBytes)) return frame.stop('truncated');
  frame.ipBytes = frame.wireEnd - offset;
  frame.ipOffset = offset;
  frame.ipVersion = 4;
  frame.ipId = u16(bytes, offset + FIELD.identification);
  frame.src0 = i32(bytes, offset + FIELD.source);
  frame.dst0 = i32(bytes, offset + FIELD.destination);
  frame.src1 = 0;
  frame.src2 = 0;
  frame.src3 = 0;
  frame.dst1 = 0;
  frame.dst2 = 0;
  frame.dst3 = 0;
  frame.protocol = bytes[offset + FIELD.protocol];
  const fragment = u16(bytes, offset + FIELD.flagsAndOffset);
  frame.offset = offset + headerBytes;
  if ((fragment & (MORE_FRAGMENTS | OFFSET_MASK)) !== 0) {
    frame.fragmentOffset = (fragment & OFFSET_MASK) << 3;
    frame.moreFragments = (fragment & MORE_FRAGMENTS) !== 0;
    frame.fragmentId = frame.ipId;
    return NEXT.fragment;
  }
  return NEXT.transport;
}
