import { NEXT, type Next } from '../frame.ts';

/** LINKTYPE_ numbers (www.tcpdump.org/linktypes.html) that lead to IP. */
export const LINK_TYPE = {
  null: 0,
  ethernet: 1,
  ppp: 9,
  rawOld: 12,
  rawOpenBsd: 14,
  pppHdlc: 50,
  pppoe: 51,
  raw: 101,
  chdlc: 104,
  ieee80211: 105,
  frameRelay: 107,
  loop: 108,
  linuxSll: 113,
  pflog: 117,
  prism: 119,
  radiotap: 127,
  avs: 163,
  ppi: 192,
  mpls: 219,
  ipv4: 228,
  ipv6: 229,
  nflog: 239,
  linuxSll2: 276,
} as const;

const FIRST_LAYER = new Map<number, Next>([
  [LINK_TYPE.null, NEXT.nullLoop],
  [LINK_TYPE.ethernet, NEXT.ethernet],
  [LINK_TYPE.ppp, NEXT.pppHdlc],
  [LINK_TYPE.rawOld, NEXT.ip],
  [LINK_TYPE.rawOpenBsd, NEXT.ip],
  [LINK_TYPE.pppHdlc, NEXT.chdlc],
  [LINK_TYPE.pppoe, NEXT.pppoe],
  [LINK_TYPE.raw, NEXT.ip],
  [LINK_TYPE.chdlc, NEXT.chdlc],
  [LINK_TYPE.ieee80211, NEXT.ieee80211],
  [LINK_TYPE.frameRelay, NEXT.frameRelay],
  [LINK_TYPE.loop, NEXT.nullLoop],
  [LINK_TYPE.linuxSll, NEXT.linuxSll],
  [LINK_TYPE.pflog, NEXT.pflog],
  [LINK_TYPE.prism, NEXT.prism],
  [LINK_TYPE.radiotap, NEXT.radiotap],
  [LINK_TYPE.avs, NEXT.avs],
  [LINK_TYPE.ppi, NEXT.ppi],
  [LINK_TYPE.mpls, NEXT.mpls],
  [LINK_TYPE.ipv4, NEXT.ipv4],
  [LINK_TYPE.ipv6, NEXT.ipv6],
  [LINK_TYPE.nflog, NEXT.nflog],
  [LINK_TYPE.linuxSll2, NEXT.linuxSll2],
]);

/** What the first byte of a packet of this link type is; NEXT.stop where it is not understood. */
export function linkLayer(linkType: number): Next {
  if (linkType === LINK_TYPE.ethernet) return NEXT.ethernet;
  return FIRST_LAYER.get(linkType) ?? NEXT.stop;
}
