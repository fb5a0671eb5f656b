import { u16 } from '../bytes.ts';
import { type Frame, NEXT, type Next } from '../frame.ts';

/** ARPHRD_ values whose protocol field is no EtherType (linux/if_arp.h). */
const ARPHRD_NETLINK = 824;
const ARPHRD_IPGRE = 778;
const ARPHRD_80211_RADIOTAP = 803;

function next(frame: Frame, hardwareType: number, protocol: number): Next {
  if (hardwareType === ARPHRD_NETLINK) return frame.stop('other-network');
  if (hardwareType === ARPHRD_80211_RADIOTAP) return NEXT.radiotap;
  if (hardwareType === ARPHRD_IPGRE && protocol === 0) return NEXT.ip;
  // Below 0x0600 the field is a Linux ETH_P_ constant: 1 is 802.3 without LLC, 4 is 802.2 LLC.
  if (protocol === 0x0004) return NEXT.llc;
  frame.protocol = protocol;
  return NEXT.etherType;
}

/** LINKTYPE_LINUX_SLL, the "cooked" header of captures on `any`. */
const SLL = { packetType: 0, hardwareType: 2, protocol: 14 } as const;
const SLL_BYTES = SLL.protocol + 2;

export function readLinuxSll(frame: Frame): Next {
  if (!frame.has(SLL_BYTES)) return frame.stop('truncated');
  const { bytes, offset } = frame;
  frame.offset += SLL_BYTES;
  return next(frame, u16(bytes, offset + SLL.hardwareType), u16(bytes, offset + SLL.protocol));
}

/** LINKTYPE_LINUX_SLL2: the same with the interface index. */
const SLL2 = { protocol: 0, interfaceIndex: 4, hardwareType: 8, packetType: 10, address: 12 } as const;
const SLL2_BYTES = SLL2.address + 8;

export function readLinuxSll2(frame: Frame): Next {
  if (!frame.has(SLL2_BYTES)) return frame.stop('truncated');
  const { bytes, offset } = frame;
  frame.offset += SLL2_BYTES;
  return next(frame, u16(bytes, offset + SLL2.hardwareType), u16(bytes, offset + SLL2.protocol));
}

/** Offset of the interface index in an SLL2 header; for telling sightings of one packet apart. */
export const SLL2_INTERFACE_INDEX = SLL2.interfaceIndex;
