import { u16 } from '../bytes.ts';
import { type Frame, NEXT, type Next } from '../frame.ts';

/** Ethernet II and 802.3 (IEEE 802.3 §3). */
const FIELD = { type: 12 } as const;
const HEADER_BYTES = FIELD.type + 2;
/** Values below are lengths of an 802.3 frame, which goes on with LLC. */
const MIN_ETHER_TYPE = 0x0600;

export function readEthernet(frame: Frame): Next {
  if (!frame.has(HEADER_BYTES)) return frame.stop('truncated');
  const type = u16(frame.bytes, frame.offset + FIELD.type);
  frame.offset += HEADER_BYTES;
  if (type < MIN_ETHER_TYPE) return NEXT.llc;
  frame.protocol = type;
  return NEXT.etherType;
}

const TAG_BYTES = 4;

/** 802.1Q and 802.1ad tags (IEEE 802.1Q §9): the EtherType before them has been read. */
export function readVlanTag(frame: Frame): Next {
  if (!frame.has(TAG_BYTES)) return frame.stop('truncated');
  frame.addVlan(u16(frame.bytes, frame.offset) & 0x0fff);
  const type = u16(frame.bytes, frame.offset + 2);
  frame.offset += TAG_BYTES;
  if (type < MIN_ETHER_TYPE) return NEXT.llc;
  frame.protocol = type;
  return NEXT.etherType;
}

const LLC_BYTES = 3;
const SNAP_BYTES = LLC_BYTES + 5;

/** IEEE 802.2 LLC, with SNAP (RFC 1042) where it says so. */
export function readLlc(frame: Frame): Next {
  if (!frame.has(LLC_BYTES)) return frame.stop('truncated');
  const { bytes, offset } = frame;
  const dsap = bytes[offset];
  if (dsap === 0xaa && bytes[offset + 1] === 0xaa) {
    if (!frame.has(SNAP_BYTES)) return frame.stop('truncated');
    frame.protocol = u16(bytes, offset + LLC_BYTES + 3);
    frame.offset += SNAP_BYTES;
    return NEXT.etherType;
  }
  if (dsap === 0x06) {
    frame.offset += LLC_BYTES;
    return NEXT.ipv4;
  }
  return frame.stop('other-network');
}
