import { i32, u16 } from '../bytes.ts';
import type { Frame } from '../frame.ts';

/** TCP header (RFC 9293 §3.1). */
const FIELD = {
  source: 0,
  destination: 2,
  sequence: 4,
  acknowledgement: 8,
  dataOffset: 12,
  flags: 13,
  window: 14,
  checksum: 16,
  urgent: 18,
} as const;
const MIN_HEADER_BYTES = FIELD.urgent + 2;

export const TCP_FLAG = { fin: 0x01, syn: 0x02, rst: 0x04, push: 0x08, ack: 0x10 } as const;

/**
 * Reads the TCP header and puts the cursor on the payload: `bytes[offset, end)` is captured,
 * `wireEnd - offset` bytes were sent. Options cut off by the snaplen leave an empty payload.
 * False: not usable, `frame.reason` says why.
 */
export function readTcpHeader(frame: Frame): boolean {
  const { bytes, offset } = frame;
  if (!frame.has(MIN_HEADER_BYTES)) {
    frame.reason = frame.wireEnd - offset < MIN_HEADER_BYTES ? 'malformed' : 'truncated';
    return false;
  }
  const headerBytes = (bytes[offset + FIELD.dataOffset] >> 4) << 2;
  if (headerBytes < MIN_HEADER_BYTES || offset + headerBytes > frame.wireEnd) {
    frame.reason = 'malformed';
    return false;
  }
  frame.tcpOffset = offset;
  frame.srcPort = u16(bytes, offset + FIELD.source);
  frame.dstPort = u16(bytes, offset + FIELD.destination);
  frame.seq = i32(bytes, offset + FIELD.sequence);
  frame.ack = i32(bytes, offset + FIELD.acknowledgement);
  frame.flags = bytes[offset + FIELD.flags];
  frame.window = u16(bytes, offset + FIELD.window);
  frame.checksum = u16(bytes, offset + FIELD.checksum);
  frame.offset = offset + headerBytes;
  if (frame.end < frame.offset) frame.end = frame.offset;
  return true;
}
