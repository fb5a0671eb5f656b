import { HARDWARE_TYPE } from './interface-probe.ts';

/** LINKTYPE_ numbers (www.tcpdump.org/linktypes.html). */
export const LINKTYPE_ETHERNET = 1;
export const LINKTYPE_LINUX_SLL2 = 276;

/** ARPHRD_ numbers of linux/if_arp.h whose frames are recorded as they are, and the LINKTYPE_ they have. */
const RAW_LINK_TYPES: Readonly<Record<number, number>> = {
  [HARDWARE_TYPE.ethernet]: LINKTYPE_ETHERNET,
  [HARDWARE_TYPE.loopback]: LINKTYPE_ETHERNET,
  // Wireless interfaces in monitor mode: bare, with Prism header, with radiotap header.
  801: 105,
  802: 119,
  803: 127,
};

/** What packets look like when they come from a socket. */
export interface SocketKind {
  /** With their link header as the interface has it; else with an SLL2 header that is made here. */
  readonly raw: boolean;
  readonly linkType: number;
}

const COOKED: SocketKind = { raw: false, linkType: LINKTYPE_LINUX_SLL2 };

/** For one interface of this ARPHRD_ number; null: for several. */
export function socketKind(hardwareType: number | null): SocketKind {
  const linkType = hardwareType === null ? undefined : RAW_LINK_TYPES[hardwareType];
  return linkType === undefined ? COOKED : { raw: true, linkType };
}
