import { u16, u16le, u32le } from '../bytes.ts';
import { type Frame, NEXT, type Next } from '../frame.ts';

/** Frame control bits (IEEE 802.11 §9.2.4.1), as the two bytes read little-endian. */
const TYPE_DATA = 2;
const SUBTYPE_NULL = 0x4;
const SUBTYPE_QOS = 0x8;
const TO_DS = 0x0100;
const FROM_DS = 0x0200;
const PROTECTED = 0x4000;
const ORDER = 0x8000;
const BASE_BYTES = 24;
const ADDRESS_BYTES = 6;
const QOS_BYTES = 2;
const HT_CONTROL_BYTES = 4;
/** In the QoS control field: the body is an aggregate of several frames. */
const QOS_AMSDU = 0x80;

/** An 802.11 data frame in the clear. Aggregated and protected frames are counted, not read. */
export function readIeee80211(frame: Frame): Next {
  if (!frame.has(2)) return frame.stop('truncated');
  const { bytes, offset } = frame;
  const control = u16le(bytes, offset);
  const subtype = (control >> 4) & 0xf;
  if (((control >> 2) & 3) !== TYPE_DATA || (subtype & SUBTYPE_NULL) !== 0)
    return frame.stop('other-network');
  if ((control & PROTECTED) !== 0) return frame.stop('encrypted');
  let header = BASE_BYTES;
  if ((control & TO_DS) !== 0 && (control & FROM_DS) !== 0) header += ADDRESS_BYTES;
  if ((subtype & SUBTYPE_QOS) !== 0) {
    if (!frame.has(header + QOS_BYTES)) return frame.stop('truncated');
    if ((bytes[offset + header] & QOS_AMSDU) !== 0) return frame.stop('other-network');
    header += QOS_BYTES;
    if ((control & ORDER) !== 0) header += HT_CONTROL_BYTES;
  }
  if (!frame.has(header)) return frame.stop('truncated');
  frame.offset += header;
  return NEXT.llc;
}

/** The Radiotap header (radiotap.org): its length stands in bytes 2 and 3, little-endian. */
export function readRadiotap(frame: Frame): Next {
  if (!frame.has(8)) return frame.stop('truncated');
  const { bytes, offset } = frame;
  const length = u16le(bytes, offset + 2);
  if (length < 8 || !frame.has(length)) return frame.stop('truncated');
  // Present bits 0 (TSFT, 8 bytes) and 1 (flags) are in front: flag 0x20 says that padding follows the header.
  frame.offset += length;
  return NEXT.ieee80211;
}

/** Per-packet information header (CACE PPI): length in bytes 2 and 3, then a link type in bytes 4 to 7. */
export function readPpi(frame: Frame): Next {
  if (!frame.has(8)) return frame.stop('truncated');
  const { bytes, offset } = frame;
  const length = u16le(bytes, offset + 2);
  const linkType = u32le(bytes, offset + 4);
  if (length < 8 || !frame.has(length)) return frame.stop('truncated');
  frame.offset += length;
  if (linkType === 105) return NEXT.ieee80211;
  if (linkType === 1) return NEXT.ethernet;
  return frame.stop('unknown-link-type');
}

const PRISM_BYTES = 144;

export function readPrism(frame: Frame): Next {
  if (!frame.has(PRISM_BYTES)) return frame.stop('truncated');
  frame.offset += PRISM_BYTES;
  return NEXT.ieee80211;
}

/** AVS header: big-endian length in bytes 4 to 7. */
export function readAvs(frame: Frame): Next {
  if (!frame.has(8)) return frame.stop('truncated');
  const length = u16(frame.bytes, frame.offset + 6);
  if (length < 8 || !frame.has(length)) return frame.stop('truncated');
  frame.offset += length;
  return NEXT.ieee80211;
}
